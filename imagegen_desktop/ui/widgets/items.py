"""Names that every Qt item model needs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex

Index = QModelIndex | QPersistentModelIndex

#: The invisible root: parent of every row of a list.
ROOT = QModelIndex()
