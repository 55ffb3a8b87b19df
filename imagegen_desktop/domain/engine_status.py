"""EngineStatus: how the engine is, as the window, `doctor` and `/health` show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """`state`: stopped, starting, ready, busy, restarting or failed. Memory in bytes, 0 when unknown."""

    state: str = "stopped"
    device: str = ""
    device_name: str = ""
    memory_total: int = 0
    memory_used: int = 0
    restarts: int = 0
    message: str = ""
