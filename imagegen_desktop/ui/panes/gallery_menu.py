"""What can be done with pictures of the gallery, as the entries of a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

_MOST_NAMES = 8
_FACTORS = (2, 4)


@dataclass(frozen=True, kw_only=True)
class Deeds:
    """What the menu's entries do: with the current picture, or with all that are selected."""

    use: Callable[[], object]
    start_from: Callable[[], object]
    upscale: Callable[[float, str], object]
    decode: Callable[[str], object]
    compare: Callable[[], object]
    full_screen: Callable[[], object]
    show_in_folder: Callable[[], object]
    rate: Callable[[int], object]
    bin: Callable[[], object]


def build(parent: QWidget, chosen: int, upscalers: list[str], autoencoders: list[str], deeds: Deeds) -> QMenu:
    """For that many pictures; who can enlarge them, and what decodes them beside their models' own."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction(parent.tr("Use all settings"), deeds.use)
    menu.addAction(parent.tr("Start from this picture"), deeds.start_from)
    upscale = menu.addMenu(parent.tr("Upscale"))
    for name in upscalers[:_MOST_NAMES]:
        for factor in _FACTORS:
            text = parent.tr("{0} times, {1}").format(factor, name)
            upscale.addAction(text, partial(deeds.upscale, float(factor), name))
    decode = menu.addMenu(parent.tr("Decode again"))
    decode.addAction(parent.tr("With the model's own VAE"), partial(deeds.decode, ""))
    for name in autoencoders[:_MOST_NAMES]:
        decode.addAction(name, partial(deeds.decode, name))
    both = parent.tr("Compare both") if chosen == 2 else parent.tr("Compare with what it was made from")
    menu.addAction(both, deeds.compare)
    menu.addAction(parent.tr("Full screen"), deeds.full_screen)
    menu.addAction(parent.tr("Show in folder"), deeds.show_in_folder)
    rating = menu.addMenu(parent.tr("Rating"))
    for stars in range(6):
        rating.addAction("★" * stars or parent.tr("None"), partial(deeds.rate, stars))
    menu.addSeparator()
    menu.addAction(parent.tr("Move to bin"), deeds.bin)
    return menu
