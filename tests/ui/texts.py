"""Every text of the window that an artist can read: what `tr` is called with, and what is declared elsewhere."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from imagegen_desktop.settings import SETTINGS

ROOT = Path(__file__).parent.parent.parent
#: Texts that reach `tr` through a variable.
ELSEWHERE = (
    "This computer",
    "this session only",
    "the file locked with a passphrase",
    "the system's Secret Service",
    "the system's keyring (libsecret)",
    "the macOS keychain",
    "the Windows credential store",
    "There is no key for a language model: these are the built-in rules.",
    "The built-in rules speak English and German only; the text is left as it is.",
)


def all_texts() -> set[str]:
    return {*in_code(), *in_settings(), *in_styles(), *ELSEWHERE}


def in_code() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "imagegen_desktop" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tr":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found


def in_settings() -> set[str]:
    words = {word for item in SETTINGS.values() for word in (item.label, item.help, item.section, item.unit)}
    return words - {"", "s", "min"}


def in_styles() -> set[str]:
    styles = tomllib.loads((ROOT / "resources" / "styles" / "styles.toml").read_text(encoding="utf-8"))
    return {style["title"] for style in styles.values()}
