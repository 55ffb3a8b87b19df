"""Who enlarges pictures: the library's upscalers by their names, and Lanczos, which needs none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..domain.enlarging import HIRES_STRENGTH, LANCZOS, check_enlarging, hires_size, upscaled_size
from ..domain.errors import BadInput, ModelProblem
from ..domain.families import IMAGE, INPAINT
from ..domain.job import Job
from ..domain.model_card import PICKLE, UPSCALER, ModelCard
from ..domain.request import GenerationRequest, SourceImage, check_size
from .model_library import ModelLibrary


class Enlargers:
    def __init__(self, models: ModelLibrary) -> None:
        self._models = models

    def names(self) -> list[str]:
        """All there are, the one taken when none is named first."""
        return [*(card.name for card in self._models.extras(UPSCALER) if card.format != PICKLE), LANCZOS]

    def named(self, name: str | None) -> str:
        """As the library spells it; the library's first, else Lanczos, for None. Raises BadInput or ModelProblem."""
        if name is None:
            return self.names()[0]
        if name.casefold() == LANCZOS.casefold():
            return LANCZOS
        card = self._card(name)
        return card.name if card.name in self.names() else card.path

    def extras(self, request: GenerationRequest) -> list[dict[str, Any]]:
        """Where the network lies that a request names, as the engine is told; nothing for Lanczos."""
        name = request.upscaler
        if name is None or name == LANCZOS:
            return []
        card = self._card(name)
        return [{"kind": UPSCALER, "name": name, "path": card.path, "format": card.format}]

    def completed(self, request: GenerationRequest) -> GenerationRequest:
        """An upscaling with its size and upscaler filled in."""
        check_enlarging(request)
        assert request.image is not None and request.upscale is not None
        width, height = upscaled_size(request.image.width, request.image.height, request.upscale)
        return replace(
            request,
            width=width,
            height=height,
            seed=request.seed or 0,
            count=1,
            upscaler=self.named(request.upscaler),
            device=None if request.device == "auto" else request.device,
        )

    def with_second_pass(self, request: GenerationRequest, card: ModelCard) -> GenerationRequest:
        """A request with a hires factor, its strength and upscaler filled in; raises BadInput for what cannot be."""
        if (IMAGE if request.mask is None else INPAINT) not in card.traits.tasks:
            raise BadInput("hires factor", request.hires_factor, f"{card.traits.title} does not draw over pictures")
        check_size(*hires_size(request))
        strength = HIRES_STRENGTH if request.hires_strength is None else request.hires_strength
        return replace(request, hires_strength=strength, upscaler=self.named(request.upscaler))

    def _card(self, name: str) -> ModelCard:
        try:
            card = self._models.extra(UPSCALER, name)
        except BadInput as problem:
            raise BadInput("upscaler", name, "one of " + ", ".join(self.names())) from problem
        if card.missing or card.format == PICKLE:
            raise ModelProblem(card.missing or f"{card.name} is a pickle file.", "Convert it to safetensors first.")
        return card


def upscaling(
    image: SourceImage, factor: float, of: GenerationRequest | None = None, upscaler: str = ""
) -> GenerationRequest:
    """The wish for `image` made larger, which keeps the words of the request `of` that made it."""
    words = {} if of is None else {"prompt": of.prompt, "negative_prompt": of.negative_prompt, "seed": of.seed}
    return GenerationRequest(**words, image=image, upscale=factor, upscaler=upscaler or None)  # type: ignore[arg-type]


def parents(job: Job) -> tuple[str, ...]:
    """The library's pictures that an image of this job comes from."""
    request = job.request
    if request.branch is not None:
        return (request.branch.image,)
    return (request.image.origin,) if request.image is not None and request.image.origin else ()
