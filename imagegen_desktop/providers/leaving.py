"""Leaving a call to a provider before its end: by which wish, and how that is said."""

from __future__ import annotations

CANCEL, PAUSE, CLOSE = "cancel", "pause", "close"


class Left(Exception):
    """The exchange was ended by wish; `reason` says by which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
