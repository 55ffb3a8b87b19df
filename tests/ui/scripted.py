"""A provider that paints little landscapes step by step, for windows under test and for screenshots."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPolygonF, QRadialGradient

from imagegen_desktop.domain.families import IMAGE, INPAINT, TEXT
from imagegen_desktop.protocol.messages import (
    Cancelled,
    Decoding,
    Failed,
    Image,
    Loading,
    Paused,
    Preview,
    Started,
    Step,
)
from imagegen_desktop.providers.base import Assignment, Capabilities, ProviderEvent

_PATIENCE = 20.0


class ScriptedProvider:
    """Runs freely, or with `hold()` one step for every `allow()`. `[fail]` and `[memory]` in a prompt make it fail."""

    name = "local"

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []
        self._free = threading.Event()
        self._free.set()
        self._allowed = threading.Semaphore(0)
        self._cancelled: set[str] = set()
        self._paused: set[str] = set()

    def hold(self) -> None:
        self._free.clear()

    def allow(self, steps: int = 1) -> None:
        self._allowed.release(steps)

    def release(self) -> None:
        self._free.set()
        self._allowed.release(10_000)

    def capabilities(self) -> Capabilities:
        return Capabilities(title="This computer", local=True, tasks=(TEXT, IMAGE, INPAINT))

    def cancel(self, job: str) -> None:
        self._cancelled.add(job)
        self._allowed.release()

    def pause(self, job: str) -> None:
        self._paused.add(job)
        self._allowed.release()

    def close(self) -> None:
        self.release()

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        self.assignments.append(assignment)
        job = assignment.job
        self._cancelled.discard(job.id)
        self._paused.discard(job.id)
        yield Loading(job=job.id, phase="loading model", done=0, total=0)
        for index in range(assignment.first_index, job.request.count):
            for event in self._image(assignment, index):
                yield event
                if isinstance(event, Cancelled | Paused | Failed):
                    return

    def _image(self, assignment: Assignment, index: int) -> Iterator[ProviderEvent]:
        job, request = assignment.job, assignment.job.request
        steps = request.steps or 1
        seed = request.seed_of(index)
        picture = landscape(seed, request.width or 64, request.height or 64)
        yield Started(job=job.id, index=index, steps=steps)
        for step in range(1, steps + 1):
            if not self._free.is_set() and not self._allowed.acquire(timeout=_PATIENCE):
                yield Failed(job=job.id, kind="engine", message="The test forgot this job.")
                return
            end = self._end(job.id, request.prompt, index, step, steps)
            if end is not None:
                yield end
                return
            yield Step(job=job.id, index=index, step=step, steps=steps, seconds=0.21)
            small = noisy(picture, 1 - step / steps)
            yield Preview(
                job=job.id, index=index, step=step, width=small.width(), height=small.height(), pixels=rows(small)
            )
            if step == request.until and step < steps:
                yield Paused(job=job.id, index=index, step=step, steps=steps)
                return
        yield Decoding(job=job.id, index=index)
        yield Image(
            job=job.id,
            index=index,
            seed=seed,
            width=picture.width(),
            height=picture.height(),
            seconds=0.21 * steps,
            model_hash="paper",
            pixels=rows(picture),
        )

    def _end(self, job: str, prompt: str, index: int, step: int, steps: int) -> ProviderEvent | None:
        if job in self._cancelled:
            return Cancelled(job=job, index=index, step=step - 1)
        if job in self._paused:
            return Paused(job=job, index=index, step=step - 1, steps=steps)
        if "[memory]" in prompt:
            advice = "Try a smaller size, or close other programs that use the GPU."
            return Failed(job=job, kind="out_of_memory", message="Needs 9.1 GB, 7.8 GB are free.", advice=advice)
        if "[fail]" in prompt:
            return Failed(job=job, kind="engine", message="The sampler diverged.", advice="Try another sampler.")
        return None


def landscape(seed: int, width: int, height: int) -> QImage:
    """A picture that looks like one: sky, sun, hills, a lake."""
    chance = random.Random(seed)
    hue = chance.random()
    image = QImage(width, height, QImage.Format.Format_RGB888)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    sky = QLinearGradient(0, 0, 0, height * 0.7)
    sky.setColorAt(0, QColor.fromHsvF(hue, 0.55, chance.uniform(0.3, 0.8)))
    sky.setColorAt(1, QColor.fromHsvF((hue + 0.12) % 1, 0.4, 0.98))
    painter.fillRect(image.rect(), sky)
    _paint_sun(painter, chance, hue, width, height)
    for layer in range(4):
        value = 0.72 - 0.16 * layer
        painter.setBrush(QColor.fromHsvF((hue + 0.45 + 0.04 * layer) % 1, 0.35 + 0.1 * layer, value))
        painter.drawPolygon(_ridge(chance, width, height, 0.46 + 0.13 * layer))
    painter.end()
    return image


def _paint_sun(painter: QPainter, chance: random.Random, hue: float, width: int, height: int) -> None:
    centre = QPointF(width * chance.uniform(0.2, 0.8), height * chance.uniform(0.18, 0.4))
    radius = height * chance.uniform(0.07, 0.13)
    glow = QRadialGradient(centre, radius * 3.5)
    glow.setColorAt(0, QColor(255, 246, 214, 190))
    glow.setColorAt(1, QColor(255, 246, 214, 0))
    painter.setBrush(glow)
    painter.drawEllipse(centre, radius * 3.5, radius * 3.5)
    painter.setBrush(QColor.fromHsvF((hue + 0.1) % 1, 0.12, 1.0))
    painter.drawEllipse(centre, radius, radius)


def _ridge(chance: random.Random, width: int, height: int, level: float) -> QPolygonF:
    columns = 24
    line, points = chance.uniform(-0.06, 0.06), []
    for column in range(columns + 1):
        line = max(-0.16, min(0.12, line + chance.uniform(-0.045, 0.045)))
        points.append(QPointF(width * column / columns, height * (level + line)))
    return QPolygonF([*points, QPointF(width, height), QPointF(0, height)])


def noisy(picture: QImage, share: float) -> QImage:
    """An eighth of the picture's size with `share` of noise, as a preview of latents looks."""
    width, height = max(8, picture.width() // 8), max(8, picture.height() // 8)
    keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    small = picture.scaled(width, height, keep, smooth).convertToFormat(QImage.Format.Format_RGB888)
    noise = QImage(os.urandom(width * height * 3), width, height, width * 3, QImage.Format.Format_RGB888)
    painter = QPainter(small)
    painter.setOpacity(share)
    painter.drawImage(QRectF(0, 0, width, height), noise)
    painter.end()
    return small


def rows(image: QImage) -> bytes:
    """The pixels as RGB rows without padding."""
    packed = image.convertToFormat(QImage.Format.Format_RGB888)
    data, stride, width = bytes(packed.constBits()), packed.bytesPerLine(), packed.width() * 3
    return b"".join(data[row * stride : row * stride + width] for row in range(packed.height()))


def paper_model(home: Path, side: int = 64) -> None:
    """A model folder that looks like one and holds no weights."""
    folder = home / "models" / "paper"
    files = {
        "model_index.json": {
            "_class_name": "StableDiffusionPipeline",
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
            "scheduler": ["diffusers", "PNDMScheduler"],
        },
        "card.json": {
            "family": "starter",
            "name": "Paper",
            "summary": "A model for trying things out. It draws hills under a sun, in a second.",
            "width": side,
            "height": side,
            "steps": 20,
            "guidance": 4.0,
            "examples": ["hills under a low sun", "a lake in the evening, calm", "mountains at night, moon"],
        },
        "unet/config.json": {"sample_size": side // 8, "cross_attention_dim": 768},
        "vae/config.json": {"block_out_channels": [8, 8, 8, 8]},
        "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
