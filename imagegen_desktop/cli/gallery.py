"""`gallery …`: the finished pictures."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial

from ..services.assemble import Parts
from ..services.reconcile import Fault, Found, Reconciled
from . import output, session

_COLUMNS = ("id", "created", "width", "height", "seed", "model", "prompt")

_REBUILD = "gallery rebuild"
#: What is wrong, and what mends it.
_FAULTS = {
    None: ("is gone", f"Put it back; anywhere below images, {_REBUILD} finds it."),
    Found.NEW: ("is not in the library", f"{_REBUILD} takes it in."),
    Found.MOVED: ("lies elsewhere in the library", f"{_REBUILD} notes where it is."),
    Found.OUTDATED: ("is whole, but the library says otherwise", f"{_REBUILD} believes the file."),
    Found.DAMAGED: ("is damaged", "Put a copy in its place; its settings are kept."),
    Found.SECOND: ("is a second file of a picture", "It may go."),
    Found.STRANGER: ("is no picture of this program", "It does not belong here."),
}


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


def rebuild(options: argparse.Namespace) -> int:
    """Reads all image files into the library anew."""
    bar = output.ProgressBar()
    with session.parts() as parts, session.pausing_when_interrupted(parts, lambda: None) as asked:
        found = parts.housekeeping.rebuild(partial(bar.show, "Reading pictures"), asked.is_set)
        bar.clear()
        _say_rebuilt(found, parts.gallery.count(), options.json)
    if not found.complete:
        return 130
    return 1 if found.damaged else 0


def _say_rebuilt(found: Reconciled, pictures: int, as_json: bool) -> None:
    if as_json:
        output.print_json({"pictures": pictures, **asdict(found)})
        return
    named = ("missing", "damaged", "strangers")
    for name in named:
        for path in getattr(found, name):
            output.say(f"{name:10} {path}")
    counts = (f"{len(getattr(found, name))} {name}" for name in ("adopted", "moved", "corrected", *named))
    output.say(f"{found.files} files read, {pictures} pictures in the library: {', '.join(counts)}")
    if not found.complete:
        output.warn("imagegen-desktop: Interrupted; what was read by then is kept, and the same call does the rest.")


def verify(options: argparse.Namespace) -> int:
    """Compares rows and files, one line for each that do not match; 1 when a picture is broken or lost."""
    bar = output.ProgressBar()
    rows = []
    with session.parts() as parts, session.pausing_when_interrupted(parts, lambda: None) as asked:
        for fault in parts.housekeeping.verify(partial(bar.show, "Comparing pictures"), asked.is_set):
            rows.append(_fault_row(fault, parts))
            if not options.json:
                bar.clear()
                _say_fault(rows[-1])
        bar.clear()
        if options.json:
            output.print_json(rows)
        elif not rows and not asked.is_set():
            output.say(f"{parts.gallery.count()} pictures, each with its whole file")
        interrupted = asked.is_set()
    if interrupted:
        return 130
    return 1 if any(row["state"] == "broken" for row in rows) else 0


def _fault_row(fault: Fault, parts: Parts) -> dict[str, str]:
    problem, remedy = _FAULTS[fault.found]
    state = "broken" if fault.broken else "warning"
    path = str(parts.home.root / fault.path)
    return {"state": state, "path": path, "id": fault.image, "problem": problem, "remedy": remedy}


def _say_fault(row: dict[str, str]) -> None:
    mark = "✗" if row["state"] == "broken" else "!"
    of = f" ({row['id']})" if row["id"] else ""
    output.say(f"{mark} {row['path']}{of} {row['problem']}. {row['remedy']}")


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
