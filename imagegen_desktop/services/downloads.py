"""Getting models from the hub: what would come, fetching it, pausing over restarts, and putting it into place whole."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..domain.download import OPEN, Download, DownloadState
from ..domain.errors import DiskProblem, NotFound, Problem
from ..domain.hub_model import hub_address
from ..domain.hub_selection import INDEX, select
from ..providers.leaving import CANCEL, CLOSE, PAUSE, Left
from ..storage.durable import disk_problems
from ..storage.staging import Staging
from .announce import Announcer, DownloadChanged, ModelsChanged
from .download_journal import DownloadJournal, journal_for, read_journal

if TYPE_CHECKING:
    from ..providers.hub import Hub
    from .fetching import Fetching

HIDDEN = ".downloads"
SPARE_BYTES = 200 * 2**20

_TELL_SECONDS = 0.2
_BUSY = (DownloadState.WAITING, DownloadState.RUNNING)


@dataclass(frozen=True, kw_only=True)
class HubOffer:
    """What would be fetched, shown before it is. `installed` is where the very same model lies already."""

    journal: DownloadJournal
    free_bytes: int
    missing_bytes: int
    installed: Path | None = None

    def check_space(self) -> None:
        """Raises DiskProblem unless what is missing fits on the disk."""
        needed = self.missing_bytes + SPARE_BYTES
        if self.missing_bytes and self.free_bytes < needed:
            raise DiskProblem(
                f"{self.journal.model.id} needs {needed:,} bytes; {self.free_bytes:,} are free.",
                f"Free at least {needed - self.free_bytes:,} bytes on the disk of your models.",
            )


class ModelDownloads:
    """One model at a time, in the order they were asked for; all calls but `look` and `wait` return at once and may
    come from any thread. `found` is told when a model has come; `has_gpu` prefers files of half precision. `hub` is
    asked for only when there is something to ask it: what speaks HTTP is slow to import."""

    def __init__(
        self,
        hub: Callable[[], Hub],
        root: Path,
        announce: Announcer,
        found: Callable[[], object],
        has_gpu: Callable[[], bool],
        pause_seconds: float = 0.5,
    ) -> None:
        self._hub = hub
        self._root = root
        self._announce = announce
        self._found = found
        self._has_gpu = has_gpu
        self._pause = pause_seconds
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._known: dict[str, Download] = {}
        self._running = ""
        self._fetching: Fetching | None = None
        self._wish = ""
        self._closing = False
        self._worker: threading.Thread | None = None

    def look(self, text: str, revision: str | None = None, file: str | None = None) -> HubOffer:
        """Asks the hub what would be fetched; raises a Problem. Takes as long as the network does."""
        address = hub_address(text, revision, file)
        model = self._hub().model(address.id, address.revision)
        index = model.file(INDEX)
        parts = self._hub().json(model, index) if index is not None and not address.file else None
        journal = journal_for(model, select(model, parts, self._has_gpu(), address.file))
        staging = _staging(self._root, journal.key)
        received = sum(staging.received(file.path, file.size) for file in journal.selection.files)
        with disk_problems(self._root, 0):
            free = shutil.disk_usage(self._root).free
        return HubOffer(
            journal=journal,
            free_bytes=free,
            missing_bytes=journal.selection.size - received,
            installed=journal.installed(self._root),
        )

    def start(self, offer: HubOffer) -> Download:
        """Begins with what was looked at, or goes on with it; raises DiskProblem when there is no room for it."""
        offer.check_space()
        journal, staging = offer.journal, _staging(self._root, offer.journal.key)
        with self._lock:
            if self._running == journal.key:
                return self.resume(journal.key)
            former = read_journal(staging)
            if former is None or former.selection != journal.selection:
                if former is not None:
                    journal.keep_same(former, staging)
                journal.write(staging)
            self._known[journal.key] = journal.described(staging)
            return self.resume(journal.key)

    def resume(self, key: str) -> Download:
        """Goes on with a paused or failed one; raises NotFound."""
        with self._lock:
            download = self._get(key)
            if key == self._running and not self._wish:
                return download
            download = self._tell(replace(download, state=DownloadState.WAITING, error=None))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="download")
                self._worker.start()
            return download

    def pause(self, key: str) -> None:
        """What was received is kept, also over a restart."""
        with self._lock:
            if not self._leave(key, PAUSE) and self._get(key).state in OPEN:
                self._rest(key, DownloadState.PAUSED, None)

    def cancel(self, key: str) -> None:
        """Forgets it and all that was received."""
        with self._lock:
            self._get(key)
            if not self._leave(key, CANCEL):
                staging = _staging(self._root, key)
                if not _is_free(staging):
                    raise _busy(key)
                staging.discard()
                self._end(key, DownloadState.CANCELLED)

    def all(self) -> list[Download]:
        """Those that are not finished, also of earlier runs, by title."""
        with self._lock:
            for folder in (self._root / HIDDEN).glob("*/"):
                staging = Staging(folder)
                if folder.name not in self._known and (journal := read_journal(staging)) is not None:
                    self._known[folder.name] = journal.described(staging)
            return sorted((one for one in self._known.values() if one.state in OPEN), key=lambda one: one.title)

    def begin(self) -> None:
        """Goes on with those that were wished for when the program ended."""
        for download in self.all():
            if download.state is DownloadState.WAITING and _is_free(_staging(self._root, download.key)):
                self.resume(download.key)

    def wait(self, key: str) -> Download:
        """Waits until it neither waits nor runs any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._known[key].state not in _BUSY)
            return self._known[key]

    def close(self) -> None:
        """Stops at once; what ran goes on at the next `begin`."""
        with self._lock:
            self._closing = True
            self._leave(self._running, CLOSE)
            self._changed.notify_all()
            worker = self._worker
        if worker is not None:
            worker.join()

    def _work(self) -> None:
        while key := self._next():
            try:
                place = self._fetch(key)
                self._found()
                with self._lock:
                    self._running = ""
                    self._end(key, DownloadState.DONE, received=self._known[key].size, path=str(place))
                self._announce.publish(ModelsChanged())
            except Problem as problem:
                self._settle(key, DownloadState.FAILED, problem)
            except Left:
                self._settle(key, DownloadState.PAUSED, None)
            except BaseException:
                self._settle(key, DownloadState.FAILED, Problem("Something went wrong inside the program."))
                self._worker = None
                raise

    def _settle(self, key: str, state: DownloadState, problem: Problem | None) -> None:
        """What becomes of one that did not end well, in one step with its no longer running."""
        with self._lock:
            wish, self._running = self._wish, ""
            if wish == CANCEL:
                self.cancel(key)
            elif problem is not None or (wish == PAUSE and self._known[key].state is DownloadState.RUNNING):
                self._rest(key, state, problem)  # else it was wished for anew, or goes on after the next start

    def _next(self) -> str:
        with self._lock:
            waiting = [
                one.key for one in self._known.values() if one.state is DownloadState.WAITING and not self._closing
            ]
            self._running, self._fetching, self._wish = next(iter(waiting), ""), None, ""
            if not waiting:
                self._worker = None
            return self._running

    def _fetch(self, key: str) -> Path:
        """Where the model lies in the end; raises a Problem, or Left."""
        staging = _staging(self._root, key)
        with staging.alone() as alone:
            journal = read_journal(staging)
            if journal is None or not alone:
                raise _busy(key)
            place = None if staging.has_files() else journal.installed(self._root)
            if place is None:  # else the program ended between the last two steps
                journal.state, journal.error = DownloadState.WAITING, None
                self._fetching_of(key, journal, staging).run(journal.selection.files)
                place = journal.install(staging, self._root)
            staging.discard()
        return place

    def _fetching_of(self, key: str, journal: DownloadJournal, staging: Staging) -> Fetching:
        from .fetching import Fetching

        journal.write(staging)
        told, noted = 0.0, ""

        def tell() -> None:
            nonlocal told, noted
            shown = made.progress
            if time.monotonic() - told >= _TELL_SECONDS or shown.note != noted:
                told, noted = time.monotonic(), shown.note
                self._tell(replace(self._known[key], received=shown.received, speed=shown.speed, note=shown.note))

        made = Fetching(
            self._hub(), journal.model, staging, journal.etags, lambda: journal.write(staging), tell, self._pause
        )
        with self._lock:
            self._fetching = made
            self._tell(replace(self._known[key], state=DownloadState.RUNNING))
            if self._wish:
                made.leave(self._wish)
        return made

    def _leave(self, key: str, wish: str) -> bool:
        """Ends the one that runs; False when it is another."""
        if not key or key != self._running:
            return False
        self._wish = wish if self._wish != CANCEL else CANCEL
        if self._fetching is not None:
            self._fetching.leave(wish)
        return True

    def _rest(self, key: str, state: DownloadState, problem: Problem | None) -> None:
        staging, error = _staging(self._root, key), None if problem is None else problem.as_dict()
        journal = read_journal(staging)
        download = replace(self._known[key], state=state, error=error, speed=0.0, note="")
        if journal is not None and _is_free(staging):  # else another process writes it
            journal.state, journal.error = state, error
            download = journal.described(staging)
            try:
                journal.write(staging)
            except DiskProblem:
                pass  # a full disk keeps the former journal, which will do
        self._tell(download)

    def _end(self, key: str, state: DownloadState, **said: Any) -> None:
        self._tell(replace(self._known[key], state=state, speed=0.0, note="", error=None, **said))

    def _tell(self, download: Download) -> Download:
        with self._changed:
            self._known[download.key] = download
            self._changed.notify_all()
        self._announce.publish(DownloadChanged(download=download))
        return download

    def _get(self, key: str) -> Download:
        if key not in self._known:
            self.all()
        if key not in self._known:
            raise NotFound(f"There is no download {key}.")
        return self._known[key]


def _staging(root: Path, key: str) -> Staging:
    return Staging(root / HIDDEN / key)


def _is_free(staging: Staging) -> bool:
    """Whether no process is at it."""
    with staging.alone() as alone:
        return alone


def _busy(key: str) -> DiskProblem:
    return DiskProblem(f"{key} is being fetched by another window or call.", "Wait for it, or end it.")
