"""`inspect`, `styles` and `settings`: what there is to choose from."""

from __future__ import annotations

import argparse

from ..services.exchange import settings_of
from ..settings import SETTINGS
from . import output, session


def inspect(options: argparse.Namespace) -> int:
    """The settings found in an image of ours or of another program."""
    found = settings_of(options.file).to_dict()
    if options.json:
        output.print_json(found)
        return 0
    output.say(f"{'source':16} {found['source']}")
    for name, value in found["request"].items():
        if value not in (None, "", (), [], {}):
            output.say(f"{name:16} {value}")
    for name in ("approximated", "missing", "ignored"):
        if found[name]:
            output.say(f"{name:16} {found[name]}")
    return 0


def list_styles(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        rows = [
            {
                "name": style.name,
                "title": style.title,
                "prompt": style.prompt,
                "negative_prompt": style.negative_prompt,
                "guidance": style.guidance,
                "steps": style.steps,
                "built_in": style.built_in,
            }
            for style in parts.styles.all()
        ]
    output.print_listing(rows, ("name", "guidance", "steps", "prompt"), options.json)
    return 0


def list_settings(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        values = parts.settings.all()
    rows = [{"name": name, "value": values[name], "help": SETTINGS[name].help} for name in SETTINGS]
    output.print_listing(rows, ("name", "value", "help"), options.json)
    return 0


def get_setting(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        return _print_value(parts.settings.get(options.name), options)


def set_setting(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        parts.settings.set(options.name, options.value)
        return _print_value(parts.settings.get(options.name), options)


def _print_value(value: object, options: argparse.Namespace) -> int:
    if options.json:
        output.print_json({"name": options.name, "value": value})
    else:
        output.say(str(value))
    return 0
