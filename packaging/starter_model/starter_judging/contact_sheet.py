"""Sheets of many small pictures with what was asked for under each."""

import textwrap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw


def write_sheet(path: Path, pictures: NDArray[np.uint8], texts: list[str], columns: int = 8) -> None:
    """Write a PNG of all pictures in rows, each above its text."""
    side, strip = pictures.shape[1], 26
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (side + 4), rows * (side + strip)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        left, top = index % columns * (side + 4), index // columns * (side + strip)
        sheet.paste(Image.fromarray(picture), (left, top))
        lines = textwrap.wrap(text, side // 5)[:2]
        pen.multiline_text((left + 2, top + side), "\n".join(lines), "black", font_size=9, spacing=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
