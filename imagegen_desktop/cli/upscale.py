"""`upscale`: a picture made larger, by a network of the library or by Lanczos; it also lands in the library."""

from __future__ import annotations

import argparse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..domain.errors import BadInput, NotFound
from ..domain.request import GenerationRequest
from ..services.assemble import Parts
from ..services.enlarging import upscaling
from ..services.exchange import settings_of
from . import session
from .generate import Target, draw


def upscale(options: argparse.Namespace) -> int:
    """Enlarges now; prints the path of the picture, or one JSON object a line."""
    target = Target(options.output, options.overwrite, 1)
    with session.parts() as parts:
        made, origin = _history(parts, options.file)
        wish = upscaling(parts.sources.keep(options.file, origin=origin), options.factor, made)
        wish = replace(wish, upscaler=options.upscaler, device=options.device)
        job = parts.queue.add(wish, owner=parts.runner.owner)
        return draw(parts, job, options.json, {job.id: target})


def _history(parts: Parts, file: Path) -> tuple[GenerationRequest | None, str]:
    """What made one of our own pictures, and its ID where it is in the library; nothing for any other file."""
    with suppress(NotFound, BadInput):
        recipe = settings_of(file).recipe
        if recipe is not None:
            with suppress(NotFound):
                return recipe.request, parts.gallery.get(recipe.image).id
            return recipe.request, ""
    return None, ""
