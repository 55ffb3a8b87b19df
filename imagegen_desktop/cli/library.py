"""`inspect`, `styles`, `models` and `settings`: what there is to choose from."""

from __future__ import annotations

import argparse
from typing import Any

from ..domain.model_card import ModelCard
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
        if value not in (None, "", [], {}):
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


def list_models(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        rows = [_model_row(card) for card in parts.models.all()]
    output.print_listing(rows, ("name", "family", "width", "height", "path"), options.json)
    return 0


def add_model(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        return _print_model(parts.models.add(options.path), options)


def inspect_model(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        return _print_model(parts.models.opened(options.path), options)


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


def _print_model(card: ModelCard, options: argparse.Namespace) -> int:
    row = _model_row(card)
    if options.json:
        output.print_json(row)
    else:
        for name, value in row.items():
            output.say(f"{name:10} {value}")
    return 0


def _model_row(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "family": card.family,
        "path": card.path,
        "size": card.size_bytes,
        "width": card.width,
        "height": card.height,
        "steps": card.steps,
        "guidance": card.guidance,
        "sampler": card.sampler,
        "licence": card.licence,
        "built_in": card.built_in,
    }
