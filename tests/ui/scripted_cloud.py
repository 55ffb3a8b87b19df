"""A paid provider and a language model whose words the test decides."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from imagegen_desktop.domain.cloud_model import CloudModel, Range, SizeRule
from imagegen_desktop.domain.errors import KeyRefused
from imagegen_desktop.domain.families import IMAGE, TEXT
from imagegen_desktop.protocol.messages import Cancelled, Started
from imagegen_desktop.providers.base import Assignment, Capabilities, Encoded, ProviderEvent, Submitting
from imagegen_desktop.providers.prompt_writer import Commission, PromptWriter, Used
from tests.pictures import png

FLAT = CloudModel(
    name="black-forest-labs/flux-1.1-pro",
    title="Flat",
    sizes=SizeRule(default=(1024, 1024), only=((1024, 1024), (1536, 1024), (1024, 1536))),
    qualities=("auto", "high"),
)
RICH = CloudModel(
    name="rich",
    title="Rich",
    tasks=(TEXT, IMAGE),
    seeds=True,
    negative_prompt=True,
    steps=Range(low=1, high=12, default=8),
)


class ScriptedCloud:
    """`good_key` is the only key it takes."""

    name = "openai"
    good_key = "sk-good"

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []
        self.refusing = False

    def capabilities(self) -> Capabilities:
        return Capabilities(
            title="Cloud", local=False, tasks=(TEXT, IMAGE), paid=True, models=(FLAT, RICH), default_model=FLAT.name,
            key="openai",
        )  # fmt: skip

    def check(self, key: str | None = None) -> str:
        if key != self.good_key:
            raise KeyRefused("The key is not taken.", "Enter another one.")
        return "The key works."

    def run(self, assignment: Assignment) -> Iterator[ProviderEvent]:
        self.assignments.append(assignment)
        job, request = assignment.job.id, assignment.job.request
        if self.refusing:
            raise KeyRefused("The key is not taken.", "Enter another one.")
        for index in range(assignment.first_index, request.count):
            yield Started(job=job, index=index, steps=1)
            yield Submitting(job=job, index=index, nonce=f"{job}-{index}")
            data = png(request.width or 64, request.height or 64, (40, 90, 160))
            yield Encoded(job=job, index=index, nonce=f"{job}-{index}", data=data, cost=0.04)
        if False:
            yield Cancelled(job=job, index=0, step=0)

    def cancel(self, job: str) -> None: ...

    def pause(self, job: str) -> None: ...

    def close(self) -> None: ...


class ScriptedWriter(PromptWriter):
    """Writes `pieces`, each after an `allow()`; with no pieces there is nobody to ask."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self._allowed = threading.Semaphore(0)
        self._ended = threading.Event()

    def allow(self, pieces: int = 1) -> None:
        self._allowed.release(pieces)

    def can_write(self, endpoint: str) -> bool:
        return bool(self._pieces)

    def write(self, commission: Commission) -> Iterator[str | Used]:
        from imagegen_desktop.providers.leaving import Left

        self._ended.clear()
        for piece in self._pieces:
            assert self._allowed.acquire(timeout=20)
            if self._ended.is_set():
                raise Left("cancel")
            yield piece

    def cancel(self) -> None:
        self._ended.set()
        self._allowed.release()
