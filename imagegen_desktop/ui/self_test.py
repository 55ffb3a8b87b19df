"""A start-up test for a fault of some PySide6 builds that would end the program after minutes of painting."""

from __future__ import annotations

import sys

import PySide6
from PySide6.QtCore import QObject

from ..domain.errors import Problem

_CALLS = 200
#: Other threads may hold or drop a few references meanwhile.
_TOLERATED = 50


def check_none_survives() -> None:
    """Raises Problem when every Qt call without an answer drops a reference of None (PySide6 6.12.0, Python < 3.12)."""
    probe = QObject()
    before = sys.getrefcount(None)
    for _ in range(_CALLS):
        probe.blockSignals(False)
        probe.setObjectName("probe")
    if before - sys.getrefcount(None) > _TOLERATED:
        raise Problem(
            f"This PySide6 ({PySide6.__version__}) would crash Python {sys.version.split()[0]}.",
            "Install the version this program names: pip install PySide6-Essentials==6.11.3",
        )
