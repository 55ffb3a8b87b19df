"""One warm decoder for all tests, and small pictures."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from imagegen_desktop.imaging.decode import Decoder
from imagegen_desktop.imaging.picture import Picture


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder() as opened:
        yield opened


@pytest.fixture(scope="session")
def picture() -> Picture:
    rows = bytes((x * 7 + y * 13 + c * 40) % 256 for y in range(24) for x in range(32) for c in range(3))
    return Picture(width=32, height=24, rgb=rows)


@pytest.fixture(scope="session")
def saved() -> Callable[..., bytes]:
    def save(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return save
