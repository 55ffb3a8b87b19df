"""Paid work: what leaves is remembered first, what comes back is kept before it is opened, nothing is asked twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import asdict
from pathlib import Path

from ..database.images import Images
from ..domain.errors import BadAnswer, BadInput, DiskProblem, Problem, ProviderProblem, Uncertain
from ..domain.image import REVISED, GeneratedImage
from ..domain.job import Job
from ..domain.paid_call import CallState
from ..imaging.decode import Decoder
from ..imaging.picture import Picture
from ..logs import logger
from ..protocol.messages import Image, Preview
from ..providers.base import Encoded, EncodedPreview, Provider, Recallable, Submitted, Submitting
from ..storage.durable import write_durably
from .announce import Announcer, JobEvent
from .ledger import Ledger
from .saver import Saver

_PREVIEW_SIDE = 512
UNCERTAIN_ADVICE = "It may have been charged. It is not sent again unless you retry it."


class PaidWork:
    """Between a paid provider and the library. `folder` is for results that are not in the library yet; what it
    cannot take, for want of space, stays in memory."""

    def __init__(
        self,
        ledger: Ledger,
        providers: Mapping[str, Provider],
        folder: Path,
        decoder: Decoder,
        saver: Saver,
        images: Images,
        announce: Announcer,
    ) -> None:
        self._ledger = ledger
        self._providers = providers
        self._folder = folder
        self._decoder = decoder
        self._saver = saver
        self._images = images
        self._announce = announce
        self._in_memory: dict[Path, bytes] = {}

    def submitted(self, job: Job) -> dict[int, Submitted]:
        """Requests of a job that left before and were named by the provider: those are asked for again."""
        return {
            call.index: Submitted(job=job.id, index=call.index, nonce=call.nonce, provider_id=call.provider_id)
            for call in self._ledger.open_calls(job.id)
            if call.provider_id
        }

    def hear(self, job: Job, event: Submitting | Submitted | EncodedPreview) -> Preview | None:
        """Remembers durably what a provider says of a request; a preview comes back opened."""
        if isinstance(event, Submitting):
            self._ledger.begin(job, event.index, event.nonce)
        elif isinstance(event, Submitted):
            self._ledger.accepted(event.nonce, event.provider_id)
        else:
            return self._preview(event)
        return None

    def receive(self, job: Job, event: Encoded, notes: tuple[str, ...] = ()) -> Future[GeneratedImage]:
        """A result: first to disk as it came, then counted, opened and saved. Raises BadAnswer for no picture."""
        file = self._file(job.id, event.index)
        head = {name: value for name, value in asdict(event).items() if name != "data"}
        head["notes"] = [*event.notes, *notes]
        content = json.dumps(head).encode() + b"\n" + event.data
        try:
            write_durably(file, content, overwrite=True)
        except DiskProblem:
            self._in_memory[file] = content
            raise
        self._ledger.ended(event.nonce, CallState.ANSWERED, event.cost)
        return self._save(job, file, content)

    def waiting_answer(self, job: Job) -> Future[GeneratedImage] | None:
        """Saves the result of the job's next image that could not be saved when it came, or by a process that died."""
        self._sweep()
        file = self._file(job.id, job.images_done)
        if file not in self._in_memory and not file.is_file():
            return None
        content = self._in_memory.get(file) or file.read_bytes()
        head = json.loads(content.partition(b"\n")[0])
        self._ledger.ended(head["nonce"], CallState.ANSWERED, head["cost"])
        return self._save(job, file, content)

    def unsaved(self, jobs: Iterable[str]) -> set[str]:
        """Those of these jobs that have a result whose picture is not in the library yet."""
        self._sweep()
        files = {*self._in_memory, *self._folder.glob("*.answer")}
        return {file.stem.rpartition("-")[0] for file in files} & set(jobs)

    def failed(self, job: Job, problem: ProviderProblem) -> ProviderProblem:
        """Notes how the open call of a job ended; an uncertain end of which nothing had left is a plain one."""
        calls = self._ledger.open_calls(job.id)
        if isinstance(problem, Uncertain):
            return problem if calls else ProviderProblem("The program ended before anything was sent.", "Retry it.")
        state = CallState.ABANDONED if isinstance(problem, BadAnswer) else CallState.REFUSED
        for call in calls:
            if not (call.provider_id and problem.holds):  # a named one is asked for again
                self._ledger.ended(call.nonce, state)
        return problem

    def cancelled(self, job: Job) -> None:
        self._ledger.end_open(job.id, CallState.CANCELLED)

    def recall(self, jobs: Sequence[str]) -> None:
        """Asks providers to stop what they still make for these jobs; a call without a name stays as it is."""
        named: dict[str, list[str]] = defaultdict(list)
        for call in self._ledger.open_calls(*jobs):
            if call.provider_id:
                self._ledger.ended(call.nonce, CallState.CANCELLED)
                named[call.provider].append(call.provider_id)
        for name, provider_ids in named.items():
            provider: object = self._providers.get(name)
            if isinstance(provider, Recallable):
                try:
                    provider.recall(provider_ids)
                except Problem as problem:  # its deadline ends it
                    logger("paid").warning("a provider could not be told to stop", reason=problem.message)

    def is_settled(self, job: Job) -> bool:
        """Whether a job may go on by itself: nothing of it is out there without a name."""
        return all(
            call.provider_id or call.index < job.images_done or self._is_here(self._file(job.id, call.index))
            for call in self._ledger.open_calls(job.id)
        )

    def _is_here(self, file: Path) -> bool:
        return file in self._in_memory or file.is_file()

    def _sweep(self) -> None:
        """Removes results whose image is in the library: the process died between saving it and tidying up."""
        for file in self._folder.glob("*.answer"):
            job, _, index = file.stem.rpartition("-")
            if index.isdigit() and self._images.made_by(job, int(index)) is not None:
                file.unlink(missing_ok=True)

    def _preview(self, event: EncodedPreview) -> Preview | None:
        try:
            picture = self._decoder.decode(event.data, _PREVIEW_SIDE)
        except BadInput:
            return None  # a preview is a courtesy; the result is still to come
        size = {"width": picture.width, "height": picture.height}
        return Preview(job=event.job, index=event.index, step=event.step, **size, pixels=picture.rgb)

    def _save(self, job: Job, file: Path, content: bytes) -> Future[GeneratedImage]:
        text, _, data = content.partition(b"\n")
        head = json.loads(text)
        try:
            picture = self._decoder.decode(data)
        except BadInput as problem:
            self._forget(file)
            raise BadAnswer(
                f"What came back is no picture: {problem.allowed}.", "Retry it; it may have been charged."
            ) from None
        image = Image(
            job=job.id,
            index=head["index"],
            seed=job.request.seed or 0,
            width=picture.width,
            height=picture.height,
            seconds=head["seconds"],
            notes=list(_notes(job, picture, head["revised_prompt"], head["notes"])),
            pixels=picture.rgb,
        )
        self._announce.publish(JobEvent(job=job.id, event=image))
        saving = self._saver.save_soon(job, image, alpha=picture.alpha, cost=head["cost"])
        kept: Future[GeneratedImage] = Future()
        saving.add_done_callback(lambda done: self._saved(file, done, kept))
        return kept

    def _saved(self, file: Path, saving: Future[GeneratedImage], kept: Future[GeneratedImage]) -> None:
        """The result is in the library; where it could not be saved it stays for the next attempt."""
        problem = CancelledError() if saving.cancelled() else saving.exception()
        if problem is not None:
            kept.set_exception(problem)
            return
        self._forget(file)
        kept.set_result(saving.result())

    def _forget(self, file: Path) -> None:
        self._in_memory.pop(file, None)
        file.unlink(missing_ok=True)

    def _file(self, job: str, index: int) -> Path:
        return self._folder / f"{job}-{index}.answer"


def _notes(job: Job, picture: Picture, revised: str, notes: Iterable[str]) -> Iterable[str]:
    request = job.request
    yield from notes
    if (picture.width, picture.height) != (request.width, request.height):
        yield f"came back as {picture.width} × {picture.height}"
    if revised:
        yield f"{REVISED}{revised}"
