"""Rating: five stars to click."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from ..icons import icon, name_icon
from ..theme import Theme


class Rating(QWidget):
    """Clicking the star that is already the last one takes the rating away."""

    rated = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rating = 0
        self._stars = [QToolButton() for _ in range(5)]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, star in enumerate(self._stars, start=1):
            star.setAccessibleName(self.tr("%n star(s)", "", place))
            star.setProperty("kind", "star")
            star.setToolTip(star.accessibleName())
            star.clicked.connect(lambda _=False, place=place: self._click(place))
            row.addWidget(star)
        row.addStretch()
        self.show_rating(0)

    def show_rating(self, rating: int) -> None:
        self._rating = rating
        tokens = self._theme.tokens
        for place, star in enumerate(self._stars, start=1):
            name, role = ("star-filled", "warning") if place <= rating else ("star", "muted")
            name_icon(star, name, role)
            star.setIcon(icon(name, str(getattr(tokens, role)), tokens.muted))
        self.setAccessibleName(self.tr("Rating: {0} of 5").format(rating))

    def _click(self, place: int) -> None:
        self.rated.emit(0 if place == self._rating else place)
