"""A decoded picture as plain bytes, and how it is brought to another size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from PIL import Image, ImageOps

How = Literal["cover", "contain"]

MOST_PIXELS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class Picture:
    """`rgb` is height × width × 3 bytes, row by row; `alpha` height × width bytes, None when all is opaque."""

    width: int
    height: int
    rgb: bytes
    alpha: bytes | None = None

    @cached_property
    def sha256(self) -> str:
        """Of the RGB rows."""
        return hashlib.sha256(self.rgb).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """What is left of a picture that was decoded only to see that it is whole: the SHA-256 is of its RGB rows."""

    width: int
    height: int
    pixels_sha256: str


def fit(picture: Picture, width: int, height: int, how: How = "cover") -> Picture:
    """The picture at exactly that size (Lanczos): cropped around the middle, or whole with black bars (`contain`).

    Where it has an alpha, bars are transparent.
    """
    if (picture.width, picture.height) == (width, height):
        return picture
    alpha = None
    if picture.alpha is not None:
        alpha = _fitted(_channel(picture, picture.alpha), width, height, how).tobytes()
    return Picture(
        width=width, height=height, rgb=_fitted(to_pillow(picture), width, height, how).tobytes(), alpha=alpha
    )


def painted_inside(original: bytes, painted: bytes, mask: bytes, width: int, height: int) -> bytes:
    """RGB rows: the painted picture where the mask (one byte a pixel) is 255, the original itself where it is 0."""
    under, over = (Image.frombytes("RGB", (width, height), rows) for rows in (original, painted))
    return Image.composite(over, under, Image.frombytes("L", (width, height), mask)).tobytes()


def brightness(picture: Picture) -> bytes:
    """One byte a pixel: how bright it is (ITU-R 601)."""
    return to_pillow(picture).convert("L").tobytes()


def to_pillow(picture: Picture) -> Image.Image:
    """The RGB part as a Pillow image, for the modules of this folder."""
    return Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)


def _channel(picture: Picture, rows: bytes) -> Image.Image:
    return Image.frombytes("L", (picture.width, picture.height), rows)


def _fitted(image: Image.Image, width: int, height: int, how: How) -> Image.Image:
    if how == "contain":
        return ImageOps.pad(image, (width, height), Image.Resampling.LANCZOS)
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
