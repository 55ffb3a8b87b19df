"""Every text of the window that an artist can read: what `tr` is called with, and what is declared elsewhere."""

from __future__ import annotations

import ast
import itertools
import tomllib
from pathlib import Path

from imagegen_desktop.domain import errors
from imagegen_desktop.settings import SETTINGS

ROOT = Path(__file__).parent.parent.parent
#: Problems that carry a sentence and an advice.
PROBLEMS = {kind.__name__ for kind in vars(errors).values() if isinstance(kind, type)} - {"BadInput"} | {"KeyProblem"}
#: Texts that reach `tr` through a variable.
ELSEWHERE = (
    "This computer",
    "this session only",
    "the file locked with a passphrase",
    "the system's Secret Service",
    "the system's keyring (libsecret)",
    "the macOS keychain",
    "the Windows credential store",
)
#: What services say beside problems: notes on a picture, answers to a knock, and parts of their sentences.
SERVICES_ELSEWHERE = (
    "There is no key for a language model: these are the built-in rules.",
    "The built-in rules speak English and German only; the text is left as it is.",
    "{0} These are the built-in rules.",
    "{0} waits: {1}",
    "{0}: {1} is not possible; {2}.",
    "The key works; models: {0}",
    "The key works; account: {0}",
    "The program ended while the provider was at work.",
    "The library {0} is damaged.",
    "Close the program and start it again: it puts that right.",
    "The library is being put right: {0} of {1} files.",
    "The library was damaged and has been put right: {0} from the backup of {1}, {2} from their files.",
    "The library was damaged and has been made anew: {0} from their files.",
    "The damaged file is kept as {0}.",
    "1 picture",
    "{0} pictures",
    "The library was damaged; this job may have been done since its backup was made.",
    "Something went wrong inside the program.",
    "size {0} × {1} snapped to {2} × {3}",
    "{0} left out: {1} has none",
    "{0} left out: this version of the model has none",
    "{0} {1} became {2}",
    "came back as {0} × {1}",
    "seed",
    "negative prompt",
    "number of steps",
    "guidance",
    "sampler",
    "strength",
    "clip skip",
    "tiling",
    "variation seed",
    "variation strength",
    "no wildcard file is called {0}: it stays as it is",
    "weights in the prompt are left out: this model reads plain text",
    "clip skip is left out: this model has none",
    "LoRAs",
    "image",
    "mask",
    "{0} (request {1})",
    "{0} sent an answer nobody can read.",
    "{0} did not answer in time (status {1}).",
    "no reason given.",
    "then try again with a token of the same account.",
    "then enter a token of your account: `keys set huggingface`.",
    " If it is private, enter a token: `keys set huggingface`.",
    "{0}: the hub has it only as pickle files, which can run code.",
    "{0}: its part {1} is there only as pickle files, which can run code.",
)
#: Files whose problems are translated.
SPEAKING = (
    "credentials.py",
    *(f"providers/{name}.py" for name in (
        "cloud", "openai", "openai_errors", "replicate", "replicate_api", "replicate_inputs", "chat", "downloads",
        "hub", "hub_errors",
    )),
    *(f"services/{name}.py" for name in (
        "paid", "ledger", "enhance", "driving", "downloads", "fetching", "kits", "model_bin",
    )),
    "domain/hub_selection.py", "storage/staging.py", "storage/durable.py", "weights/checksums.py",
)  # fmt: skip


def all_texts() -> set[str]:
    return {*in_code(), *in_settings(), *in_styles(), *in_recommended(), *ELSEWHERE}


def in_code() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "imagegen_desktop" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tr":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def in_services() -> set[str]:
    """The forms of all sentences that may come from providers and services, values as {0}, {1} …"""
    found: set[str] = set(SERVICES_ELSEWHERE)
    shared = _constants(_tree("providers/words.py")) | _constants(_tree("services/paid.py"))
    for tree in map(_tree, SPEAKING):
        named = shared | _constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PROBLEMS:
                given = (
                    named.get(value.id, value) if isinstance(value, ast.Name) else value for value in node.args[:2]
                )
                found |= {_form(value) for value in given} - {""}
    return found


def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / "imagegen_desktop" / file).read_text(encoding="utf-8"))


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module's own names stand for."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _form(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    places = itertools.count()
    parts = node.values if isinstance(node, ast.JoinedStr) else []
    return "".join(part.value if isinstance(part, ast.Constant) else f"{{{next(places)}}}" for part in parts)


def in_settings() -> set[str]:
    words = {word for item in SETTINGS.values() for word in (item.label, item.help, item.section, item.unit)}
    return words - {"", "s", "min"}


def in_styles() -> set[str]:
    styles = tomllib.loads((ROOT / "resources" / "styles" / "styles.toml").read_text(encoding="utf-8"))
    return {style["title"] for style in styles.values()}


def in_recommended() -> set[str]:
    models = tomllib.loads((ROOT / "resources" / "models" / "recommended.toml").read_text(encoding="utf-8"))
    return {model["about"] for model in models.values()}
