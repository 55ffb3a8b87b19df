"""Offered: a control that the chosen model may have no use for says so, instead of just being grey."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

_OWN = "ownToolTip"


def offer(control: QWidget, missing: str = "") -> None:
    """Enables a control; or disables it, with the reason as its tool tip and for screen readers."""
    if control.property(_OWN) is None:
        control.setProperty(_OWN, control.toolTip())
    control.setEnabled(not missing)
    control.setToolTip(missing or str(control.property(_OWN)))
    control.setAccessibleDescription(missing)
