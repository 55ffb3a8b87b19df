"""A job that was answered from history is seen like one that was drawn, and says so."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QLineEdit, QListView

from tests.ui.conftest import Studio
from tests.ui.test_window import draw, gallery_rows


def test_the_same_request_again_shows_what_was_drawn_before(studio: Studio) -> None:
    studio.find(QLineEdit, "seedEdit").setText("7")
    draw(studio, steps=2, count=2)
    studio.until(lambda: gallery_rows(studio) == 2)
    studio.find(QLineEdit, "seedEdit").setText("50")
    draw(studio, steps=2, count=1)
    studio.until(lambda: gallery_rows(studio) == 3)
    strip = studio.find(QListView, "filmstrip")
    assert strip.model().rowCount() == 1
    studio.find(QLineEdit, "seedEdit").setText("7")
    draw(studio, steps=2, count=2)
    studio.until(lambda: strip.model().rowCount() == 2)
    assert "Already drawn" in {label.text() for label in studio.window.panes.stage.findChildren(QLabel)}
    assert studio.window.panes.stage.canvas.picture().width() == 64
    assert len(studio.provider.assignments) == 2
    assert gallery_rows(studio) == 3
