"""Amounts as an artist reads them: durations, speeds, bytes, dates."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QDateTime, QLocale

from ...domain import durations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def number(value: float, digits: int | None = None) -> str:
    """With the language's decimal point; as many digits as it takes, or so many after the point."""
    plain = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    return plain.replace(".", QLocale().decimalPoint())


def duration(seconds: float) -> str:
    """0.8 s, 11 s, 3 min 20 s, 2 h 5 min, with the language's decimal point."""
    return durations.duration(seconds).replace(".", QLocale().decimalPoint())


def speed(per_second: float) -> str:
    """Steps a second, or seconds a step when that is the readable way round."""
    if per_second >= 1:
        return f"{QLocale().toString(per_second, 'f', 1)} it/s"
    return f"{QLocale().toString(1 / per_second, 'f', 1)} s/it" if per_second > 0 else ""


def size(count: float) -> str:
    """Bytes in decimal units, as file managers show them."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    digits = 0 if unit == 0 or count >= 100 else 1
    return f"{QLocale().toString(float(count), 'f', digits)} {_UNITS[unit]}"


def moment(stamp: str) -> str:
    """A UTC stamp in ISO 8601 as a local date and time; unchanged when it is none."""
    try:
        when = datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return stamp
    return QLocale().toString(QDateTime.fromSecsSinceEpoch(int(when.timestamp())), QLocale.FormatType.ShortFormat)
