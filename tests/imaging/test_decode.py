"""Strangers' pictures: right pixels or a clear refusal, and the worker may die without anybody noticing."""

from __future__ import annotations

import os
import random
import struct
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.imaging.decode import Decoder, decode_image
from imagegen_desktop.imaging.encode import encode_jpeg, encode_png, encode_webp
from imagegen_desktop.imaging.picture import Picture, fit
from imagegen_desktop.imaging.thumbnails import thumbnail_of, thumbnail_of_file

Saved = Callable[..., bytes]


def test_what_we_save_is_read_back_bit_for_bit(decoder: Decoder, picture: Picture) -> None:
    assert decoder.decode(encode_png(picture)) == picture
    assert decoder.decode(encode_webp(picture, lossless=True)) == picture
    alpha = Picture(width=32, height=24, rgb=picture.rgb, alpha=bytes(range(256)) * 3)
    assert decoder.decode(encode_png(alpha)) == alpha


def test_one_picture_without_a_decoder(picture: Picture, tmp_path: Path) -> None:
    path = tmp_path / "bild \U0001f3f0.png"
    path.write_bytes(encode_png(picture))
    assert decode_image(path) == picture


@pytest.mark.parametrize(
    ("mode", "colour", "pixel"),
    [
        ("RGB", (200, 100, 50), (200, 100, 50)), ("L", 77, (77, 77, 77)), ("1", 1, (255, 255, 255)),
        ("I;16", 0x8080, (128, 128, 128)), ("P", 0, (0, 0, 0)), ("LA", (90, 255), (90, 90, 90)),
    ],
)  # fmt: skip
def test_every_kind_of_png_has_its_colours(
    decoder: Decoder, saved: Saved, mode: str, colour: object, pixel: object
) -> None:
    found = decoder.decode(saved(Image.new(mode, (3, 2), colour)))  # type: ignore[arg-type]
    assert (found.width, found.height, tuple(found.rgb[:3]), found.alpha) == (3, 2, pixel, None)


def test_transparency_comes_apart(decoder: Decoder, saved: Saved) -> None:
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    image.putpixel((1, 0), (40, 50, 60, 0))
    found = decoder.decode(saved(image))
    assert (found.rgb, found.alpha) == (bytes([10, 20, 30, 40, 50, 60]), b"\xff\0")
    palette = Image.new("P", (2, 1), 0)
    assert decoder.decode(saved(palette, transparency=0)).alpha == b"\0\0"


def test_cmyk_and_colour_profiles_become_srgb(decoder: Decoder, saved: Saved) -> None:
    found = decoder.decode(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100))
    assert found.rgb[0] > 200
    assert max(found.rgb[1:3]) < 60
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decoder.decode(saved(Image.new("RGB", (8, 8), (10, 200, 30)), icc_profile=profile))
    assert tuple(same.rgb[:3]) == pytest.approx((10, 200, 30), abs=1)
    broken = decoder.decode(saved(Image.new("RGB", (8, 8), (10, 200, 30)), icc_profile=b"no profile"))
    assert tuple(broken.rgb[:3]) == (10, 200, 30)


def test_a_turned_photograph_stands_upright(decoder: Decoder, saved: Saved) -> None:
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decoder.decode(saved(image, "JPEG", exif=exif))
    assert (found.width, found.height) == (20, 40)


def test_large_pictures_come_as_small_as_asked(decoder: Decoder, saved: Saved) -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        found = decoder.decode(saved(Image.new("RGB", (900, 300), (9, 8, 7)), kind), max_side=90)
        assert (found.width, found.height) == (90, 30)
    assert decoder.decode(saved(Image.new("P", (900, 300))), max_side=90).width == 90
    assert decoder.decode(saved(Image.new("I;16", (900, 300), 0x8080)), max_side=90).rgb[0] == 128


def _bomb(side: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _cases(tmp_path: Path) -> dict[str, tuple[Path | bytes, str]]:
    whole = encode_png(Picture(width=64, height=64, rgb=random.Random(1).randbytes(64 * 64 * 3)))
    jpeg = encode_jpeg(Picture(width=64, height=64, rgb=random.Random(1).randbytes(64 * 64 * 3)))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return {
        "cut png": (whole[:5000], "cut off"),
        "cut jpeg": (jpeg[:3000], "cut off"),
        "head only": (whole[:20], "cut off"),
        "garbage": (whole[:60] + b"garbage" * 100, "picture"),
        "not a picture": (b"GIF89a" + bytes(50), "something else"),
        "text": (b"hello", "something else"),
        "empty": (b"", "empty"),
        "bomb": (_bomb(65_000), "megapixels"),
        "just too large": (_bomb(10_001), "megapixels"),
        "folder": (tmp_path / "folder", "this is a folder"),
        "missing": (tmp_path / "none.png", "exists"),
        "pipe": (tmp_path / "pipe", "no file"),
    }


@pytest.mark.parametrize("case", [
    "cut png", "cut jpeg", "head only", "garbage", "not a picture", "text", "empty", "bomb", "just too large", "folder",
    "missing", "pipe",
])  # fmt: skip
def test_what_cannot_be_opened_is_said_in_one_line(decoder: Decoder, tmp_path: Path, case: str) -> None:
    source, words = _cases(tmp_path)[case]
    with pytest.raises(BadInput) as problem:
        decoder.decode(source)
    assert words in problem.value.message
    assert "\n" not in problem.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.touch(0o000)
    with pytest.raises(BadInput, match="may not be read"):
        decoder.decode(path)


def test_mutated_files_never_reach_us(decoder: Decoder, picture: Picture) -> None:
    chance = random.Random(7)
    for number in range(150):
        data = bytearray((encode_png, encode_jpeg, encode_webp)[number % 3](picture))
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(12, len(data))] = chance.randrange(256)
        try:
            found = decoder.decode(bytes(data))
        except BadInput:
            continue
        assert len(found.rgb) == found.width * found.height * 3


@pytest.mark.parametrize(
    "program",
    [
        "import os; os._exit(1)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "import sys; sys.stdin.buffer.read(4); sys.stdout.buffer.write(bytes([255] * 4)); sys.stdout.flush()",
        "import sys; sys.stdout.write('no answer at all'); sys.stdout.flush()",
        "import time; time.sleep(60)",
        'print(\'\\0\\0\\0\\x32\' + \'{"width": 10, "height": -10, "alpha": false}      \')',
    ],
)
def test_a_worker_gone_bad_is_only_an_unreadable_picture(picture: Picture, program: str) -> None:
    with Decoder([sys.executable, "-I", "-S", "-c", program], seconds=1.0) as bad:
        start = time.monotonic()
        for _ in range(2):
            with pytest.raises(BadInput, match="cannot be read"):
                bad.decode(encode_png(picture))
        assert time.monotonic() - start < 5


def test_a_dead_worker_is_replaced(picture: Picture, tmp_path: Path) -> None:
    script = tmp_path / "worker.py"
    worker = Path(sys.modules[Decoder.__module__].__file__ or "").with_name("worker.py")
    script.write_text(
        f"import os, pathlib, runpy\nflag = pathlib.Path({str(tmp_path / 'flag')!r})\n"
        "if not flag.exists():\n    flag.touch()\n    os._exit(1)\n"
        f"runpy.run_path({str(worker)!r}, run_name='__main__')\n"
    )
    with Decoder([sys.executable, "-I", str(script)]) as decoder:
        with pytest.raises(BadInput):
            decoder.decode(encode_png(picture))
        assert decoder.decode(encode_png(picture)) == picture


def test_fit_covers_or_contains(picture: Picture) -> None:
    assert fit(picture, 32, 24) is picture
    covered, contained = fit(picture, 16, 16), fit(picture, 16, 16, "contain")
    assert (covered.width, covered.height, len(covered.rgb)) == (16, 16, 768)
    assert covered == fit(picture, 16, 16)
    assert contained.rgb[: 16 * 3 * 2] == bytes(16 * 3 * 2)
    assert any(covered.rgb[:16])
    half = Picture(width=32, height=24, rgb=picture.rgb, alpha=bytes([128]) * (32 * 24))
    alpha = fit(half, 16, 16, "contain").alpha
    assert alpha is not None
    assert (alpha[0], alpha[16 * 8]) == (0, 128)


def test_thumbnails_are_small(decoder: Decoder, saved: Saved, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(saved(Image.effect_noise((1500, 1000), 40).convert("RGB")))
    for data in (thumbnail_of_file(path, decoder), thumbnail_of(decoder.decode(path))):
        small = decoder.decode(data)
        assert (small.width, small.height) == (256, 171)
        assert len(data) < 60_000
