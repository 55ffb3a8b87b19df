"""How mask and tools look on the canvas: a quiet tint, the brush as a circle, an outline while it is drawn."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from .mask import Mask
from .viewport import Viewport

_TINT = 0.5


def paint_tint(painter: QPainter, view: Viewport, exposed: QRect, mask: Mask, color: QColor) -> None:
    """Only what is exposed, with a little around it so that scaling finds its neighbours."""
    seen = QRectF(view.to_picture(exposed.topLeft().toPointF()), view.to_picture(exposed.bottomRight().toPointF()))
    part = seen.toAlignedRect().adjusted(-3, -3, 3, 3).intersected(mask.levels().rect())
    if not part.isEmpty():
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, view.scale < 4)
        painter.drawImage(view.to_widget(QRectF(part)), mask.tinted(part, color, _TINT))


def paint_outline(painter: QPainter, view: Viewport, path: QPainterPath, *, dashed: bool) -> None:
    """`path` in picture pixels: dark below light, so that it is seen on every picture."""
    painter.save()
    painter.translate(view.target.topLeft())
    painter.scale(view.scale, view.scale)
    styles = Qt.PenStyle
    for color, width, style in (
        (QColor(0, 0, 0, 150), 3.0, styles.SolidLine),
        (QColor(255, 255, 255, 230), 1.2, styles.DashLine if dashed else styles.SolidLine),
    ):
        pen = QPen(color, width, style)
        pen.setCosmetic(True)
        painter.strokePath(path, pen)
    painter.restore()


def circle(at: QPointF, diameter: float) -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(at, diameter / 2, diameter / 2)
    return path


def outline(points: list[QPointF], *, rectangle: bool) -> QPainterPath:
    """The closed figure that was drawn: from corner to corner, or along all its points."""
    path = QPainterPath()
    if rectangle:
        path.addRect(QRectF(points[0], points[-1]).normalized())
    else:
        path.addPolygon(points)
        path.closeSubpath()
    path.setFillRule(Qt.FillRule.WindingFill)
    return path
