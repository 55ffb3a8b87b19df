"""A canvas that fills signed-distance outlines in one of the renderings, anti-aliased."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from starter_world.distances import Field
from starter_world.vocabulary import Rgb

_NEON_GROUND = np.asarray((8, 6, 24), np.float32) / 255
_PAPER = np.asarray((252, 250, 244), np.float32) / 255


@lru_cache(maxsize=32)
def _smooth_noise(size: int, waves: float, seed: int) -> Field:
    """Periodic noise of unit variance with about `waves` ripples across the picture."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((size, size)))
    frequency = np.fft.fftfreq(size) * size
    spectrum *= np.exp(-(frequency[:, None] ** 2 + frequency[None] ** 2) * 2 / waves**2)
    field = np.fft.ifft2(spectrum).real
    return (field / field.std()).astype(np.float32)


class Canvas:
    """A square picture in the making; x runs right and y down, both 0..1."""

    def __init__(self, size: int, rendering: str) -> None:
        self.size, self.rendering = size, rendering
        middle = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = np.meshgrid(middle, middle)
        self._straight_y = self.y
        if rendering == "watercolor":
            # The paper is always the same sheet: chance here would only have to be learnt.
            self.x = self.x + 0.006 * _smooth_noise(size, 7, 1)
            self.y = self.y + 0.006 * _smooth_noise(size, 7, 2)
            self._wash = np.clip(0.82 + 0.07 * _smooth_noise(size, 5, 3), 0.6, 1)
        self.pixels = np.ones((size, size, 3), np.float32)

    def background(self, top: Rgb, bottom: Rgb) -> None:
        """Fill everything with a vertical gradient."""
        colour = top + (bottom - top) * self._straight_y[..., None]
        if self.rendering == "neon":
            colour = _NEON_GROUND + 0.25 * colour
        elif self.rendering == "watercolor":
            colour = _PAPER + (colour - _PAPER) * self._wash[..., None]
        self.pixels = colour.astype(np.float32)

    def fill(self, outside: Field, top: Rgb, bottom: Rgb | None = None, glow: float = 0.0) -> None:
        """Fill where `outside` is negative, shading from top to bottom, with an optional halo."""
        colour = top if bottom is None else self._shaded(outside, top, bottom)
        if self.rendering == "neon":
            self._fill_neon(outside, colour, max(glow, 0.028))
            return
        if glow:
            self._blend(0.5 * np.exp(-np.maximum(outside, 0) / glow), colour)
        if self.rendering == "watercolor":
            self._blend(np.clip(0.5 - outside / 0.014, 0, 1) * self._wash, 0.92 * colour + 0.08)
            # Pigment gathers along the edge of a drying wash.
            self._blend(0.3 * np.exp(-(((outside + 0.006) / 0.010) ** 2)), 0.6 * colour)
        else:
            self._blend(np.clip(0.5 - outside * self.size, 0, 1), colour)

    def finished(self) -> NDArray[np.uint8]:
        """The picture as bytes, height by width by 3."""
        return (np.clip(self.pixels, 0, 1) * 255 + 0.5).astype(np.uint8)

    def _shaded(self, outside: Field, top: Rgb, bottom: Rgb) -> NDArray[np.float32]:
        rows = self._straight_y[outside < 0]
        low, high = (rows.min(), rows.max()) if rows.size else (0.0, 1.0)
        down = np.clip((self._straight_y - low) / (high - low + 1e-3), 0, 1)[..., None]
        return top + (bottom - top) * down

    def _fill_neon(self, outside: Field, colour: NDArray[np.float32], halo: float) -> None:
        self._blend(0.92 * np.clip(0.5 - outside * self.size, 0, 1), 0.14 * colour + 0.03)
        tube = np.maximum(colour, 0.14)
        tube = tube / tube.max(-1, keepdims=True)
        away = np.abs(outside)
        light = np.exp(-((away / 0.013) ** 2)) + 0.35 * np.exp(-away / halo)
        self.pixels += light[..., None] * tube
        self.pixels += (0.35 * np.exp(-((away / 0.008) ** 2)))[..., None]
        np.clip(self.pixels, 0, 1.1, out=self.pixels)

    def _blend(self, amount: Field, colour: NDArray[np.float32]) -> None:
        self.pixels += (colour - self.pixels) * amount[..., None]


def lighter(colour: Rgb, amount: float) -> Rgb:
    """The colour moved towards white."""
    return colour + (1 - colour) * np.float32(amount)


def darker(colour: Rgb, amount: float) -> Rgb:
    """The colour moved towards black."""
    return colour * np.float32(1 - amount)


def shade(red: int, green: int, blue: int) -> Rgb:
    """A colour from three bytes."""
    return np.asarray((red, green, blue), np.float32) / 255
