"""The throw-away process that decodes strangers' pictures; if one of them breaks it, only this process is lost.

Run as a script by `decode.py` (standard library and Pillow only, so that Python's isolated mode finds all of it).
In: a 4-byte length, a JSON head {"size", "max_side", "only_hash"}, the file's bytes. Out: a 4-byte length, a JSON head
{"width", "height", "alpha"} or {"error"}, then the RGB rows and, where there is one, the alpha rows; with `only_hash`
the head {"width", "height", "sha256"} of the RGB rows, and no rows.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 100_000_000
MOST_MEMORY = 3 * 2**30
CPU_SECONDS = 10

_PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin)  # loaded before the limits hold


def main() -> None:
    """Answers one request after the other until its input ends."""
    source, answers = sys.stdin.buffer, sys.stdout.buffer
    _limit_memory()
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    while head := source.read(4):
        request = json.loads(source.read(*struct.unpack(">I", head)))
        data = source.read(request["size"])
        _grant_cpu_time()
        _answer(answers, data, request["max_side"], request["only_hash"])


def _answer(answers: BinaryIO, data: bytes, max_side: int | None, only_hash: bool) -> None:
    try:
        rgb, alpha = decode(data, max_side)
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        _write(answers, {"error": "too large"})
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, TypeError) as error:
        cut_off = "truncated" in str(error).lower() or isinstance(error, EOFError)
        _write(answers, {"error": "truncated" if cut_off else "unreadable"})
    else:
        size: dict[str, object] = {"width": rgb.width, "height": rgb.height}
        if only_hash:
            _write(answers, size | {"sha256": hashlib.sha256(rgb.tobytes()).hexdigest()})
            return
        _write(answers, size | {"alpha": alpha is not None})
        answers.write(rgb.tobytes())
        if alpha is not None:
            answers.write(alpha.tobytes())
        answers.flush()


def decode(data: bytes, max_side: int | None) -> tuple[Image.Image, Image.Image | None]:
    """The upright picture in sRGB and its alpha, no side longer than `max_side`."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise Image.DecompressionBombError
        if max_side and max(opened.size) > max_side:
            opened.draft(None, (max_side, max_side))
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        profile = opened.info.get("icc_profile")
    if max_side and max(upright.size) > max_side:
        upright = _shrunk(upright, max_side)
    alpha = _alpha(upright)
    return _rgb(upright, profile), alpha


def _shrunk(image: Image.Image, max_side: int) -> Image.Image:
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode.startswith("I"):
        image = _eight_bits(image)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return image


def _alpha(image: Image.Image) -> Image.Image | None:
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            return _in_srgb(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a profile nobody can use is no reason to refuse the picture
    return image.convert("RGBA").convert("RGB") if image.mode in ("P", "PA") else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(image, theirs, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return converted if converted is not None else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey, which Pillow would clip instead of scale."""
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _write(answers: BinaryIO, head: dict[str, object]) -> None:
    text = json.dumps(head).encode()
    answers.write(struct.pack(">I", len(text)) + text)
    answers.flush()


def _limit_memory() -> None:
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))


def _grant_cpu_time() -> None:
    """Each picture may use so many seconds more than all before it."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
