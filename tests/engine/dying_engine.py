"""Processes that die by SIGKILL at the end of sampling, leaving one snapshot for every step behind.

The imports are paid once: each case runs in a fork of this process. One JSON line in (a Generate without its
pictures), one line out (the signal the fork died of).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.generate import Engine
from imagegen_desktop.protocol.messages import Event, Failed, Generate, Start, Step
from tests.engine.engine_child import command


def draw_and_die(asked: Generate) -> None:
    place = Path(asked.snapshot)

    def send(*events: Event) -> None:
        event = events[0]
        if isinstance(event, Failed):
            os._exit(1)
        if isinstance(event, Step):
            engine.writer.flush()
            place.rename(place.with_suffix(f".{event.step}"))
            if event.step == event.steps:
                os.kill(os.getpid(), signal.SIGKILL)

    engine = Engine(Start(device="cpu", threads=1), send)
    engine.generate(replace(asked, snapshot_seconds=1e-9), Desk(asked.job))


def main() -> None:
    torch.set_num_threads(1)
    for line in sys.stdin:
        case = json.loads(line)
        wish = GenerationRequest.from_dict(case.pop("request"))
        child = os.fork()
        if child == 0:
            pictures = {name: bytes.fromhex(rows) for name, rows in case["pictures"].items()}
            added = {"extras": case["extras"], **pictures}
            draw_and_die(command(wish, Path(case["model"]), family=case["family"], snapshot=case["snapshot"], **added))
            os._exit(2)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
