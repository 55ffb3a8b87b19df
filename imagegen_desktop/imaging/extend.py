"""A picture made larger for outpainting: what is new is filled with what its edge goes on with, and masked."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

from .picture import Picture, to_pillow

_NOISE = 24
_MOST_BLUR = 24
_MOST_FEATHER = 16


@dataclass(frozen=True)
class Border:
    """Pixels added left, above, right and below."""

    left: int
    top: int
    right: int
    bottom: int


def extended(picture: Picture, border: Border) -> Picture:
    """The picture, untouched, in a larger one: its edges drawn out, blurred, with some noise. Always the same."""
    image = to_pillow(picture)
    width, height = border.left + image.width + border.right, border.top + image.height + border.bottom
    drawn_out = _drawn_out(image, border, width, height)
    blur = min(_MOST_BLUR, max(border.left, border.top, border.right, border.bottom) // 4)
    filled = _noisy(drawn_out.filter(ImageFilter.GaussianBlur(blur)))
    filled.paste(image, (border.left, border.top))
    return Picture(width=width, height=height, rgb=filled.tobytes())


def extension_mask(width: int, height: int, border: Border, painted: bytes | None = None) -> bytes:
    """One byte a pixel of the extended picture: 255 in what is new, fading into the old picture of `width` ×
    `height`; joined with what had been painted on that."""
    whole = (border.left + width + border.right, border.top + height + border.bottom)
    feather = min(_MOST_FEATHER, width // 8, height // 8)
    inner = (
        border.left + feather * bool(border.left),
        border.top + feather * bool(border.top),
        border.left + width - feather * bool(border.right),
        border.top + height - feather * bool(border.bottom),
    )
    mask = Image.new("L", whole, 255)
    mask.paste(0, inner)
    mask = mask.filter(ImageFilter.GaussianBlur(feather / 3))
    old = mask.crop((border.left, border.top, border.left + width, border.top + height))
    if painted is not None:
        old = ImageChops.lighter(old, Image.frombytes("L", (width, height), painted))
    mask.paste(255, (0, 0, *whole))
    mask.paste(old, (border.left, border.top))
    return mask.tobytes()


def _drawn_out(image: Image.Image, border: Border, width: int, height: int) -> Image.Image:
    """Each edge's line of pixels repeated outwards: first to the sides, then up and down."""
    wide = Image.new("RGB", (width, image.height))
    wide.paste(image, (border.left, 0))
    for place, column, across in (
        (0, 0, border.left),
        (border.left + image.width, image.width - 1, border.right),
    ):
        if across:
            edge = image.crop((column, 0, column + 1, image.height))
            wide.paste(edge.resize((across, image.height), Image.Resampling.NEAREST), (place, 0))
    high = Image.new("RGB", (width, height))
    high.paste(wide, (0, border.top))
    for place, row, down in ((0, 0, border.top), (border.top + image.height, image.height - 1, border.bottom)):
        if down:
            edge = wide.crop((0, row, width, row + 1))
            high.paste(edge.resize((width, down), Image.Resampling.NEAREST), (0, place))
    return high


def _noisy(image: Image.Image) -> Image.Image:
    """A little grain, which a model takes up more readily than a flat area."""
    grain = Image.frombytes("L", image.size, random.Random(0).randbytes(image.width * image.height))
    grain = grain.point(lambda level: 128 + (level - 128) * _NOISE // 128)
    return ImageChops.add(image, Image.merge("RGB", (grain,) * 3), scale=1.0, offset=-128)
