"""A torch-free engine that speaks the real protocol: deterministic pixels, and every way to misbehave on demand.

Faults are asked for in the prompt, so that any face can ask for them: `[slow=0.05]` seconds a step, and
`[die=KIND@STEP]` with KIND one of kill, segv, abort, exit0, exit1, close, hang, babble, silence. `[once]` limits the
fault to the first engine that meets it (a file in FAKE_ENGINE_MARKS remembers). `[fail]` fails at once, `[fail=0@2]`
the first image at its second step. FAKE_ENGINE_CARDS are the names of the GPUs it finds, with commas between. `[hash]`
names the hash of its model, as real engines do once they know it. Snapshots are kept as real engines keep them: at
every step when that is wished, and when a job is paused.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.protocol.framing import Stream
from imagegen_desktop.protocol.messages import (
    Cancel,
    Cancelled,
    Channel,
    Decoding,
    Failed,
    Generate,
    Heartbeat,
    Idle,
    Image,
    Message,
    Pause,
    Paused,
    Preview,
    Ready,
    Shutdown,
    Start,
    Started,
    Step,
)
from imagegen_desktop.storage.durable import write_durably


def pixels_of(request: GenerationRequest, seed: int) -> bytes:
    """The RGB rows this engine makes of a request: chance, but the same every time."""
    size = (request.width or 0) * (request.height or 0) * 3
    key = f"{request.full_prompt}|{request.steps}|{request.sampler}|{seed}".encode()
    return hashlib.shake_256(key).digest(size)


def keep_snapshot(command: Generate, step: int) -> str:
    """Notes durably how far an image is; where."""
    if command.snapshot:
        place = Path(command.snapshot)
        place.parent.mkdir(parents=True, exist_ok=True)
        content = {"step": step, "request": snapshot_identity(command.wish)}
        write_durably(place, json.dumps(content).encode(), overwrite=True)
    return command.snapshot


def step_of_snapshot(place: Path, request: GenerationRequest) -> int:
    """0 where there is none of this image."""
    try:
        content = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return 0
    return int(content["step"]) if content["request"] == snapshot_identity(request) else 0


def snapshot_identity(request: GenerationRequest) -> str:
    """What decides the pixels of one image."""
    return repr(replace(request, priority=0, use_cache=True, until=None, device=None))


class FakeEngine:
    """Runs Generate commands one after another; Cancel and Pause act at the next step."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._waiting: deque[Generate] = deque()
        self._arrived = threading.Condition()
        self._stops: dict[str, type[Cancel] | type[Pause]] = {}
        self._running = ""
        self._silent = False

    def serve(self) -> None:
        start = self._channel.receive()
        assert isinstance(start, Start)
        cards = [name for name in os.environ.get("FAKE_ENGINE_CARDS", "").split(",") if name]
        device = start.device if start.device != "auto" else "cuda:0" if cards else "cpu"
        if device.startswith("cuda:") and int(device[5:]) >= len(cards):
            self._channel.send(Failed(job="", kind="bad_input", message=f"device: {device} is not possible."))
            return
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        self._channel.send(
            Ready(
                version=1,
                pid=os.getpid(),
                device=device,
                device_name="fake",
                memory_total=0,
                torch="-",
                diffusers="-",
                seconds=0.0,
                cards=cards,
            )
        )
        model = ""
        while True:
            with self._arrived:
                if not self._waiting:
                    self._channel.send(Idle(denoiser_calls=0, text_encodings=0, decodings=0, model=model))
                self._arrived.wait_for(lambda: self._waiting)
                command = self._waiting.popleft()
                self._running, model = command.job, command.model_path
            self._generate(command)
            self._running = ""

    def _listen(self) -> None:
        while (message := self._channel.receive()) is not None:
            self._hear(message)
        os._exit(0)

    def _hear(self, message: Message) -> None:
        if isinstance(message, Shutdown):
            os._exit(0)
        with self._arrived:
            if isinstance(message, Generate):
                self._stops.pop(message.job, None)
                self._waiting.append(message)
            elif isinstance(message, Cancel | Pause):
                mine = [command for command in self._waiting if command.job == message.job]
                for command in mine:
                    self._waiting.remove(command)
                if self._running == message.job:
                    self._stops[message.job] = type(message)
                elif mine:
                    self._channel.send(Cancelled(job=message.job, index=mine[0].index))
            self._arrived.notify_all()

    def _beat(self) -> None:
        while True:
            if not self._silent:
                self._channel.send(Heartbeat(job=self._running))
            time.sleep(0.2)

    def _generate(self, command: Generate) -> None:
        request = command.wish
        seed, steps = request.seed_of(0), request.steps or 1
        width, height = request.width or 8, request.height or 8
        pause = float(_asked(request, "slow") or 0.0)
        names = {"job": command.job, "index": command.index}
        if "[fail]" in request.prompt:
            self._channel.send(Failed(job=command.job, kind="model", message="This fails.", advice="Do not ask."))
            return
        begun = step_of_snapshot(Path(command.resume), request) if command.resume else 0
        self._channel.send(Started(**names, steps=steps, step=begun))
        for step in range(begun + 1, steps + 1):
            self._misbehave(request, step)
            if _asked(request, "fail") == f"{command.index}@{step}":
                self._channel.send(Failed(job=command.job, kind="model", message="This fails.", advice="Do not ask."))
                return
            time.sleep(pause)
            if self._left(command, step, steps):
                return
            if 0 < command.snapshot_seconds < 1e-3:
                keep_snapshot(command, step)
            self._channel.send(Step(**names, step=step, steps=steps, seconds=pause))
            self._channel.send(Preview(**names, step=step, width=2, height=2, pixels=bytes(12)))
            if step == request.until and step < steps:
                self._channel.send(Paused(**names, step=step, steps=steps))
                return
        self._channel.send(Decoding(**names))
        image = Image(
            **names,
            seed=seed,
            width=width,
            height=height,
            seconds=pause * steps,
            model_hash="0" * 64 if "[hash]" in request.prompt else "",
            resumed_at=begun or None,
            pixels=pixels_of(request, seed),
        )
        self._channel.send(image)

    def _left(self, command: Generate, step: int, steps: int) -> bool:
        stop = self._stops.pop(command.job, None)
        if stop is Cancel:
            self._channel.send(Cancelled(job=command.job, index=command.index, step=step - 1))
        elif stop is Pause:
            kept = keep_snapshot(command, step - 1)
            self._channel.send(Paused(job=command.job, index=command.index, step=step - 1, steps=steps, snapshot=kept))
        return stop is not None

    def _misbehave(self, request: GenerationRequest, step: int) -> None:
        asked = _asked(request, "die")
        if not asked or int(asked.partition("@")[2] or 1) != step:
            return
        if "[once]" in request.prompt:
            mark = Path(os.environ["FAKE_ENGINE_MARKS"]) / hashlib.sha256(request.prompt.encode()).hexdigest()
            if mark.exists():
                return
            mark.touch()
        self._die(asked.partition("@")[0])

    def _die(self, kind: str) -> None:
        signals = {"kill": signal.SIGKILL, "segv": signal.SIGSEGV, "abort": signal.SIGABRT}
        if kind in signals:
            os.kill(os.getpid(), signals[kind])
        elif kind in ("exit0", "exit1"):
            os._exit(int(kind[-1]))
        elif kind == "close":
            os.close(1)
        elif kind == "babble":
            os.write(1, b"this is no frame at all" * 10)
        elif kind == "silence":
            self._silent = True
        threading.Event().wait()


def _asked(request: GenerationRequest, what: str) -> str:
    found = re.search(rf"\[{what}=([^\]]+)\]", request.prompt)
    return found.group(1) if found else ""


if __name__ == "__main__":
    FakeEngine(Channel(Stream(sys.stdin.buffer, sys.stdout.buffer))).serve()
