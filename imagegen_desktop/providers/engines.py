"""Engines: one supervised engine for each device, and which of them draws a job.

The first is started with the program, every other one when it gets its first job: an engine that nobody needs costs
neither memory nor time.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ..domain.devices import full_name
from ..domain.engine_status import EngineStatus
from ..protocol.messages import Start, Step
from .base import ALMOST_DONE_STEPS
from .engine_process import EngineProcess

_AUTO = "auto"


@dataclass
class Seat:
    """An engine and the jobs it has: the first is being drawn, another may wait behind it. `model` is the folder of
    the one it was last asked for, `last_step` the last one heard of."""

    engine: EngineProcess
    device: str
    jobs: list[str] = field(default_factory=list)
    model: str = ""
    last_step: Step | None = None

    @property
    def has_room(self) -> bool:
        """Whether a job that comes now need not wait, or not for long."""
        return not self.jobs or (len(self.jobs) == 1 and self._steps_left() < ALMOST_DONE_STEPS)

    def fitness(self, model: str) -> tuple[float, ...]:
        """How well it suits a job on `model`, the least is the best: free, or nearly; with the model loaded; with no
        other model, which would have to go; started already."""
        status = self.engine.status()
        loaded = self.model if self.jobs or status.state == "busy" else status.model
        return len(self.jobs), self._steps_left(), loaded != model, bool(loaded), status.state not in ("ready", "busy")

    def _steps_left(self) -> float:
        if not self.jobs:
            return 0.0
        return math.inf if self.last_step is None else self.last_step.steps - self.last_step.step


class Engines:
    """`devices` are the devices to draw on, or ("auto",): every GPU the first engine finds, or else the processor.
    Every method may be called from any thread and none waits for an engine, unless it says so."""

    def __init__(self, start: Start, devices: Sequence[str] = (_AUTO,), command: list[str] | None = None) -> None:
        self.on_status: Callable[[EngineStatus], None] = lambda status: None
        self._start = start
        self._command = command
        self._auto = tuple(devices) == (_AUTO,)
        self._lock = threading.Lock()
        self._seats: list[Seat] = []
        #: The jobs that are under way, by the device they insist on; empty where any will do.
        self._expected: dict[str, str] = {}
        for device in devices:
            self._add(device)

    @property
    def first(self) -> EngineProcess:
        """The one that is there from the start."""
        return self._seats[0].engine

    @property
    def all(self) -> tuple[EngineProcess, ...]:
        return tuple(seat.engine for seat in self._seats)

    @property
    def places(self) -> int:
        """How many jobs can be drawn at a time: an engine that does not start any more has no place."""
        return max(1, len(self._seats) - sum(map(_gave_up, self._seats)))

    def start(self) -> None:
        """Starts the first engine, so that it is warm when the first job comes."""
        self.first.start()

    def statuses(self) -> tuple[EngineStatus, ...]:
        return tuple(engine.status() for engine in self.all)

    def devices(self) -> Mapping[str, int]:
        """How many engines there are for each device."""
        with self._lock:
            return Counter(seat.device for seat in _able(self._seats))

    def device_of(self, job: str) -> str:
        """Where a job sits or insists to sit; empty where neither is known."""
        with self._lock:
            sits = (seat.device for seat in self._seats if job in seat.jobs)
            return next(sits, self._expected.get(job, ""))

    def busy_devices(self) -> frozenset[str]:
        """The devices where no further job can begin: all, where those that do not insist on one need what is left."""
        with self._lock:
            able = _able(self._seats)
            standing = self._standing()
            room = {seat.device: _room(seat.device, able, standing) for seat in able}
            all_taken = sum(max(0, free) for free in room.values()) <= standing.count("")
            return frozenset(device for device in room if all_taken or room[device] <= 0)

    def expect(self, job: str, device: str | None) -> None:
        """Keeps room for a job until it is forgotten, at the device it insists on where one has it."""
        with self._lock:
            name = full_name(device or "")
            self._expected[job] = name if any(seat.device == name for seat in _able(self._seats)) else ""

    def forget(self, job: str) -> None:
        """The job is over."""
        with self._lock:
            self._expected.pop(job, None)

    @contextmanager
    def seat(self, job: str, model: str, device: str | None) -> Iterator[Seat]:
        """While open, a job has a place at one engine: at that of `device` where one has it, else at the fittest."""
        with self._lock:
            seat = self._chosen(model, device)
            seat.jobs.append(job)
            seat.model = model
        try:
            yield seat
        finally:
            with self._lock:
                seat.jobs.remove(job)
                seat.last_step = None

    def of(self, job: str) -> EngineProcess | None:
        """The engine that has the job, None when none has it."""
        with self._lock:
            return next((seat.engine for seat in self._seats if job in seat.jobs), None)

    def restart(self) -> None:
        """Ends those that run, and starts them anew; the first one in any case."""
        for engine in self.all:
            if engine is self.first or engine.status().state != "stopped":
                engine.restart()

    def unload(self, number: int | None = None) -> None:
        """Asks one engine, or all, to give their models' memory back."""
        for engine in self.all if number is None else (self.all[number],):
            engine.unload()

    def close(self) -> None:
        """Ends all of them: politely, then by terminate, then by kill; waits for that."""
        for engine in self.all:
            engine.ask_to_end()
        for engine in self.all:
            engine.close()

    def _chosen(self, model: str, device: str | None) -> Seat:
        able = _able(self._seats)
        named = [seat for seat in able if device and seat.device == full_name(device)]
        standing = self._standing()
        kept = {seat.device for seat in able if _room(seat.device, able, standing) <= 0}
        return min(named or able, key=lambda seat: (not named and seat.device in kept, *seat.fitness(model)))

    def _standing(self) -> list[str]:
        """Where those insist to sit that have no seat yet, or none any more."""
        seated = {job for seat in self._seats for job in seat.jobs}
        return [device for job, device in self._expected.items() if job not in seated]

    def _add(self, device: str) -> None:
        engine = EngineProcess(replace(self._start, device=device), self._command, len(self._seats))
        engine.on_status = self._heard
        self._seats.append(Seat(engine=engine, device=device))

    def _heard(self, status: EngineStatus) -> None:
        if self._auto and status.cards:
            with self._lock:
                self._seats[0].device = "cuda:0"
                for number in range(len(self._seats), len(status.cards)):
                    self._add(f"cuda:{number}")
        self.on_status(status)


def _room(device: str, able: Sequence[Seat], standing: Sequence[str]) -> int:
    """How many more jobs can begin at a device, beside those that insist on it."""
    return sum(seat.has_room for seat in able if seat.device == device) - standing.count(device)


def _able(seats: list[Seat]) -> list[Seat]:
    """Those whose engine starts; all where none does, so that a job is told why."""
    return [seat for seat in seats if not _gave_up(seat)] or seats


def _gave_up(seat: Seat) -> bool:
    return seat.engine.status().state == "failed"
