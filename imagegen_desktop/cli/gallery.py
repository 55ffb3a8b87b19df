"""`gallery …`: the finished pictures."""

from __future__ import annotations

import argparse

from ..services.assemble import Parts
from . import output, session

_COLUMNS = ("id", "created", "width", "height", "seed", "model", "prompt")


def list_images(options: argparse.Namespace) -> int:
    return _print(options, "")


def search(options: argparse.Namespace) -> int:
    return _print(options, options.query)


def show(options: argparse.Namespace) -> int:
    """One picture with everything that was asked for."""
    with session.parts() as parts:
        image = parts.gallery.get(options.id)
        row = output.image_row(image, parts.gallery.file(image)) | {"request": image.request.to_dict()}
        row |= {"cost": image.cost, "notes": list(parts.gallery.notes(image))}
    if options.json:
        output.print_json(row)
        return 0
    for name, value in row.items():
        if name != "request":
            output.say(f"{name:16} {value}")
    return 0


def delete(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        parts.gallery.delete(options.ids)
        return _say_ids(options, parts)


def restore(options: argparse.Namespace) -> int:
    with session.parts() as parts:
        parts.gallery.restore(options.ids)
        return _say_ids(options, parts)


def _print(options: argparse.Namespace, query: str) -> int:
    with session.parts() as parts:
        images = parts.gallery.page(limit=options.limit, query=query)
        rows = [output.image_row(image, parts.gallery.file(image)) for image in images]
    output.print_listing(rows, _COLUMNS, options.json)
    return 0


def _say_ids(options: argparse.Namespace, parts: Parts) -> int:
    rows = [output.image_row(image, parts.gallery.file(image)) for image in map(parts.gallery.get, options.ids)]
    output.print_listing(rows, ("id", "prompt"), options.json)
    return 0
