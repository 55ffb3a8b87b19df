"""Every text of the window that an artist can read: what `tr` is called with, and what is declared elsewhere."""

from __future__ import annotations

import ast
import itertools
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from imagegen_desktop.domain import errors
from imagegen_desktop.formats import kinds
from imagegen_desktop.settings import SETTINGS

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "imagegen_desktop"
#: Stands for a value until the form is complete.
VALUE = "\N{OBJECT REPLACEMENT CHARACTER}"
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
    "words alone",
    "an image",
    "an image and a mask",
    "queued",
    "running",
    "saving",
    "paused",
    "done",
    "failed",
    "cancelled",
    "parked",
    "uncertain",
    "a pickle",
    "a zip archive",
    "a tar archive",
    "autoencoder",
    "text encoders",
)
#: What speaks to the artist through problems and notices; what only the command line says stays English.
SPEAKING = (
    "credentials.py", "paths.py", "settings.py", "domain", "formats", "imaging", "weights", "storage", "database",
    "providers", "services", "engine",
)  # fmt: skip
#: Functions that make a problem of a sentence, or of a part of one, that they are given.
PASSING = {"_broken"}
#: What is done, and can be undone under its name.
LABELLED = {"Deed", "_change", "_swap"}
#: What is only passed on: the sentence is another problem's, or the word the name of a field.
PASSED_ON = {
    "name", "kind", "field.name", "setting.name", "card.name", "card.path", "card.missing", "problem",
    "problem.message", "problem.advice", "problem.message.rstrip('.')", "event.message", "event.advice",
    "found['message']", "found['advice']", "str(known['problem'])", "str(known.get('advice', ''))",
}  # fmt: skip
#: Forms that half of all English sentences have: parts of these would be taken for theirs.
TOO_OPEN = {"{0} is {1}.", "{0} has {1}", "{0} offers {1}", "{0} from {1} to {2}"}


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
    """The forms of all sentences that may come from below the window, values as {0}, {1} …"""
    files = {form for _, title, remedy in kinds._OTHERS for form in (f"{{0}} is {title}.", remedy)}
    deeds = {f"deed: {form}" for forms in given(_labels).values() for form in forms}
    return {*SERVICES_ELSEWHERE, *files, *deeds, *(form for forms in given().values() for form in forms)} - TOO_OPEN


def given(told: Callable[[ast.Call], list[ast.expr]] | None = None) -> dict[str, set[str]]:
    """The forms of sentences by the expressions that problems and notices are given, or that `told` finds in a call;
    none for an unreadable one."""
    told = told or _spoken
    files = sorted(file for place in SPEAKING for file in _files(PACKAGE / place))
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    everywhere = {name: value for tree in trees for name, value in _constants(tree).items()}
    found: dict[str, set[str]] = {}
    for tree in trees:
        reader = Reader(everywhere | _constants(tree), tree)
        for node, function in _calls(tree):
            for value in told(node):
                found.setdefault(ast.unparse(value), set()).update(reader.read(value, function))
    return found


class Reader:
    """Reads which texts an expression can be, as far as the module itself tells."""

    def __init__(self, constants: dict[str, ast.expr], tree: ast.Module) -> None:
        self._constants = constants
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    def read(self, node: ast.expr, function: ast.AST, deep: int = 0) -> set[str]:
        """The forms, each numbered from {0}; none for what comes from elsewhere."""
        return {_numbered(form) for form in self._texts(node, function, deep) if form.strip(VALUE)}

    def _texts(self, node: ast.expr, function: ast.AST, deep: int) -> list[str]:
        if deep > 6:
            return []
        match node:
            case ast.Constant(value=str() as text):
                return [text]
            case ast.JoinedStr() | ast.BinOp(op=ast.Add()):
                parts = [self._texts(part, function, deep + 1) or [VALUE] for part in _parts(node)]
                return ["".join(each) for each in itertools.product(*parts)]
            case ast.FormattedValue(value=ast.Name(id=name)) if name.isupper() and name in self._constants:
                # Words of ours belong to the sentence; a name of one word is a value like any other.
                return [text for text in self._texts(self._constants[name], function, deep + 1) if " " in text]
        return [text for other in self._others(node, function) for text in self._texts(other, function, deep + 1)]

    def _others(self, node: ast.expr, function: ast.AST) -> list[ast.expr]:
        """The expressions an expression stands for."""
        match node:
            case ast.IfExp():
                return [node.body, node.orelse]
            case ast.BoolOp():
                return node.values
            case ast.Dict():
                return node.values
            case ast.Name(id=name):
                return _assigned(function, name) or [self._constants[name] for _ in (0,) if name in self._constants]
            case ast.Subscript():
                return [node.value]
            case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="get")):
                return [table, *node.args[1:]]
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                returns = (each for each in ast.walk(self._functions[name]) if isinstance(each, ast.Return))
                return [each.value for each in returns if each.value is not None]
        return []


def _parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.JoinedStr):
        return node.values
    return [*_parts(node.left), *_parts(node.right)] if isinstance(node, ast.BinOp) else [node]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else list(place.rglob("*.py"))


def _calls(tree: ast.Module) -> list[tuple[ast.Call, ast.AST]]:
    """Each call with the innermost function it is in."""
    found: dict[ast.Call, ast.AST] = {}
    for function in (tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))):
        found |= {node: function for node in ast.walk(function) if isinstance(node, ast.Call)}
    return list(found.items())


def _spoken(call: ast.Call) -> list[ast.expr]:
    """The arguments that an artist reads."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    named = {each.arg: each.value for each in call.keywords}
    if name in PROBLEMS:
        return [*call.args[:2], *(named[word] for word in ("message", "advice") if word in named)]
    if name == "BadInput":
        return [*call.args[:1], *call.args[2:]]
    if name == "Notice":
        return [named[word] for word in ("text", "advice") if word in named]
    if name in PASSING:
        return call.args
    missing = named.get("missing") if name == "replace" else None
    return [] if missing is None or ast.unparse(missing) in ("True", "False") else [missing]


def _labels(call: ast.Call) -> list[ast.expr]:
    """What can be undone, in words."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    return call.args[:1] if name in LABELLED else []


def _assigned(function: ast.AST, name: str) -> list[ast.expr]:
    """What a function gives a name of its own."""
    found: list[ast.expr] = []
    for node in ast.walk(function):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            pairs = [(target, node.value)]  # type: ignore[union-attr]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):  # type: ignore[union-attr]
                pairs = list(zip(target.elts, node.value.elts, strict=True))  # type: ignore[union-attr]
            found += [value for each, value in pairs if isinstance(each, ast.Name) and each.id == name]
    return found


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What a module's own names stand for."""
    return {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _numbered(form: str) -> str:
    places = itertools.count()
    return re.sub(VALUE, lambda _: f"{{{next(places)}}}", form)


def in_settings() -> set[str]:
    words = {word for item in SETTINGS.values() for word in (item.label, item.help, item.section, item.unit)}
    return words - {"", "s", "min"}


def in_styles() -> set[str]:
    styles = tomllib.loads((ROOT / "resources" / "styles" / "styles.toml").read_text(encoding="utf-8"))
    return {style["title"] for style in styles.values()}


def in_recommended() -> set[str]:
    models = tomllib.loads((ROOT / "resources" / "models" / "recommended.toml").read_text(encoding="utf-8"))
    return {model["about"] for model in models.values()}
