"""What a request adds to its model — LoRAs, embeddings, ControlNets, IP-Adapters … — by the names of the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..domain.additions import word_pattern
from ..domain.errors import BadInput, ModelProblem
from ..domain.families import FAMILIES
from ..domain.model_card import (
    CONTROLNET,
    EMBEDDING,
    FOLDER,
    IMAGE_ENCODER,
    IP_ADAPTER,
    LORA,
    PICKLE,
    SAFETENSORS,
    VAE,
    ModelCard,
)
from ..domain.prompt_meaning import lora_tags
from ..domain.request import GenerationRequest, LoraWeight
from . import estimators, image_encoders
from .model_library import ModelLibrary
from .needed import said

_TITLES = {LORA: "LoRA", EMBEDDING: "embedding", CONTROLNET: "ControlNet", VAE: "VAE", IP_ADAPTER: "IP-Adapter"}


class Additions:
    """Looks names up; what it hands on is spelled as the library spells it."""

    def __init__(self, models: ModelLibrary) -> None:
        self._models = models

    def named(self, request: GenerationRequest, model: ModelCard) -> GenerationRequest:
        """The request with the LoRAs of its prompt's tags and the words that embeddings stand for, every name known.
        Raises BadInput or ModelProblem for one that is not there, or was made for another family than `model`."""
        request = with_tags_read(request)
        estimators.check(self._models, request)
        said = "\n".join((request.full_prompt, request.full_negative_prompt, *request.prompts))
        words = [card for card in self._embeddings(model) if word_pattern(card.name).search(said)]
        return replace(
            request,
            loras=tuple(replace(lora, name=self._name(LORA, lora.name, model)) for lora in request.loras),
            embeddings=tuple(self._name(EMBEDDING, card.name, model) for card in words),
            vae=self._name(VAE, request.vae, model) if request.vae else None,
            controls=tuple(
                replace(control, model=self._name(CONTROLNET, control.model, model)) for control in request.controls
            ),
            image_prompts=tuple(
                replace(each, model=self._name(IP_ADAPTER, each.model, model)) for each in request.image_prompts
            ),
        )

    def extras(self, request: GenerationRequest) -> list[dict[str, Any]]:
        """Where all that the request names lies, and all that those it branches from name, as the engine is told."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for kind, name in _names(request):
            card = self._models.extra(kind, name)
            found[kind, name] = {"kind": kind, "name": name, "path": card.path, "format": card.format}
            if kind == IP_ADAPTER and card.kit:
                form = FOLDER if Path(card.kit).is_dir() else SAFETENSORS
                found[IMAGE_ENCODER, name] = {"kind": IMAGE_ENCODER, "name": name, "path": card.kit, "format": form}
        return [*estimators.extras(self._models, request), *found.values()]

    def _embeddings(self, model: ModelCard) -> list[ModelCard]:
        return self._models.extras(EMBEDDING) if takes(model.family, EMBEDDING) else []

    def _name(self, kind: str, name: str, model: ModelCard) -> str:
        """As the library spells it; the path of what lies elsewhere."""
        if not takes(model.family, kind):
            raise BadInput(_TITLES[kind], name, f"{model.traits.title} takes none")
        card = self._models.extra(kind, name)
        if card.missing:
            raise ModelProblem(card.missing, _remedy(card, self._models.own))
        if card.format == PICKLE:
            raise ModelProblem(f"{card.name} is a pickle file.", "Convert it to safetensors first.")
        if not fits(card, model):
            made_for = FAMILIES[card.family].title
            raise BadInput(_TITLES[kind], name, f"it was made for {made_for}; this model is {model.traits.title}")
        known = any(each.name == card.name for each in self._models.extras(kind))
        return card.name if known else card.path


def with_tags_read(request: GenerationRequest) -> GenerationRequest:
    """The request without `<lora:name:weight>` in its words; what is named twice acts with both weights together."""
    prompt, tagged = lora_tags(request.prompt) if "<" in request.prompt else (request.prompt, ())
    style, styled = lora_tags(request.style_prompt) if "<" in request.style_prompt else (request.style_prompt, ())
    loras: dict[str, LoraWeight] = {}
    for lora in (*request.loras, *tagged, *styled):
        known = loras.get(lora.name.casefold())
        loras[lora.name.casefold()] = lora if known is None else replace(known, weight=known.weight + lora.weight)
    return replace(request, prompt=prompt, style_prompt=style, loras=tuple(loras.values()))


def adds(request: GenerationRequest) -> bool:
    """Whether there is anything but plain words to look up."""
    named = request.loras or request.vae or request.controls or request.image_prompts
    return bool(named or "<" in request.prompt or "<" in request.style_prompt)


def fits(card: ModelCard, model: ModelCard) -> bool:
    """Whether it was made for that family, as far as its file tells."""
    return card.family not in FAMILIES or _base(card.family) == _base(model.family)


def takes(family: str, kind: str) -> bool:
    """Whether models of that family can be given one."""
    return kind in FAMILIES[family].additions


def _remedy(card: ModelCard, own: Path) -> str:
    """How to come by what an IP-Adapter lacks; `own` is the home's folder of models."""
    encoders = image_encoders.missing(card)
    if not encoders:
        return f"Put it beside {card.name} or into {own}, and try again."
    return (
        f"Fetch {said(encoders)} once: `imagegen-desktop models download {encoders[0].id}`, or beside the picture of "
        f"the IP-Adapter; or put it into {own}."
    )


def _base(family: str) -> str:
    """FLUX.1's editions have the same layers."""
    return family.split("-", maxsplit=1)[0]


def _names(request: GenerationRequest | None) -> Iterator[tuple[str, str]]:
    while request is not None:
        for lora in request.loras:
            yield LORA, lora.name
        for word in request.embeddings:
            yield EMBEDDING, word
        for control in request.controls:
            yield CONTROLNET, control.model
        for each in request.image_prompts:
            yield IP_ADAPTER, each.model
        if request.vae:
            yield VAE, request.vae
        request = request.branch.request if request.branch else None
