"""Completing a request: the model's own numbers, the style's words, a seed; nothing left open but the device."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..domain import cloud_model
from ..domain.checks import check_whole
from ..domain.cloud_model import Fitted
from ..domain.errors import BadInput, ModelProblem
from ..domain.families import MODEL_DEFAULT_SAMPLER, check_sampler, check_task
from ..domain.model_card import EMBEDDING, ModelCard
from ..domain.prompt_meaning import plain_text
from ..domain.request import MAX_SEED, GenerationRequest, check_size, check_words, validate
from ..domain.style import StylePreset
from ..domain.variations import copied, shared
from ..domain.wildcards import Tables, has_wildcards, resolve, unknown_names
from ..providers.base import Provider
from .additions import Additions, adds, with_tags_read
from .enlarging import Enlargers
from .model_library import ModelLibrary
from .styles import Styles

DEFAULT_STRENGTH = 0.6

_LEFT_OUT = "weights in the prompt are left out: this model reads plain text"


class Composer:
    """Turns what an artist said into what the queue stores."""

    def __init__(
        self,
        models: ModelLibrary,
        styles: Styles,
        providers: Mapping[str, Provider],
        wildcards: Callable[[], Tables] = dict,
    ) -> None:
        self._models = models
        self._styles = styles
        self._providers = providers
        self._wildcards = wildcards
        self._additions = Additions(models)
        self._enlargers = Enlargers(models)

    def complete(self, request: GenerationRequest) -> GenerationRequest:
        """The request with every None filled in; raises BadInput or ModelProblem naming what is wrong."""
        return self.complete_all([request])[0]

    def complete_all(self, requests: Iterable[GenerationRequest]) -> list[GenerationRequest]:
        """`complete` of each; what one shares with the one before is looked up and checked once."""
        completed: list[GenerationRequest] = []
        before: dict[str, Any] = {}
        wordy = bool(self._models.extras(EMBEDDING))
        for request in requests:
            rest = shared(request)
            if rest != before or request.variation_strength:  # each has a variation seed of its own
                whole, before = self._complete_but_words(request), rest
                if request.hires_factor is not None:
                    whole = self._enlargers.with_second_pass(whole, self.model(whole.model))
            check_words(request)
            words = {"prompt": request.prompt, "negative_prompt": request.negative_prompt}
            if request.upscale is not None:
                completed.append(whole)
                continue
            one = copied(whole, words | {"seed": self._seed(request)})
            if one.prompts or one.negative_prompts or has_wildcards(one.prompt + one.negative_prompt):
                one = self._with_words(one)
            if wordy or adds(one):
                one = self._with_additions(one)
            completed.append(validate(one) if one.branch else one)
        return completed

    def _complete_but_words(self, request: GenerationRequest) -> GenerationRequest:
        """What does not depend on its words and seed is completed."""
        if request.provider not in self._providers:
            raise BadInput("provider", request.provider, "one of " + ", ".join(self._providers))
        validate(request)
        if not self._providers[request.provider].capabilities().local:
            return self._complete_for_cloud(request)
        if request.upscale is not None:
            return validate(self._enlargers.completed(request))
        for name in ("quality", "background"):
            if getattr(request, name) is not None:
                raise BadInput(name, getattr(request, name), "only models behind a provider have that choice")
        card = self.model(request.model)
        style = self._styles.get(request.style)
        numbers = defaults(card, style)
        check_task(request.task, card.traits)
        width, height = self._size(request, card)
        if request.tiling is not None and not card.traits.weights:
            raise BadInput("tiling", request.tiling, f"not with {card.traits.title}, only with Stable Diffusion and XL")
        varies = bool(request.variation_strength) and request.variation_seed is None
        return validate(
            replace(
                request,
                model=card.name if self._models.knows(card.name) else card.path,
                style=style.name,
                style_prompt="" if style.prompt == "{prompt}" else style.prompt,
                style_negative=style.negative_prompt,
                width=width,
                height=height,
                steps=int(numbers["steps"]) if request.steps is None else request.steps,
                guidance=numbers["guidance"] if request.guidance is None else request.guidance,
                sampler=self._sampler(request.sampler, card),
                strength=self._strength(request, card),
                variation_seed=secrets.randbits(31) if varies else request.variation_seed,
                device=None if request.device == "auto" else request.device,
            )
        )

    def _with_words(self, request: GenerationRequest) -> GenerationRequest:
        """What the wildcards become for each image's seed; a provider elsewhere draws all images from one text."""
        tables = self._wildcards() if "__" in request.prompt + request.negative_prompt else {}
        if self._providers[request.provider].capabilities().local:
            seeds = [request.seed_of(index) for index in range(request.count)]
        else:
            seeds = [secrets.randbits(32) if request.seed is None else request.seed] * request.count
        found: dict[str, Any] = {}
        for name, text in (("prompts", request.prompt), ("negative_prompts", request.negative_prompt)):
            texts = resolve(text, seeds, tables, salt=name)
            found[name] = tuple(texts) if set(texts) != {text} else ()
        return validate(replace(request, **found))

    def _with_additions(self, request: GenerationRequest) -> GenerationRequest:
        """LoRAs and the like looked up; a provider elsewhere is told at least no tags."""
        if not self._providers[request.provider].capabilities().local:
            return with_tags_read(request)
        return validate(self._additions.named(request, self.model(request.model)))

    def check_names(self, request: GenerationRequest) -> None:
        """Raises BadInput for a provider, style or model that is not there."""
        if request.provider not in self._providers:
            raise BadInput("provider", request.provider, "one of " + ", ".join(self._providers))
        self._styles.get(request.style)
        capabilities = self._providers[request.provider].capabilities()
        if not capabilities.local:
            capabilities.model(request.model)
        elif request.model:
            self._models.get(request.model)

    def fitted(self, request: GenerationRequest) -> Fitted:
        """A completed request as it will be carried out, with a note for everything that has to be changed."""
        capabilities = self._providers[request.provider].capabilities()
        if capabilities.local:
            if request.upscale is not None:
                return Fitted(request=request, notes=())
            return Fitted(request=request, notes=(*self._unread(request), *self._unknown_words(request)))
        return self._in_plain_words(cloud_model.fit(capabilities.model(request.model), request))

    def _in_plain_words(self, fitted: Fitted) -> Fitted:
        """Providers' models read prose: weights and the like are not for them."""
        request = fitted.request
        changed: dict[str, Any] = {}
        for name in ("prompt", "negative_prompt"):
            texts = getattr(request, f"{name}s") or (getattr(request, name),) * request.count
            plain = tuple(map(plain_text, texts))
            if plain != texts:
                changed[f"{name}s"] = plain
        notes = (*fitted.notes, *self._unread(request), *((_LEFT_OUT,) if changed else ()))
        return Fitted(request=replace(request, **changed), notes=notes)

    def _unread(self, request: GenerationRequest) -> tuple[str, ...]:
        """Quiet lines for what of the words will not be understood."""
        text = "\n".join((request.prompt, request.negative_prompt))
        tables = self._wildcards() if "__" in text else {}
        notes = [f"no wildcard file is called {name}: it stays as it is" for name in unknown_names(text, tables)]
        if self._providers[request.provider].capabilities().local and not self.model(request.model).traits.weights:
            said = (*request.prompts, *request.negative_prompts) or (request.prompt, request.negative_prompt)
            notes += [_LEFT_OUT] * any(plain_text(each) != each for each in said)
        return tuple(notes)

    def _unknown_words(self, request: GenerationRequest) -> tuple[str, ...]:
        """A quiet line for a model that knows only a few words, when it knows none of these."""
        card = self.model(request.model)
        words = set(re.findall(r"\w+", request.prompt.casefold()))
        if not card.vocabulary or not words or words & card.vocabulary:
            return ()
        return (f"{card.title} knows none of these words; it draws {_some(card)}. Models… has room for a real one.",)

    def _complete_for_cloud(self, request: GenerationRequest) -> GenerationRequest:
        """The provider's own model and its numbers; a size it does not have stays as it was asked for."""
        if request.upscale is not None or request.hires_factor is not None:
            raise BadInput("provider", request.provider, "pictures are enlarged on this computer only")
        model = self._providers[request.provider].capabilities().model(request.model)
        style = self._styles.get(request.style)
        styled = replace(
            request,
            style=style.name,
            style_prompt="" if style.prompt == "{prompt}" else style.prompt,
            style_negative=style.negative_prompt,
            device=None,
        )
        return validate(cloud_model.complete(model, styled))

    def model(self, name: str | None) -> ModelCard:
        """The card of a model by name or folder; the default one for None."""
        if name:
            return self._models.get(name)
        default = self._models.default()
        if default is None:
            raise ModelProblem(
                "There is no model yet.", "Add one: drop a model folder on the window, or `models add PATH`."
            )
        return default

    def _seed(self, request: GenerationRequest) -> int | None:
        """The one asked for, else one by chance; None for a model that knows none."""
        if request.seed is not None:
            return check_whole("seed", request.seed, 0, MAX_SEED)
        capabilities = self._providers[request.provider].capabilities()
        takes_seeds = capabilities.local or capabilities.model(request.model).seeds
        return secrets.randbits(31) if takes_seeds else None  # as many bits as every provider takes

    def _size(self, request: GenerationRequest, card: ModelCard) -> tuple[int, int]:
        """What was asked for; for an image job with no size the image's own, rounded down to what fits."""
        multiple = card.traits.size_multiple
        if request.image is not None and request.width is None and request.height is None:
            return _fitted(request.image.width, request.image.height, card, multiple)
        width = card.width if request.width is None else request.width
        height = card.height if request.height is None else request.height
        check_size(width, height, multiple)
        return width, height

    def _sampler(self, name: str | None, card: ModelCard) -> str:
        wanted = check_sampler(name, card.traits) if name else MODEL_DEFAULT_SAMPLER
        return card.sampler if wanted == MODEL_DEFAULT_SAMPLER and card.sampler else wanted

    def _strength(self, request: GenerationRequest, card: ModelCard) -> float | None:
        if card.traits.image_is_reference and request.mask is None:
            return None
        if request.image is None or request.strength is not None:
            return request.strength
        return 1.0 if request.mask is not None else DEFAULT_STRENGTH


def _some(card: ModelCard) -> str:
    return "things like " + " or ".join(f"“{example}”" for example in card.examples[:2])


#: Distilled models (Turbo, Lightning, LCM) are guided less, and ruined by the numbers of a style.
_GUIDED = 2.0


def defaults(card: ModelCard, style: StylePreset) -> dict[str, int | float]:
    """Width, height, steps and guidance a new picture starts with for this model in this style."""
    numbers: dict[str, int | float] = {
        "width": card.width,
        "height": card.height,
        "steps": card.steps,
        "guidance": card.guidance,
    }
    if not card.traits.keeps_own_numbers and card.guidance >= _GUIDED:
        if style.steps is not None:
            numbers["steps"] = style.steps
        if style.guidance is not None:
            numbers["guidance"] = style.guidance
    return numbers


def _fitted(width: int, height: int, card: ModelCard, multiple: int) -> tuple[int, int]:
    """The image's proportions at about as many pixels as the model draws best."""
    scale = min(1.0, (card.width * card.height / (width * height)) ** 0.5)
    sides = [max(multiple, round(side * scale / multiple) * multiple) for side in (width, height)]
    return sides[0], sides[1]
