"""EngineStatus: how an engine is, as the window, `doctor` and `/health` show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """`number` says which engine, from 0. `state`: stopped, starting, ready, busy, restarting or failed. Memory in
    bytes, 0 when unknown.

    `model` is the folder of the one it holds, empty when it holds none. `cards` are the names of the GPUs of this
    machine, in the order of their numbers; empty before the engine was ready for the first time.
    """

    number: int = 0
    state: str = "stopped"
    device: str = ""
    device_name: str = ""
    memory_total: int = 0
    memory_used: int = 0
    restarts: int = 0
    model: str = ""
    message: str = ""
    cards: tuple[str, ...] = ()
