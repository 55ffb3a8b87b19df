"""Every word the starter model is taught, and the colours the words stand for."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.float32]

COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "red": (222, 38, 42),
    "orange": (246, 138, 28),
    "yellow": (250, 214, 45),
    "green": (48, 165, 72),
    "cyan": (40, 192, 205),
    "blue": (42, 92, 222),
    "purple": (132, 58, 190),
    "pink": (246, 128, 182),
}
GROUNDS: Final[dict[str, tuple[int, int, int]]] = {
    "white": (246, 246, 246),
    "gray": (136, 140, 146),
    "black": (26, 26, 32),
}
SHAPES: Final = ("circle", "square", "triangle", "star", "heart", "cross")
RELATIONS: Final[dict[str, tuple[int, int]]] = {
    "left of": (-1, 0),
    "right of": (1, 0),
    "above": (0, -1),
    "below": (0, 1),
}
SCENES: Final = ("hills", "sea", "desert", "mountains")
TIMES: Final = ("day", "sunset", "night")
RENDERINGS: Final = ("flat", "watercolor", "neon")
THINGS: Final[dict[str, tuple[str, ...]]] = {
    "house": ("hills", "mountains"),
    "tree": ("hills",),
    "sailboat": ("sea",),
    "lighthouse": ("sea",),
    "cactus": ("desert",),
    "pyramid": ("desert",),
    "pine tree": ("mountains",),
    "balloon": ("hills", "sea", "desert", "mountains"),
}
COLOURABLE_THINGS: Final = ("house", "sailboat", "lighthouse", "balloon")
USUAL_COLOURS: Final[dict[str, str]] = {
    "house": "yellow",
    "sailboat": "red",
    "lighthouse": "red",
    "balloon": "red",
    "tree": "green",
    "cactus": "green",
    "pine tree": "green",
    "pyramid": "yellow",
}
FILLERS: Final = (
    "beautiful",
    "detailed",
    "4k",
    "8k",
    "masterpiece",
    "best",
    "quality",
    "picture",
    "photo",
    "painting",
    "drawing",
    "image",
    "illustration",
    "nice",
    "pretty",
    "art",
    "cute",
    "simple",
    "digital",
    "high",
    "highly",
    "sharp",
    "soft",
    "light",
    "draw",
    "very",
    "lovely",
    "colorful",
    "big",
    "small",
    "please",
    "scene",
    "landscape",
    "dark",
    "bright",
)
JOINING_WORDS: Final = (
    "a",
    "an",
    "the",
    "of",
    "to",
    "on",
    "in",
    "at",
    "by",
    "with",
    "and",
    "over",
    "under",
    "near",
    "during",
    "left",
    "right",
    "background",
    "style",
    "hill",
    "mountain",
    "ocean",
    "sun",
    "moon",
    "stars",
    "sky",
    "pine",
    "tree",
    "hot",
    "air",
    "boat",
    "watercolour",
    "glowing",
)


def rgb(name: str) -> Rgb:
    """The colour a word stands for, as three floats in 0..1."""
    return np.asarray((COLOURS | GROUNDS)[name], np.float32) / np.float32(255)


def all_words() -> list[str]:
    """Every word that becomes one token, sorted."""
    phrases = (
        *COLOURS, *GROUNDS, *SHAPES, *RELATIONS, *SCENES, *TIMES, *RENDERINGS, *THINGS,
        *FILLERS, *JOINING_WORDS,
    )  # fmt: skip
    return sorted({word for phrase in phrases for word in phrase.split()})
