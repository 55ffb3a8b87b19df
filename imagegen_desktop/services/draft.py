"""The draft: the picture the artist starts from and the mask painted on it, kept until they are put away."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..database.connection import Library
from ..database.facts import get_fact, set_fact
from ..domain.errors import BadInput
from ..domain.outpainting import Sides
from ..domain.request import GenerationRequest, SourceImage
from .announce import Announcer, DraftChanged
from .sources import Sources
from .undo import Act, Deed, Undo

_FACT = "draft"


@dataclass(frozen=True, kw_only=True)
class DraftPicture:
    """`extended`: it was made larger on the canvas, and its job is to have exactly its size."""

    image: SourceImage | None = None
    mask: SourceImage | None = None
    extended: bool = False

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> DraftPicture:
        pictures = {name: SourceImage(**data[name]) if data[name] else None for name in ("image", "mask")}
        return DraftPicture(**pictures, extended=bool(data["extended"]))


class Draft:
    """Every change can be undone, also after a restart; only undoing and redoing are announced."""

    def __init__(self, library: Library, sources: Sources, undo: Undo, announce: Announcer) -> None:
        self._library = library
        self._sources = sources
        self._undo = undo
        self._announce = announce
        undo.register("draft", self._put)

    def now(self) -> DraftPicture:
        text = get_fact(self._library, _FACT)
        return DraftPicture.from_dict(json.loads(text)) if text else DraftPicture()

    def start_from(self, image: SourceImage | None) -> DraftPicture:
        """Another picture, without a mask; None puts the one there is away."""
        label = "Start from a picture" if image is not None else "Put the picture away"
        return self._change(label, lambda draft: DraftPicture(image=image))

    def paint(self, label: str, png: bytes, on: SourceImage) -> DraftPicture:
        """The mask after a stroke on the picture `on`, as a PNG of its size; empty when nothing is painted."""
        mask = self._sources.keep_png(png, on.width, on.height, "mask") if png else None
        return self._change(label, lambda draft: replace(draft, mask=mask) if draft.image == on else draft)

    def extend(self, sides: Sides, multiple: int) -> DraftPicture:
        """Makes the picture larger and masks what is new; both sides become multiples of `multiple`."""
        draft = self.now()
        if draft.image is None:
            raise BadInput("outpaint", None, "a picture to extend")
        fitted = sides.fitted(draft.image.width, draft.image.height, multiple)
        image, mask = self._sources.extend(draft.image, fitted, draft.mask)
        return self._change("Extend the picture", lambda _: DraftPicture(image=image, mask=mask, extended=True))

    def complete(self, request: GenerationRequest) -> GenerationRequest:
        """A request that starts from the draft's picture, with the mask painted on it."""
        draft = self.now()
        return replace(request, mask=draft.mask) if request.image == draft.image is not None else request

    def _change(self, label: str, change: Callable[[DraftPicture], DraftPicture]) -> DraftPicture:
        before = self.now()
        after = change(before)
        if after != before:
            self._write(after)
            self._undo.remember(Deed(label, Act("draft", [before.to_dict()]), Act("draft", [after.to_dict()])))
        return after

    def _put(self, data: dict[str, Any]) -> None:
        self._write(DraftPicture.from_dict(data))
        self._announce.publish(DraftChanged())

    def _write(self, draft: DraftPicture) -> None:
        set_fact(self._library, _FACT, json.dumps(draft.to_dict()))
