"""Supervision: whatever the engine does, it is noticed, named, and there is another one."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from imagegen_desktop.domain.engine_status import EngineStatus
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.protocol.messages import (
    Cancel,
    Cancelled,
    Failed,
    Generate,
    Heartbeat,
    Idle,
    Image,
    Message,
    Start,
    Started,
    Step,
)
from imagegen_desktop.providers.engine_child import engine_environment
from imagegen_desktop.providers.engine_process import EngineProcess
from imagegen_desktop.providers.engine_pulse import Pulse
from tests.fake_engine import pixels_of

FAKE = [sys.executable, str(Path(__file__).parent.parent / "fake_engine.py")]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineProcess]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    made = EngineProcess(Start(), FAKE)
    yield made
    made.close()


def request(prompt: str = "a cat", steps: int = 3) -> GenerationRequest:
    return GenerationRequest(prompt=prompt, width=8, height=8, steps=steps, guidance=1.0, seed=7, model="fake")


def draw(engine: EngineProcess, wish: GenerationRequest, job: str = "j") -> list[Message]:
    """All events of one image, to its end."""
    heard: list[Message] = []
    with engine.listen(job) as next_event:
        engine.send(Generate(job=job, index=0, request=wish.to_dict(), model_path="fake", family="sd1"))
        while not heard or not isinstance(heard[-1], Image | Failed | Cancelled):
            heard.append(next_event())
    return heard


def test_an_image_comes_with_a_step_event_for_every_step(engine: EngineProcess) -> None:
    heard = draw(engine, request())
    assert [event.step for event in heard if isinstance(event, Step)] == [1, 2, 3]
    assert isinstance(heard[-1], Image)
    assert heard[-1].pixels == pixels_of(request(), 7)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("kill", "killed"),
        ("segv", "signal 11"),
        ("abort", "signal 6"),
        ("exit0", "ended"),
        ("exit1", "ended"),
        ("close", ""),
        ("babble", ""),
    ],
)
def test_each_death_is_named_and_another_engine_draws(engine: EngineProcess, kind: str, reason: str) -> None:
    heard = draw(engine, request(f"[die={kind}@2]"))
    assert isinstance(heard[-1], Failed)
    assert heard[-1].kind == "engine_died"
    assert reason in heard[-1].message
    assert isinstance(draw(engine, request())[-1], Image)
    assert engine.status().restarts == 1


def test_an_engine_that_never_stays_up_is_given_up_with_a_word() -> None:
    failed = threading.Event()
    engine = EngineProcess(Start(), [sys.executable, "-c", "raise SystemExit(3)"])
    engine.on_status = lambda status: failed.set() if status.state == "failed" else None
    engine.start()
    try:
        assert failed.wait(20)
        assert "restart it by hand" in engine.status().message
        assert isinstance(draw(engine, request())[-1], Failed)
        assert engine.status().state == "failed", "no job is sent to it where there is another"
    finally:
        engine.close()


def test_an_engine_that_cannot_be_started_is_told_to_every_job(tmp_path: Path) -> None:
    program = tmp_path / "engine"
    engine = EngineProcess(Start(), [str(program)])
    try:
        for _ in range(2):
            [said] = draw(engine, request())
            assert isinstance(said, Failed)
            assert "cannot be started" in said.message
            assert engine.status().state == "failed"
    finally:
        engine.close()


def test_cancel_ends_a_running_job(engine: EngineProcess) -> None:
    with engine.listen("j") as next_event:
        wish = request("[slow=0.05]", steps=500)
        engine.send(Generate(job="j", index=0, request=wish.to_dict(), model_path="fake", family="sd1"))
        while not isinstance(next_event(), Started):
            pass
        engine.send(Cancel(job="j"))
        while not isinstance(event := next_event(), Cancelled):
            assert isinstance(event, Message)  # type: ignore[arg-type, misc]
    assert event.step < 500


def test_no_engine_outlives_close(engine: EngineProcess) -> None:
    draw(engine, request())
    pid = engine.process_id()
    engine.close()
    assert pid is not None
    assert not psutil.pid_exists(pid)


def test_restart_by_hand_gives_a_new_engine(engine: EngineProcess) -> None:
    draw(engine, request())
    first = engine.process_id()
    engine.restart()
    while engine.process_id() in (first, None):
        draw(engine, request(), "k")
    assert isinstance(draw(engine, request(), "l")[-1], Image)
    engine.restart()  # and close at once, while there may be no child at all


def test_status_changes_are_told_in_order(engine: EngineProcess) -> None:
    told: list[EngineStatus] = []
    ready = threading.Event()

    def listen(status: EngineStatus) -> None:
        told.append(status)
        if status.state == "ready":
            ready.set()

    engine.on_status = listen
    engine.start()
    assert ready.wait(20)
    assert [status.state for status in told][-1] == "ready"
    assert told[-1].device_name == "fake"


def test_keys_never_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "REPLICATE_API_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "canary-0123456789")
    assert "canary-0123456789" not in engine_environment().values()
    assert engine_environment()["PATH"] == os.environ["PATH"]


class Clock:
    """A clock that stands still until it is moved, asking the pulse every second as its watcher does."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_time(self, pulse: Pulse, seconds: float, beating: bool = True) -> bool:
        for _ in range(int(seconds)):
            self.now += 1.0
            if beating:
                pulse.felt(Heartbeat(job="j"))
            if pulse.is_hanging():
                return True
        return False


def test_silence_is_a_hang_after_half_a_minute() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    assert not clock.pass_time(pulse, 29, beating=False)
    assert clock.pass_time(pulse, 3, beating=False)
    assert "answering" in pulse.verdict


def test_a_step_that_never_ends_is_a_hang_though_the_heart_beats() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.felt(Step(job="j", index=0, step=1, steps=9, seconds=0.1))
    assert not clock.pass_time(pulse, 29)
    assert clock.pass_time(pulse, 3)


def test_slow_steps_and_long_loads_are_no_hang() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for step in range(1, 4):
        assert not clock.pass_time(pulse, 60)
        pulse.felt(Step(job="j", index=0, step=step, steps=9, seconds=60))
    assert not clock.pass_time(pulse, 600)
    pulse.felt(Idle(denoiser_calls=0, text_encodings=0, decodings=0))
    assert not clock.pass_time(pulse, 500)


def test_our_own_sleep_is_not_the_engines_fault() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    assert not pulse.is_hanging()
    clock.now += 8 * 3600
    assert not pulse.is_hanging()
    assert not clock.pass_time(pulse, 20, beating=False)
