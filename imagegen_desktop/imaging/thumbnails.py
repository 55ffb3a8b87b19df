"""Small pictures for the gallery: 256 pixels on the longer side, as WebP bytes."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from .decode import Decoder
from .picture import Picture, to_pillow

SIDE = 256


def thumbnail_of(picture: Picture, side: int = SIDE) -> bytes:
    """A WebP of at most `side` pixels; a picture that is smaller stays as it is."""
    image = to_pillow(picture)
    if max(image.size) > side:
        image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def thumbnail_of_file(path: Path, decoder: Decoder, side: int = SIDE) -> bytes:
    """The same from a file, whoever made it; raises BadInput."""
    return thumbnail_of(decoder.decode(path, max_side=side * 2), side)
