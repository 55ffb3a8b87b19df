"""GeneratedImage: the record of a finished image, as history and gallery know it."""

from __future__ import annotations

from dataclasses import dataclass

from .request import GenerationRequest

#: How the note begins that says what a provider made of the prompt.
REVISED = "prompt revised by the provider: "


@dataclass(frozen=True, kw_only=True)
class GeneratedImage:
    """`path` is relative to the home folder; `file_sha256` is of the file, `pixels_sha256` of the raw RGB rows.

    `request` makes exactly this image (count 1, its own seed). `rating` 0 (none) … 5.
    `number` counts up with every image of a library: the gallery's order, newest first, never the clock's.
    `resumed_at` is the iteration a snapshot was continued from, None for an unbroken run.
    `deleted` is when it went to the bin (UTC, ISO 8601), empty while it is in the gallery.
    """

    id: str
    job: str
    index: int
    path: str
    created: str
    width: int
    height: int
    file_size: int
    file_sha256: str
    pixels_sha256: str
    request: GenerationRequest
    model_hash: str = ""
    seconds: float = 0.0
    cost: float | None = None
    resumed_at: int | None = None
    rating: int = 0
    tags: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    missing: bool = False
    deleted: str = ""
    number: int = 0
