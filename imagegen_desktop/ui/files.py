"""Files the artist chooses on the disk."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget


def chosen_picture(window: QWidget, title: str) -> Path | None:
    pictures = window.tr("Pictures") + " (*.png *.jpg *.jpeg *.webp *.bmp *.gif *.tif *.tiff)"
    name, _ = QFileDialog.getOpenFileName(window, title, "", pictures)
    return Path(name) if name else None
