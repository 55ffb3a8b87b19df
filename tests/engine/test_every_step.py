"""A killed process's image, finished by another one from any of its steps, is the same to the byte."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagegen_desktop.domain.families import FAMILIES, FLOW_SAMPLERS, MODEL_DEFAULT_SAMPLER, TEXT
from imagegen_desktop.domain.request import (
    REFERENCE_SIDE,
    Control,
    GenerationRequest,
    ImagePrompt,
    LoraWeight,
    SourceImage,
)
from imagegen_desktop.protocol.messages import Idle, Image, Started
from tests import tiny_additions
from tests.engine import bare
from tests.engine.engine_child import ROOT, SIDE, EngineChild, command, gradient, only, task_request

Tiny = Callable[[str], Path]
Kill = Callable[..., list[Path]]

#: What is added to Stable Diffusion 1; three samplers of each in the one check, all of them when faults are counted.
ADDED = ("lora", "controlnet", "ip-adapter")
THREE = (MODEL_DEFAULT_SAMPLER, "Euler a", "DPM++ 2M SDE Karras")
ALL_FROM = 100
_PICTURE = SourceImage(sha256="1" * 64, width=SIDE, height=SIDE)


def samplers(family: str) -> tuple[str, ...]:
    return (MODEL_DEFAULT_SAMPLER, *FAMILIES[family].samplers)


CASES = [("sd1", sampler, task) for sampler in samplers("sd1") for task in FAMILIES["sd1"].tasks]
CASES += [("sd2", sampler, TEXT) for sampler in samplers("sd2")]
CASES += [
    ("sdxl", sampler, task) for sampler in ("Euler a", "DPM++ 2M Karras", "Heun") for task in FAMILIES["sdxl"].tasks
]
CASES += [
    (name, sampler, task) for name in ("sd3", "flux") for sampler in samplers(name) for task in FAMILIES[name].tasks
]
# All pairs of the later families were run once; three of each stay.
CASES += [
    (name, sampler, task)
    for name in ("flux-kontext", "flux-fill", "flux2", "zimage", "qwen")
    for sampler, task in zip(FLOW_SAMPLERS, FAMILIES[name].tasks * 3, strict=False)
]
#: Guided by a second call instead of a second row of the batch.
CALLS_A_STEP = {"flux2": 2, "qwen": 2}


@pytest.fixture(scope="module")
def kill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kill]:
    """Draws a request in a process that dies at its end; the snapshots of steps 1, 2, …"""
    zygote = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.dying_engine"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert zygote.stdin
    assert zygote.stdout
    tell, answers = zygote.stdin, zygote.stdout

    def one(
        wish: GenerationRequest, model: Path, family: str, extras: list[Any] | None = None, **pictures: bytes
    ) -> list[Path]:
        place = tmp_path_factory.mktemp("snapshots") / "image.safetensors"
        case = {"request": wish.to_dict(), "model": str(model), "family": family, "snapshot": str(place)}
        case |= {"extras": extras or [], "pictures": {name: rows.hex() for name, rows in pictures.items()}}
        tell.write(json.dumps(case) + "\n")
        tell.flush()
        assert int(answers.readline()) == signal.SIGKILL
        return sorted(place.parent.iterdir(), key=lambda file: int(file.suffix[1:]))

    yield one
    tell.close()
    answers.close()
    zygote.wait()


@pytest.mark.slow
@pytest.mark.parametrize(("family", "sampler", "task"), CASES)
def test_every_step_resumes(engine: EngineChild, tiny: Tiny, kill: Kill, family: str, sampler: str, task: str) -> None:
    wish, model = task_request(task, sampler=sampler, steps=6), tiny(family)
    whole = bare.pixels(wish, model)
    before = only(engine.run(command(wish, model, family=family)), Idle)
    left_behind = kill(wish, model, family)
    for step, file in enumerate(left_behind, start=1):
        events = engine.run(command(wish, model, family=family, resume=str(file)))
        image, started, after = only(events, Image), only(events, Started), only(events, Idle)
        assert (image.resumed_at, started.step, started.steps) == (step, step, len(left_behind))
        assert image.notes == []
        assert image.pixels == whole, f"differs when resumed at step {step}"
        calls = CALLS_A_STEP.get(family, 1) * (len(left_behind) - step)
        assert after.denoiser_calls - before.denoiser_calls == calls, "a call was repeated"
        assert after.text_encodings == before.text_encodings
        before = after


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "added" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--faults") >= ALL_FROM
        chosen = samplers("sd1") if everything else THREE
        tasks = FAMILIES["sd1"].tasks if everything else (TEXT,)
        cases = [(added, sampler, task) for added in ADDED for sampler in chosen for task in tasks]
        metafunc.parametrize(("added", "sampler", "task"), cases)


@pytest.mark.slow
def test_every_step_resumes_with_what_was_added(
    engine: EngineChild, tiny: Tiny, kill: Kill, tmp_path: Path, added: str, sampler: str, task: str
) -> None:
    model, pictures = tiny("sd1"), dict[str, bytes]()
    if added == "lora":
        extras = [tiny_additions.extra("lora", tiny_additions.lora(model, tmp_path / "mine.safetensors"))]
        changes: dict[str, Any] = {"loras": (LoraWeight(name="mine", weight=0.7),)}
    elif added == "ip-adapter":
        adapter = tiny_additions.ip_adapter(model, tmp_path / "mine.safetensors", "plus")
        encoder = tiny_additions.image_encoder(tmp_path / "image_encoder")
        extras = [tiny_additions.extra("ip-adapter", adapter), tiny_additions.extra("image-encoder", encoder)]
        changes = {"image_prompts": (ImagePrompt(model="mine", image=_PICTURE, end=0.8),)}
        pictures["references"] = bytes(range(256)) * (REFERENCE_SIDE**2 * 3 // 256)
    else:
        extras = [tiny_additions.extra("controlnet", tiny_additions.controlnet(model, tmp_path / "net"))]
        changes = {"controls": (Control(model="mine", image=_PICTURE, end=0.8),)}
        pictures["conditions"] = gradient()
    wish = task_request(task, sampler=sampler, steps=6, **changes)
    asked = command(wish, model, extras=extras, **pictures)
    events = engine.run(asked)
    whole, before = only(events, Image).pixels, only(events, Idle)
    left_behind = kill(wish, model, "sd1", extras, **pictures)
    for step, file in enumerate(left_behind, start=1):
        events = engine.run(replace(asked, resume=str(file)))
        image, after = only(events, Image), only(events, Idle)
        assert (image.resumed_at, image.notes) == (step, [])
        assert image.pixels == whole, f"differs when resumed at step {step}"
        assert after.denoiser_calls - before.denoiser_calls == len(left_behind) - step, "a call was repeated"
        before = after
