"""Decoding again: from the latents of a finished picture another one, with another autoencoder."""

from __future__ import annotations

from dataclasses import replace

from ..domain.errors import BadInput
from ..domain.image import GeneratedImage
from ..domain.model_card import PICKLE, VAE
from ..domain.request import LAST_STEP, BranchPoint, GenerationRequest
from .model_library import ModelLibrary


def decoding(image: GeneratedImage, vae: str | None = None) -> GenerationRequest:
    """The wish for that picture decoded by that autoencoder of the library, by the model's own for None. Where its
    latents were not kept they are drawn again. Raises BadInput for a picture that has none."""
    request = image.request
    if request.provider != "local" or request.upscale is not None:
        allowed = "only one that was drawn on this computer, and not only enlarged, can be decoded again"
        raise BadInput("picture", image.id, allowed)
    point = BranchPoint(step=LAST_STEP, image=image.id, request=request)
    return replace(request, vae=vae, count=1, until=None, branch=point)


def autoencoders(models: ModelLibrary) -> list[str]:
    """Those of the library beside the models' own, by name."""
    return [card.name for card in models.extras(VAE) if card.format != PICKLE and not card.missing]
