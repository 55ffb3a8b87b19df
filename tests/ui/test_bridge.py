"""The bridge: answers arrive in the GUI thread, previews are few, faults do not end the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.errors import BadInput, Problem
from imagegen_desktop.protocol.messages import Image, Preview, Step
from imagegen_desktop.services.announce import Announcer, JobEvent, JobsChanged
from imagegen_desktop.ui.bridge import Bridge
from imagegen_desktop.ui.latest import Latest


@pytest.fixture
def announce() -> Announcer:
    return Announcer()


@pytest.fixture
def bridge(qtbot: QtBot, announce: Announcer) -> Iterator[Bridge]:
    made = Bridge(announce)
    yield made
    assert made.close()


def preview(step: int) -> JobEvent:
    return JobEvent(job="1", event=Preview(job="1", index=0, step=step, width=1, height=1, pixels=b"abc"))


def test_an_answer_is_given_in_this_thread(bridge: Bridge, qtbot: QtBot) -> None:
    worked: list[threading.Thread] = []
    answered: list[tuple[int, threading.Thread]] = []

    def work() -> int:
        worked.append(threading.current_thread())
        return 7

    bridge.ask(work, lambda answer: answered.append((answer, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(answered))
    assert answered == [(7, threading.main_thread())]
    assert worked[0] is not threading.main_thread()


def test_a_problem_goes_where_it_belongs(bridge: Bridge, qtbot: QtBot) -> None:
    problems: list[Problem] = []

    def refuse() -> None:
        raise BadInput("seed", -1, "0 or more")

    bridge.ask(refuse, None, problems.append)
    qtbot.waitUntil(lambda: bool(problems))
    assert isinstance(problems[0], BadInput)
    with qtbot.waitSignal(bridge.problem):
        bridge.ask(refuse)


def test_previews_are_thinned_and_the_last_one_is_shown(bridge: Bridge, announce: Announcer, qtbot: QtBot) -> None:
    shown: list[int] = []
    bridge.job_event.connect(lambda job, event: shown.append(event.step))
    for step in range(1, 51):
        announce.publish(preview(step))
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == 50)
    assert len(shown) < 10


def test_a_preview_never_comes_after_the_finished_image(bridge: Bridge, announce: Announcer, qtbot: QtBot) -> None:
    shown: list[str] = []
    bridge.job_event.connect(lambda job, event: shown.append(type(event).__name__))
    announce.publish(JobEvent(job="1", event=Step(job="1", index=0, step=1, steps=1, seconds=0.1)))
    announce.publish(preview(1))
    announce.publish(
        JobEvent(job="1", event=Image(job="1", index=0, seed=1, width=1, height=1, seconds=0.1, pixels=b"abc"))
    )
    qtbot.waitUntil(lambda: len(shown) == 3)
    assert shown[-1] == "Image"


def test_news_from_any_thread_arrives_here(bridge: Bridge, announce: Announcer, qtbot: QtBot) -> None:
    heard: list[tuple[tuple[str, ...], threading.Thread]] = []
    bridge.jobs_changed.connect(lambda ids: heard.append((ids, threading.current_thread())))
    speaker = threading.Thread(target=announce.publish, args=(JobsChanged(ids=("a",)),))
    speaker.start()
    speaker.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [(("a",), threading.main_thread())]


class Jobs:
    """Work that counts what was done and waits when there is none."""

    def __init__(self, waiting: int) -> None:
        self.left = waiting
        self.done = threading.Event()
        self.woken = threading.Event()

    def work_once(self, should_stop: Callable[[], bool]) -> bool:
        if self.left <= 0:
            self.done.set()
            return False
        self.left -= 1
        return True

    def wait_for_work(self, timeout: float) -> bool:
        return self.woken.wait(timeout)


def test_workers_do_what_waits_and_end_when_the_bridge_closes(qtbot: QtBot, announce: Announcer) -> None:
    bridge, jobs = Bridge(announce), Jobs(5)
    bridge.start_workers(jobs)
    assert jobs.done.wait(5)
    assert bridge.close(jobs.woken.set)
    bridge.ask(lambda: pytest.fail("asked after the end"))


def test_answers_to_the_same_question_do_not_overtake_each_other(bridge: Bridge, qtbot: QtBot) -> None:
    latest, gate, shown = Latest(bridge), threading.Event(), list[int]()

    def slow(answer: int) -> int:
        gate.wait(5)
        return answer

    latest.ask(lambda: slow(1), shown.append)
    latest.ask(lambda: 2, shown.append)
    latest.ask(lambda: 3, shown.append)
    gate.set()
    qtbot.waitUntil(lambda: 3 in shown)
    assert shown == [1, 3]
