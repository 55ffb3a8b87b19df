"""kill -9 at every point of a paid call: no finished result is lost, nothing is paid twice, what is unsure is said."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from imagegen_desktop.domain.errors import IllegalMove
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.assemble import Parts
from tests.fake_openai import FakeOpenAI
from tests.fake_replicate import TOKEN, FakeReplicate
from tests.loopback import Loopback
from tests.services.conftest import Opened
from tests.services.test_runner import until_empty


@pytest.fixture(autouse=True)
def environment(open_parts: Opened) -> None:
    """Processes of ours find program, home and model: opening parts has prepared that."""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "imagegen_desktop", *arguments]


#: Where in a paid call the program dies, how many charges there are then, and what its job becomes at the next start.
OPENAI_POINTS = [("arrived", "uncertain"), ("billed", "uncertain"), ("partial", "uncertain"), ("finished", "uncertain")]
REPLICATE_POINTS = [
    ("schema", "done"),
    ("arrived", "uncertain"),
    ("billed", "uncertain"),
    ("polling", "done"),
    ("downloading", "done"),
]


def kill_at(point: str, server: Loopback, provider: str) -> None:
    """Starts a paid job on the command line and kills the program when the server is at that point."""
    gate = server.gate(point)
    child = subprocess.Popen(
        command("generate", "a red fox", "--provider", provider), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert gate.reached.wait(30), child.communicate()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    gate.opened.set()


def new_start(open_parts: Opened) -> Parts:
    """The program started again, having done whatever it may do by itself."""
    parts = open_parts()
    parts.recover()
    until_empty(parts)
    return parts


def the_job(parts: Parts) -> JobState:
    [job] = parts.queue.jobs()
    return job.state


@pytest.mark.parametrize(("point", "state"), OPENAI_POINTS, ids=[row[0] for row in OPENAI_POINTS])
def test_killed_in_a_call_to_openai(open_parts: Opened, openai: FakeOpenAI, point: str, state: str, life: int) -> None:
    kill_at(point, openai, "openai")
    assert the_job(new_start(open_parts)) == state
    assert len(openai.seen("/generations")) == 1


@pytest.mark.parametrize(("point", "state"), REPLICATE_POINTS, ids=[row[0] for row in REPLICATE_POINTS])
def test_killed_in_a_call_to_replicate(
    open_parts: Opened, replicate: FakeReplicate, point: str, state: str, life: int
) -> None:
    kill_at(point, replicate, "replicate")
    parts = new_start(open_parts)
    assert the_job(parts) == state
    assert len(replicate.seen("/predictions")) == 1
    assert parts.gallery.count() == (1 if state == "done" else 0)


@pytest.mark.parametrize("provider", ["openai", "replicate"])
@pytest.mark.parametrize("where", ["services.paid.PaidWork._save", "services.saver.Saver.save"])
def test_killed_while_it_saves(
    open_parts: Opened, openai: FakeOpenAI, replicate: FakeReplicate, provider: str, where: str, life: int
) -> None:
    """The answer is here and paid for: the next start saves it without asking anybody."""
    module, name, method = where.rsplit(".", 2)
    script = (
        f"import os, signal, sys\nfrom imagegen_desktop.{module} import {name}\n"
        f"{name}.{method} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"from imagegen_desktop.cli import run\nrun(['generate', 'a red fox', '--provider', '{provider}'])\n"
    )
    dead = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    server: Loopback = openai if provider == "openai" else replicate
    server.requests.clear()
    parts = new_start(open_parts)
    assert the_job(parts) == "done"
    assert parts.gallery.count() == len(server.charges) == 1
    assert server.requests == []


def test_a_paid_answer_is_not_given_to_another_request(open_parts: Opened, openai: FakeOpenAI) -> None:
    """The answer is here, its picture not saved yet: it belongs to the words that were paid for."""
    script = (
        "import os, signal\nfrom imagegen_desktop.services.saver import Saver\n"
        "Saver.save = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from imagegen_desktop.cli import run\nrun(['generate', 'a red fox', '--provider', 'openai'])\n"
    )
    dead = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    parts = open_parts()
    parts.recover()
    [job] = parts.queue.jobs()
    with pytest.raises(IllegalMove, match="paid picture") as refused:
        parts.queue_edits.edit([job.id], prompt="a blue dog")
    assert "copy" in refused.value.advice
    copy = parts.queue_edits.duplicate([job.id])[0]
    parts.queue_edits.edit([copy.id], prompt="a blue dog")
    until_empty(parts)
    words = {image.job: image.request.prompt for image in parts.gallery.page()}
    assert words == {job.id: "a red fox", copy.id: "a blue dog"}
    assert len(openai.charges) == 2


def test_interrupted_by_ctrl_c(open_parts: Opened, replicate: FakeReplicate) -> None:
    gate = replicate.gate("polling")
    child = subprocess.Popen(command("generate", "a fox", "--provider", "replicate"), stderr=subprocess.PIPE)
    assert gate.reached.wait(30)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=10)
    gate.opened.set()
    assert child.returncode == 130
    parts = new_start(open_parts)
    [job] = parts.queue.jobs()
    assert job.state is JobState.PAUSED
    parts.queue.resume(job.id)
    until_empty(parts)
    assert the_job(parts) is JobState.DONE
    assert len(replicate.charges) == 1
    assert TOKEN not in str(replicate.predictions)
