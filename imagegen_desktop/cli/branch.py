"""`branch`: goes back to a step of a finished picture and on from there with other words; `decode-again`
only decodes it once more."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..domain.errors import BadInput
from ..domain.request import BRANCH_CHANGES, BranchPoint
from ..services.decoding import decoding
from . import added, session
from .generate import Target, draw, given


def branch(options: argparse.Namespace) -> int:
    """Draws the branch now; it is recorded as the child of the picture it left."""
    changes = given(options)
    changes |= {name: [each.model for each in several] for name, several in added.pictured(options).items()}
    unfit = changes.keys() - BRANCH_CHANGES - {"priority", "use_cache", "device"}
    if unfit:
        field = min(unfit)
        raise BadInput(field, changes[field], "to stay as it was; a branch changes words, style and guidance")
    target = Target(options.output, options.overwrite, 1)
    with session.parts() as parts:
        image = parts.gallery.get(options.id)
        parent = image.request
        if options.step >= (parent.steps or 0):
            raise BadInput("step", options.step, f"1 to {(parent.steps or 1) - 1}, before the picture was finished")
        point = BranchPoint(step=options.step, image=image.id, request=parent)
        job = parts.queue.add(replace(parent, **changes, branch=point), owner=parts.runner.owner)
        return draw(parts, job, options.json, {job.id: target})


def decode_again(options: argparse.Namespace) -> int:
    """Makes the picture from its latents now, with another autoencoder or the model's own."""
    target = Target(options.output, options.overwrite, 1)
    with session.parts() as parts:
        wish = decoding(parts.gallery.get(options.id), options.vae)
        job = parts.queue.add(replace(wish, device=options.device), owner=parts.runner.owner)
        return draw(parts, job, options.json, {job.id: target})
