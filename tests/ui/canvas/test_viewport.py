"""Where a picture lies: fitted, zoomed about a point, panned."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QSizeF

from imagegen_desktop.ui.canvas.viewport import LARGEST, SMALLEST, Viewport


@pytest.fixture
def view() -> Viewport:
    return Viewport(widget=QSizeF(848, 648), picture=QSizeF(1024, 512))


def test_a_picture_is_fitted_into_the_middle(view: Viewport) -> None:
    assert view.scale == pytest.approx(800 / 1024)
    assert view.target.center() == QPointF(424, 324)
    assert view.target.width() == pytest.approx(800)


def test_the_point_under_the_mouse_stays_there(view: Viewport) -> None:
    at = QPointF(200, 300)
    before = (at - view.target.topLeft()) / view.scale
    zoomed = view.zoomed(3, at)
    after = (at - zoomed.target.topLeft()) / zoomed.scale
    assert zoomed.scale == pytest.approx(view.scale * 3)
    assert (after.x(), after.y()) == pytest.approx((before.x(), before.y()))


def test_zoom_has_ends(view: Viewport) -> None:
    assert view.zoomed(1e9, QPointF(1, 1)).scale == LARGEST
    assert view.zoomed(1e-9, QPointF(1, 1)).scale == SMALLEST


def test_a_picture_cannot_be_lost_by_panning(view: Viewport) -> None:
    far = view.zoomed(4, QPointF(424, 324)).panned(QPointF(1e6, -1e6))
    assert far.target.contains(QPointF(424, 324)) or far.target.intersects(far.target.__class__(0, 0, 848, 648))


def test_fitting_again_forgets_zoom(view: Viewport) -> None:
    assert view.zoomed(3, QPointF(1, 1)).panned(QPointF(40, 40)).fitted() == view
