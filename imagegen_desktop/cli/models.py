"""`models …`: what there is, what a file is, adding, checking, removing and converting."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem, NotFound
from ..domain.model_card import ModelCard
from ..services.model_files import BROKEN, CHANGED, ModelFiles
from . import output, session


def list_all(options: argparse.Namespace) -> int:
    """Models and extras, also those of which something is missing and those that cannot be opened."""
    with session.parts() as parts:
        rows = [_row(card) for card in parts.models.everything()]
        rows += [_broken_row(name, problem) for name, problem in parts.models.broken().items()]
    wanted = (options.filter or "").casefold()
    rows = [
        row
        for row in rows
        if (not options.kind or row["kind"] == options.kind)
        and wanted in f"{row['name']} {row['title']} {row['family']} {row['kind']}".casefold()
    ]
    output.print_listing(rows, ("name", "kind", "family", "format", "size", "problem"), options.json)
    return 0


def add(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        return _print(parts.models.add(options.path), options.json)


def inspect(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        card = parts.models.opened(options.path)
        return _print(card, options.json, about=card.about)


def verify(options: argparse.Namespace) -> int:
    """Every byte against its recorded checksum; 1 when something changed or is broken."""
    with session.parts() as parts:
        verdicts = ModelFiles(parts.models).verify(options.name or "")
    columns = ("name", "state", "same_as", "detail")
    output.print_listing([vars(verdict) for verdict in verdicts], columns, options.json)
    return 1 if any(verdict.state in (BROKEN, CHANGED) for verdict in verdicts) else 0


def remove(options: argparse.Namespace) -> int:
    """Into the bin; raises NotFound."""
    with session.parts() as parts:
        card = next((card for card in parts.models.everything() if card.name == options.name), None)
        if card is not None:
            parts.model_bin.remove(card)
        elif options.name in parts.models.broken():
            parts.model_bin.remove_broken(options.name)
        else:
            known = ", ".join(card.name for card in parts.models.everything())
            raise NotFound(f"There is no model called {options.name}.", f"Known are {known}.")
    if options.json:
        output.print_json({"name": options.name, "removed": True})
    else:
        output.say(f"{options.name} is in the bin")
    return 0


def convert(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        made = [str(path) for path in ModelFiles(parts.models).convert(options.path)]
        if options.json:
            output.print_json([_row(parts.models.opened(Path(path))) for path in made])
        else:
            output.say("\n".join(made))
    return 0


def _print(card: ModelCard, as_json: bool, **more: str) -> int:
    row = _row(card) | more
    if as_json:
        output.print_json(row)
    else:
        for name, value in row.items():
            if value not in ("", [], 0, 0.0, False):
                text = ", ".join(value) if isinstance(value, list) else str(value)
                output.say(f"{name:10} {text.replace(chr(10), chr(10) + ' ' * 11)}")
    return 0


def _row(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "kind": card.kind,
        "family": card.family,
        "variants": list(card.variants),
        "format": card.format,
        "path": card.path,
        "size": card.size_bytes,
        "width": card.width,
        "height": card.height,
        "steps": card.steps,
        "guidance": card.guidance,
        "sampler": card.sampler,
        "rank": card.rank,
        "triggers": list(card.triggers),
        "licence": card.licence,
        "kit": card.kit,
        "problem": card.missing,
        "built_in": card.built_in,
    }


def _broken_row(name: str, problem: ModelProblem) -> dict[str, Any]:
    empty = {"title": "", "family": "", "variants": [], "format": "", "path": "", "size": 0}
    return {"name": name, "kind": "broken", **empty, "problem": problem.message}
