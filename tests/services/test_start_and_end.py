"""Starting after bad ends, and giving memory back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from imagegen_desktop.domain.engine_status import EngineStatus
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.announce import Announcer, EngineChanged, Notice
from imagegen_desktop.services.assemble import Parts
from imagegen_desktop.services.courtesy import Courtesy
from imagegen_desktop.services.starts import Starts
from imagegen_desktop.settings import Settings
from tests.services.test_runner import heard_by, until_empty, wish


def test_after_two_starts_that_died_at_once_the_queue_waits(open_parts: Callable[[], Parts], home: Path) -> None:
    for _ in range(2):
        assert not Starts(home / "starts.json").begin()
    parts = open_parts()
    heard = heard_by(parts)
    job = parts.queue.add(wish())
    parts.begin()
    assert parts.queue.paused
    assert any(isinstance(event, Notice) and "twice" in event.text for event in heard)
    assert not parts.runner.work_once()
    parts.queue.resume_all()
    until_empty(parts)
    assert parts.queue.get(job.id).state is JobState.DONE
    parts.close()
    assert not Starts(home / "starts.json").begin()


def test_an_idle_model_gives_its_memory_back_and_a_busy_one_does_not(tmp_path: Path) -> None:
    announce, unloaded = Announcer(), threading.Event()
    settings = Settings(tmp_path / "settings.toml")
    settings.override("idle_unload_minutes", 0.001)
    numbers: list[int] = []
    courtesy = Courtesy(settings, lambda number: (numbers.append(number), unloaded.set()), announce)
    announce.publish(EngineChanged(status=EngineStatus(state="ready", model="")))
    announce.publish(EngineChanged(status=EngineStatus(state="ready", model="m")))
    announce.publish(EngineChanged(status=EngineStatus(state="busy", model="m")))
    assert not unloaded.wait(0.2)
    announce.publish(EngineChanged(status=EngineStatus(state="ready", model="m")))
    announce.publish(EngineChanged(status=EngineStatus(number=1, state="busy", model="m")))
    assert unloaded.wait(10)
    courtesy.close()
    assert numbers == [0]
