"""What the window remembers between two starts: its layout, who drew last, and which jobs it paused when it closed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings


class WindowMemory:
    """A small file beside the library; losing it loses nothing but comfort."""

    def __init__(self, path: Path) -> None:
        self._file = QSettings(str(path), QSettings.Format.IniFormat)

    def layout(self) -> tuple[QByteArray, QByteArray]:
        """Geometry and dock state, empty when there is none."""
        return self._bytes("geometry"), self._bytes("state")

    def keep_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        self._file.setValue("geometry", geometry)
        self._file.setValue("state", state)

    def choice(self) -> tuple[str, str]:
        """The provider and model that were chosen last."""
        return str(self._file.value("provider", "")), str(self._file.value("model", ""))

    def keep_choice(self, provider: str, model: str) -> None:
        self._file.setValue("provider", provider)
        self._file.setValue("model", model)

    def paused_jobs(self) -> list[str]:
        return [job for job in str(self._file.value("paused", "")).split(",") if job]

    def keep_paused_jobs(self, ids: list[str]) -> None:
        self._file.setValue("paused", ",".join(ids))

    def close(self) -> None:
        self._file.sync()

    def _bytes(self, name: str) -> QByteArray:
        value = self._file.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()
