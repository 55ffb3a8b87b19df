"""The engine as a process: its pipe is its life, and nothing else may touch it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen_desktop.protocol.messages import Heartbeat, Idle, Image, Load, Loading, Ready, Shutdown, Start, Step
from tests.engine.engine_child import ROOT, EngineChild, command, only, request

Tiny = Callable[[str], Path]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


def run_child(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, input=b"", check=True)


@pytest.mark.slow
def test_a_life_from_start_to_shutdown(tiny: Tiny) -> None:
    child = EngineChild(Start(device="auto", threads=1, preview_every=2), entry=["imagegen_desktop.engine"])
    child.send(Load(path=str(tiny("sd1")), family="sd1"))
    seen: list[object] = []
    ready = child.until(Ready, seen)
    assert any(isinstance(event, Heartbeat) and event.memory_used for event in seen), "silent while importing"
    assert ready.pid == child.process.pid
    assert ready.torch
    assert ready.diffusers
    assert child.until(Idle).model == str(tiny("sd1")), "loaded although the command came before it was ready"
    events = child.run(command(request(steps=4, sampler="Euler"), tiny("sd1")))
    assert not any(isinstance(event, Loading) and event.phase == "loading model" for event in events)
    assert [event.step for event in events if type(event).__name__ == "Preview"] == [2, 4]
    only(events, Image)
    child.send(Shutdown())
    assert child.process.wait(timeout=30) == 0
    child.close()


@pytest.mark.slow
def test_the_end_of_the_pipe_ends_the_engine_in_mid_step(tiny: Tiny) -> None:
    child = EngineChild(Start(device="cpu", threads=1))
    child.until(Ready)
    child.send(command(request(steps=900, sampler="Euler"), tiny("sd1")))
    child.until(Step)
    assert child.process.stdin
    child.process.stdin.close()
    assert child.process.wait(timeout=10) == 0
    child.close()


@pytest.mark.parametrize(("bytes_in", "status"), [(b"", 0), (b"GET / HTTP/1.1\r\n\r\n", 2)])
def test_what_is_no_protocol_ends_it_at_once(bytes_in: bytes, status: int) -> None:
    entry = [sys.executable, "-m", "imagegen_desktop", "--engine"]
    done = subprocess.run(entry, input=bytes_in, capture_output=True, cwd=ROOT, timeout=60)
    assert done.returncode == status
    assert done.stdout == b""


def test_a_stray_print_cannot_touch_the_protocol() -> None:
    code = (
        "import os; from imagegen_desktop.engine.process import private_channel\n"
        "from imagegen_desktop.protocol.messages import Shutdown\n"
        "channel = private_channel(); print('stray', flush=True); os.system('echo stray'); channel.send(Shutdown())"
    )
    done = run_child(code)
    assert done.stderr.count(b"stray") == 2
    assert b"stray" not in done.stdout
    assert done.stdout


def test_the_door_opens_without_the_libraries() -> None:
    done = run_child("import sys, imagegen_desktop.engine.worker; print('torch' in sys.modules)")
    assert done.stdout.strip() == b"False"


@linux
def test_out_of_memory_takes_the_engine_before_the_window() -> None:
    code = (
        "from imagegen_desktop.engine.process import die_with_parent\n"
        "die_with_parent(); print(open('/proc/self/oom_score_adj').read())"
    )
    assert int(run_child(code).stdout) == 500


@linux
def test_it_dies_with_its_parent_even_when_the_pipe_stays_open() -> None:
    child = (
        "import os, signal; from imagegen_desktop.engine.process import die_with_parent\n"
        "die_with_parent(); os.write(1, b'x'); signal.pause()"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    outgoing, incoming = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=incoming, cwd=ROOT)
    os.close(incoming)
    assert os.read(outgoing, 1) == b"x"
    process.kill()
    process.wait()
    assert os.read(outgoing, 1) == b"", "the child still holds its end"
    os.close(outgoing)


@pytest.mark.parametrize(
    "deed",
    [
        "import pickle; pickle.loads(b'cos\\nsystem\\n(S\\'true\\'\\ntR.')",
        "import os; os.system('true')",
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
    ],
)
def test_the_engine_neither_unpickles_nor_connects(deed: str) -> None:
    code = f"from imagegen_desktop.engine.process import stay_closed\nstay_closed()\n{deed}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, text=True)
    assert done.returncode != 0
    assert "the engine does not do that" in done.stderr
