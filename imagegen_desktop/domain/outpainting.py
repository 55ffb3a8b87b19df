"""Outpainting: how far a picture is extended on each side, in pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .errors import BadInput
from .request import MAX_PIXELS, MAX_SIDE

NAMES = ("left", "top", "right", "bottom")

#: How much of what was filled in is drawn anew: the fill says which colours go on.
OUTPAINT_STRENGTH = 0.95


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Pixels added on each side, each 0 or more."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """The extended picture's width and height."""
        return self.left + width + self.right, self.top + height + self.bottom

    def fitted(self, width: int, height: int, multiple: int) -> Sides:
        """As far as asked for or a little further, so that both sides of the picture are multiples of `multiple`.

        Raises BadInput when the extended picture is too large, or nothing is added.
        """
        if not self:
            raise BadInput("outpaint", "0", "at least one side to extend, as in left=128,right=64")
        wide, high = self.size_of(width, height)
        more_wide, more_high = -wide % multiple, -high % multiple
        left = more_wide if self.left and not self.right else 0
        top = more_high if self.top and not self.bottom else 0
        fitted = Sides(
            left=self.left + left,
            top=self.top + top,
            right=self.right + more_wide - left,
            bottom=self.bottom + more_high - top,
        )
        wide, high = fitted.size_of(width, height)
        if max(wide, high) > MAX_SIDE or wide * high > MAX_PIXELS:
            raise BadInput("outpaint", f"{wide}×{high}", f"sides up to {MAX_SIDE} and {MAX_PIXELS:,} pixels in all")
        return fitted


def sides_from(text: str) -> Sides:
    """`left=128,right=64` as sides; raises BadInput."""
    allowed = f"sides and pixels as in left=128,right=64; sides are {', '.join(NAMES)}"
    found: dict[str, int] = {}
    for part in text.split(","):
        name, _, pixels = (word.strip() for word in part.partition("="))
        if name not in NAMES or name in found or not pixels.isascii() or not pixels.isdigit() or len(pixels) > 5:
            raise BadInput("outpaint", text, allowed)
        found[name] = int(pixels)
        if found[name] > MAX_SIDE:
            raise BadInput("outpaint", text, f"at most {MAX_SIDE} pixels a side")
    return Sides(**found)
