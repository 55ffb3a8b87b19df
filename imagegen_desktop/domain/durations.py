"""Durations in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as a person says them: 0.8 s, 11 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 2:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{round(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
