"""A picture that carries the texts of another program, and what is read from it."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image, PngImagePlugin

from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.metadata import read_settings


@pytest.fixture(scope="session")
def read() -> Callable[..., FoundSettings]:
    """Reads a PNG with these text chunks; `__` in a name stands for `-`."""
    return _read


def _read(**texts: str) -> FoundSettings:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("__", "-"), text)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    return read_settings(out.getvalue())
