"""`keys set|test|remove NAME`: API keys in the system's keyring. A key is typed or piped in, never an argument."""

from __future__ import annotations

import argparse
import getpass
import os
import sys

from ..credentials import PASSPHRASE_VARIABLE, VARIABLES, KeyProblem
from ..domain.errors import BadInput, NotFound
from . import output, session


def set_key(options: argparse.Namespace) -> int:
    """Reads a key from the terminal, unseen, or from stdin, and keeps it."""
    _known(options.name)
    with session.parts() as parts:
        if options.file and sys.stdin.isatty() and not os.environ.get(PASSPHRASE_VARIABLE):
            parts.keys.ask_passphrase = _new_passphrase
        if not options.file and parts.keys.is_forgetful:
            raise KeyProblem(
                "There is no system keyring here, so the key would be forgotten at the end of this call.",
                f"Set {VARIABLES[options.name]} for a run, or lock it in a file: `keys set {options.name} --file`.",
            )
        where = parts.desk.set_key(options.name, _typed(f"{options.name} key: "), in_file=options.file)
    return _say(options, {"name": options.name, "where": where}, f"kept in {where}")


def test_key(options: argparse.Namespace) -> int:
    """Asks the provider whether it takes the key; costs nothing."""
    _known(options.name)
    with session.parts() as parts:
        if not parts.keys.where(options.name):
            raise NotFound(f"There is no key for {options.name}.", f"Enter one: `keys set {options.name}`.")
        answer = parts.desk.check(options.name)
    return _say(options, {"name": options.name, "works": True, "answer": answer}, answer)


def remove_key(options: argparse.Namespace) -> int:
    _known(options.name)
    with session.parts() as parts:
        if not parts.desk.remove_key(options.name):
            raise NotFound(f"There is no key for {options.name}.")
    return _say(options, {"name": options.name, "removed": True}, "removed")


def _new_passphrase() -> str:
    first = getpass.getpass("Passphrase for the file with your keys: ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("passphrase", "the second one", "the same twice")
    return first


def _typed(question: str) -> str:
    return getpass.getpass(question) if sys.stdin.isatty() else sys.stdin.readline()


def _known(name: str) -> None:
    if name not in VARIABLES:
        raise BadInput("key", name, "one of " + ", ".join(VARIABLES))


def _say(options: argparse.Namespace, row: dict[str, object], text: str) -> int:
    if options.json:
        output.print_json(row)
    else:
        output.say(text)
    return 0
