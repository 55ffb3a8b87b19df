"""Names and shapes of a file's tensors → what it is. The names are those their trainers and exporters gave them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shape = tuple[int, ...]

INPAINT, TURBO, LIGHTNING, LCM, HYPER = "inpaint", "turbo", "lightning", "lcm", "hyper"
#: Which layer of an image encoder is meant.
PROJECTION, HIDDEN = "projection", "hidden"
REFINER, SCHNELL, MEDIUM, LARGE = "refiner", "schnell", "medium", "large"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`kind` and `family` as on a card; `kind` is empty for what is known and of no use here, and `title` names it.

    `lacks` are the parts of a whole model that are not in the file. `features` as on a card.
    """

    kind: str = ""
    family: str = ""
    title: str = ""
    variants: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    rank: int = 0
    triggers: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def feature(layer: str, width: int) -> str:
    """How a card names what an image encoder tells."""
    return f"{layer} {width}"


class Weights:
    """The names of a file's tensors with their shapes, the outermost dimension first."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes
        self._sorted = sorted(shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def has(self, *names: str) -> bool:
        """Whether all of them are there."""
        return all(name in self.shapes for name in names)

    def begins(self, *prefixes: str) -> bool:
        """Whether each of them begins some name."""
        return all(self._place(prefix) is not None for prefix in prefixes)

    def ends(self, *suffixes: str) -> bool:
        """Whether any name ends with one of them."""
        return any(name.endswith(suffixes) for name in self._sorted)

    def size(self, name: str, dimension: int) -> int:
        """The extent of a tensor in one dimension; 0 when it has none or is not there."""
        shape = self.shapes.get(name, ())
        return shape[dimension] if -len(shape) <= dimension < len(shape) else 0

    def first(self, names: Iterable[str]) -> str:
        """The first of `names` that is there, else empty."""
        return next((name for name in names if name in self.shapes), "")

    def ending(self, suffix: str) -> str:
        """The first name with that ending, else empty."""
        return next((name for name in self._sorted if name.endswith(suffix)), "")

    def below(self, prefix: str) -> Weights:
        """Those whose names begin with `prefix`, without it."""
        return Weights({name[len(prefix) :]: self.shapes[name] for name in self._sorted if name.startswith(prefix)})

    def _place(self, prefix: str) -> int | None:
        place = bisect_left(self._sorted, prefix)
        return place if place < len(self._sorted) and self._sorted[place].startswith(prefix) else None
