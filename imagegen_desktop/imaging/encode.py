"""Pictures of ours as files: PNG for the library, JPEG and WebP for export, each with its recipe inside."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

from .picture import Picture, to_pillow
from .recipe import KEY, XMP, Recipe, parameters_text
from .seal import sealed

PNG_LEVEL = 1  # of 9; more costs far more time than it saves bytes in noisy pictures
MOST_JPEG_EXIF = 65_000

_EXIF_IFD, _USER_COMMENT, _MAKER_NOTE, _SOFTWARE = 0x8769, 0x9286, 0x927C, 0x0131


def encode_png(picture: Picture, recipe: Recipe | None = None) -> bytes:
    """A PNG (with the alpha, if there is one); the same picture and recipe give the same bytes. With a recipe it is
    sealed."""
    info = PngImagePlugin.PngInfo()
    if recipe is not None:
        info.add_text("parameters", parameters_text(recipe))
        info.add_itxt(KEY, recipe.to_json())
        info.add_itxt("XML:com.adobe.xmp", XMP)
    out = io.BytesIO()
    _with_alpha(picture).save(out, "PNG", pnginfo=info, compress_level=PNG_LEVEL)
    return out.getvalue() if recipe is None else sealed(out.getvalue(), picture)


def encode_grey(width: int, height: int, levels: bytes) -> bytes:
    """A PNG of one byte a pixel, as masks are."""
    out = io.BytesIO()
    Image.frombytes("L", (width, height), levels).save(out, "PNG", compress_level=PNG_LEVEL)
    return out.getvalue()


def encode_jpeg(picture: Picture, recipe: Recipe | None = None, quality: int = 95) -> bytes:
    """A JPEG without alpha; a recipe that is too long for the format is left out."""
    exif = next(data for data in _exif_choices(recipe) if len(data) <= MOST_JPEG_EXIF)
    out = io.BytesIO()
    to_pillow(picture).save(out, "JPEG", quality=quality, subsampling=0, exif=exif, xmp=_xmp(recipe))
    return out.getvalue()


def encode_webp(picture: Picture, recipe: Recipe | None = None, quality: int = 95, lossless: bool = False) -> bytes:
    """A WebP, with the alpha if there is one."""
    exif = next(_exif_choices(recipe))
    out = io.BytesIO()
    _with_alpha(picture).save(out, "WEBP", quality=quality, lossless=lossless, exif=exif, xmp=_xmp(recipe))
    return out.getvalue()


def _with_alpha(picture: Picture) -> Image.Image:
    image = to_pillow(picture)
    if picture.alpha is not None:
        image.putalpha(Image.frombytes("L", (picture.width, picture.height), picture.alpha))
    return image


def _xmp(recipe: Recipe | None) -> bytes:
    return XMP.encode() if recipe is not None else b""


def _exif_choices(recipe: Recipe | None) -> Iterator[bytes]:
    """Everything, then only our own recipe, then nothing."""
    if recipe is not None:
        maker_note = f"{KEY}\0{recipe.to_json()}".encode()
        comment = b"UNICODE\0" + parameters_text(recipe).encode("utf-16-be")
        yield _exif({_USER_COMMENT: comment, _MAKER_NOTE: maker_note})
        yield _exif({_MAKER_NOTE: maker_note})
    yield b""


def _exif(fields: dict[int, bytes]) -> bytes:
    exif = Image.Exif()
    exif[_SOFTWARE] = KEY
    exif.get_ifd(_EXIF_IFD).update(fields)
    return exif.tobytes()
