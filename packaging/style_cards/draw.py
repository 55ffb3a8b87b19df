"""Draws the pictures on the style cards: one landscape of the drawn world, treated as each style treats pictures.

python packaging/style_cards/draw.py resources/styles
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "starter_model"))

from starter_world.canvas import Canvas
from starter_world.pictures import draw_landscape

SIZE = (288, 180)
_DRAWN = 576
_SEED = 11

Treatment = Callable[[], Image.Image]


def landscape(rendering: str = "flat", scene: str = "hills", time: str = "sunset", thing: str = "house") -> Image.Image:
    """The landscape in one of the world's renderings, cropped to a card at twice its size."""
    canvas = Canvas(_DRAWN, rendering)
    labels = {"scene": scene, "time": time, "lit": "yes", "thing": thing, "colour": "red"}
    draw_landscape(canvas, labels, np.random.default_rng(_SEED))
    whole = Image.fromarray(canvas.finished())
    top = 140 if time == "sunset" else 70  # the low sun stays in the picture, and the high one too
    return whole.crop((0, top, _DRAWN, top + _DRAWN * SIZE[1] // SIZE[0]))


def edges(picture: Image.Image, strength: float = 3.0) -> Image.Image:
    """Dark lines on white where the picture changes."""
    found = picture.convert("L").filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
    lines = ImageOps.invert(ImageEnhance.Brightness(found).enhance(strength))
    framed = ImageDraw.Draw(lines)
    framed.rectangle((0, 0, lines.width - 1, lines.height - 1), outline=255, width=3)
    return lines


def tinted(picture: Image.Image, dark: str, light: str, amount: float = 1.0) -> Image.Image:
    toned = ImageOps.colorize(picture.convert("L"), dark, light)
    return Image.blend(picture, toned, amount)


def grained(picture: Image.Image, amount: float = 0.10) -> Image.Image:
    noise = Image.fromarray(np.random.default_rng(_SEED).integers(0, 255, (picture.height, picture.width), np.uint8))
    return Image.blend(picture, noise.convert("RGB"), amount)


def shadowed(picture: Image.Image) -> Image.Image:
    """A soft vignette."""
    x, y = np.meshgrid(np.linspace(-1, 1, picture.width), np.linspace(-1, 1, picture.height))
    light = np.clip(1.15 - 0.55 * (x**2 + y**2) ** 0.9, 0, 1)
    return Image.fromarray((np.asarray(picture) * light[..., None]).astype(np.uint8))


def mosaic(picture: Image.Image, cell: int = 36) -> Image.Image:
    """Flat triangles, two to a cell."""
    faceted = Image.new("RGB", picture.size)
    pen = ImageDraw.Draw(faceted)
    for top in range(0, picture.height, cell):
        for left in range(0, picture.width, cell):
            corners = [(left, top), (left + cell, top), (left + cell, top + cell), (left, top + cell)]
            for triangle in (corners[:3], [corners[0], corners[2], corners[3]]):
                x = min(picture.width - 1, sum(corner[0] for corner in triangle) // 3)
                y = min(picture.height - 1, sum(corner[1] for corner in triangle) // 3)
                pen.polygon(triangle, fill=picture.getpixel((x, y)))
    return faceted


def dotted(picture: Image.Image, cell: int = 9) -> Image.Image:
    """Halftone dots that grow where it is dark."""
    grey = picture.convert("L")
    dots = Image.new("L", picture.size, 255)
    pen = ImageDraw.Draw(dots)
    for top in range(0, picture.height, cell):
        for left in range(0, picture.width, cell):
            dark = 1 - grey.getpixel((left, top)) / 255
            radius = cell * 0.62 * dark
            middle = (left + cell / 2, top + cell / 2)
            pen.ellipse((middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius), fill=110)
    return dots


def pixelated() -> Image.Image:
    small = landscape().resize((48, 30), Image.Resampling.BOX).quantize(20).convert("RGB")
    return small.resize((_DRAWN, 360), Image.Resampling.NEAREST)


def comic() -> Image.Image:
    flat = ImageOps.posterize(ImageEnhance.Color(landscape(time="day")).enhance(1.5), 3)
    inked = ImageChops.multiply(flat, edges(flat, 6).convert("RGB"))
    return ImageChops.multiply(inked, dotted(flat).convert("RGB").point(lambda level: 128 + level // 2))


def cinematic() -> Image.Image:
    graded = tinted(landscape(scene="mountains", thing="house"), "#0b2a33", "#ffcf96", 0.55)
    framed = ImageDraw.Draw(shot := shadowed(graded))
    for top in (0, shot.height - 44):
        framed.rectangle((0, top, shot.width, top + 44), fill="black")
    return shot


def painted() -> Image.Image:
    strokes = landscape().filter(ImageFilter.ModeFilter(13)).filter(ImageFilter.SMOOTH)
    relief = strokes.convert("L").filter(ImageFilter.EMBOSS).convert("RGB")
    return Image.blend(grained(strokes, 0.08), relief, 0.22)


def rounded() -> Image.Image:
    """Soft shading as of lit solids."""
    flat = landscape(time="day")
    height = flat.convert("L").filter(ImageFilter.GaussianBlur(7)).filter(ImageFilter.EMBOSS)
    return ImageChops.soft_light(flat.filter(ImageFilter.GaussianBlur(1.2)), height.convert("RGB"))


def layered() -> Image.Image:
    """Paper layers: flat colours with a shadow below each edge."""
    flat = ImageOps.posterize(landscape(time="day"), 3).filter(ImageFilter.ModeFilter(7))
    shadow = ImageChops.offset(edges(flat, 5).filter(ImageFilter.GaussianBlur(5)), 3, 7)
    return ImageChops.multiply(flat, shadow.convert("RGB"))


def framed_poster() -> Image.Image:
    toned = tinted(ImageOps.posterize(landscape(scene="sea", thing="sailboat"), 3), "#3a2f1b", "#f4dfae", 0.45)
    pen = ImageDraw.Draw(toned)
    for inset, width in ((10, 5), (22, 2)):
        box = (inset, inset, toned.width - inset, toned.height - inset)
        pen.rounded_rectangle(box, 26, outline="#c9a24a", width=width)
    return toned


STYLES: dict[str, Treatment] = {
    "photorealistic": lambda: shadowed(landscape().filter(ImageFilter.GaussianBlur(2.2))),
    "cinematic": cinematic,
    "anime": lambda: ImageEnhance.Color(landscape(scene="sea", time="day", thing="lighthouse")).enhance(1.35),
    "watercolor": lambda: landscape("watercolor"),
    "pixel art": pixelated,
    "flat illustration": lambda: ImageOps.posterize(landscape(time="day"), 4),
    "neon": lambda: landscape("neon", time="night"),
    "pencil sketch": lambda: grained(
        edges(landscape(time="day"), 7).filter(ImageFilter.GaussianBlur(1.6)).convert("RGB"), 0.14
    ),
    "oil painting": painted,
    "ink drawing": lambda: (
        edges(landscape(time="day"), 9).point(lambda level: 255 if level > 150 else 0).convert("RGB")
    ),
    "comic book": comic,
    "fantasy art": lambda: shadowed(
        ImageEnhance.Brightness(tinted(landscape(scene="mountains", time="night"), "#2a1660", "#d0f4ff", 0.4)).enhance(
            1.6
        )
    ),
    "3d render": rounded,
    "low poly": lambda: mosaic(landscape(time="day")),
    "black and white": lambda: grained(ImageOps.autocontrast(landscape().convert("L"), 3).convert("RGB"), 0.08),
    "vintage": lambda: shadowed(grained(tinted(landscape(), "#3b2412", "#ffe9b8", 0.6), 0.12)),
    "paper cut": layered,
    "art nouveau": framed_poster,
    "product photo": lambda: ImageEnhance.Brightness(
        landscape(scene="desert", time="day", thing="cactus").filter(ImageFilter.GaussianBlur(0.6))
    ).enhance(1.25),
}


def main() -> None:
    folder = Path(sys.argv[1])
    for name, treatment in STYLES.items():
        card = treatment().convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        card.quantize(200, dither=Image.Dither.NONE if name == "pixel art" else Image.Dither.FLOYDSTEINBERG).save(
            folder / f"{name.replace(' ', '-')}.png", optimize=True
        )
    print(f"{len(STYLES)} cards in {folder}")


if __name__ == "__main__":
    main()
