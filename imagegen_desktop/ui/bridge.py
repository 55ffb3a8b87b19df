"""Between the window and the services: work leaves the GUI thread here, and news comes back into it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal, Slot
from shiboken6 import isValid

from ..domain.errors import Problem
from ..protocol.messages import Heartbeat, Preview
from ..services.announce import (
    Announcement,
    Announcer,
    DownloadChanged,
    DraftChanged,
    EngineChanged,
    ImagesChanged,
    JobAnswered,
    JobEvent,
    JobsChanged,
    ModelsChanged,
    Notice,
    ProvidersChanged,
    QueuePaused,
    SettingsChanged,
    StylesChanged,
    UndoChanged,
)

Answer = TypeVar("Answer")
OnProblem = Callable[[Problem], None]

_SETTLED = threading.local()
_PREVIEW_MS = 66
_ASKERS = 3
_WAIT_SECONDS = 1.0
_CLOSING_MS = 20_000


class Work(Protocol):
    """What a worker needs of the runner."""

    def work_once(self, should_stop: Callable[[], bool]) -> bool: ...

    def wait_for_work(self, timeout: float) -> bool: ...


class Task(QRunnable):
    """One call on a pool thread; its answer or problem is handed back to the bridge.

    A fault of ours goes on to `sys.excepthook`, which logs it; whoever asked is told all the same.
    """

    def __init__(self, call: Callable[[], Any], done: Callable[[Any, Problem | None], None]) -> None:
        super().__init__()
        self._call = call
        self._done = done

    def run(self) -> None:
        _settle()
        answer: Any = None
        problem: Problem | None = Problem("Something went wrong inside the program.", "The log has the details.")
        try:
            answer = self._call()
            problem = None
        except Problem as known:
            problem = known
        finally:
            self._done(answer, problem)


class Worker(QRunnable):
    """Drives one job after another until the window closes; a fault of ours ends this round, not the work."""

    def __init__(self, work: Work, closing: threading.Event, pool: QThreadPool) -> None:
        super().__init__()
        self._work = work
        self._closing = closing
        self._pool = pool

    def run(self) -> None:
        _settle()
        try:
            while not self._closing.is_set():
                if not self._work.work_once(self._closing.is_set):
                    self._work.wait_for_work(_WAIT_SECONDS)
        finally:
            if not self._closing.is_set():
                self._pool.start(Worker(self._work, self._closing, self._pool))


class Bridge(QObject):
    """Signals for every announcement, delivered in the GUI thread; `ask` for everything that touches a disk."""

    jobs_changed = Signal(object)
    job_event = Signal(str, object)
    job_answered = Signal(str, object)
    images_changed = Signal(object)
    engine_changed = Signal(object)
    queue_paused = Signal(bool)
    styles_changed = Signal()
    models_changed = Signal()
    download_changed = Signal(object)
    providers_changed = Signal()
    settings_changed = Signal(object)
    undo_changed = Signal(str, str)
    draft_changed = Signal()
    notice = Signal(object)
    problem = Signal(object)

    _announced = Signal(object)
    _answered = Signal(object, object)
    _preview_came = Signal()

    def __init__(self, announce: Announcer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._askers = _pool(self, _ASKERS)
        self._in_turn = _pool(self, 1)
        self._workers = _pool(self, 1)
        self._employed = 0
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._previews: dict[str, JobEvent] = {}
        self._pace = QTimer(self)
        self._pace.setSingleShot(True)
        self._pace.setInterval(_PREVIEW_MS)
        self._pace.timeout.connect(self._show_previews)
        queued = Qt.ConnectionType.QueuedConnection
        self._announced.connect(self._tell, queued)
        self._answered.connect(self._deliver, queued)
        self._preview_came.connect(self._preview_waits, queued)
        self._routes = self._signals()
        self._unsubscribe = announce.subscribe(self._hear)

    def ask(
        self,
        call: Callable[[], Answer],
        on_answer: Callable[[Answer], None] | None = None,
        on_problem: OnProblem | None = None,
        *,
        in_turn: bool = False,
        asker: QObject | None = None,
    ) -> None:
        """Runs `call` on a pool thread; the answer, or the problem, is given to its function in this thread.

        Calls `in_turn` run one after the other, in the order they were made. An `asker` that is gone by then, a row
        taken off or a dialog closed, is told nothing.
        """
        if self._closing.is_set():
            return
        refuse = on_problem or self.problem.emit

        def done(answer: Any, problem: Problem | None) -> None:
            if not self._closing.is_set():
                receiver = on_answer if problem is None else refuse
                self._answered.emit((asker, receiver), answer if problem is None else problem)

        (self._in_turn if in_turn else self._askers).start(Task(call, done))

    def start_workers(self, work: Work, count: int = 2) -> None:
        """From now on jobs are done, as many at a time as the runner lets begin. Called again with more, some are
        added."""
        missing = count - self._employed
        self._employed = max(count, self._employed)
        self._workers.setMaxThreadCount(self._employed)
        for _ in range(missing):
            self._workers.start(Worker(work, self._closing, self._workers))

    def close(self, wake: Callable[[], object] | None = None) -> bool:
        """Ends all threads; `wake` stops what they are doing. False when one would not end in time."""
        self._closing.set()
        self._pace.stop()
        self._unsubscribe()
        if wake is not None:
            wake()
        ended = self._workers.waitForDone(_CLOSING_MS)
        return self._in_turn.waitForDone(_CLOSING_MS) and self._askers.waitForDone(_CLOSING_MS) and ended

    def _hear(self, news: Announcement) -> None:
        """Called in any thread. A preview replaces the one before it; everything else is told one by one."""
        if isinstance(news, JobEvent) and isinstance(news.event, Heartbeat):
            return
        if isinstance(news, JobEvent) and isinstance(news.event, Preview):
            with self._lock:
                first = not self._previews
                self._previews[news.job] = news
            if first:
                self._preview_came.emit()
            return
        self._announced.emit(news)

    @Slot()
    def _preview_waits(self) -> None:
        if not self._pace.isActive():
            self._show_previews()

    def _show_previews(self) -> None:
        with self._lock:
            waiting, self._previews = self._previews, {}
        for news in waiting.values():
            self.job_event.emit(news.job, news.event)
        if waiting:
            self._pace.start()

    @Slot(object, object)
    def _deliver(self, asked: tuple[QObject | None, Callable[[Any], None] | None], value: Any) -> None:
        asker, receiver = asked
        if receiver is not None and not self._closing.is_set() and (asker is None or isValid(asker)):
            receiver(value)

    @Slot(object)
    def _tell(self, news: Announcement) -> None:
        if self._closing.is_set():
            return
        if isinstance(news, JobEvent):
            self._show_previews()
        self._routes[type(news)](news)

    def _signals(self) -> dict[type, Callable[[Any], None]]:
        """Which signal tells which announcement."""
        return {
            JobEvent: lambda news: self.job_event.emit(news.job, news.event),
            JobAnswered: lambda news: self.job_answered.emit(news.job, news.images),
            JobsChanged: lambda news: self.jobs_changed.emit(news.ids),
            ImagesChanged: self.images_changed.emit,
            EngineChanged: lambda news: self.engine_changed.emit(news.status),
            QueuePaused: lambda news: self.queue_paused.emit(news.paused),
            StylesChanged: lambda news: self.styles_changed.emit(),
            ModelsChanged: lambda news: self.models_changed.emit(),
            DownloadChanged: lambda news: self.download_changed.emit(news.download),
            ProvidersChanged: lambda news: self.providers_changed.emit(),
            SettingsChanged: lambda news: self.settings_changed.emit(news.names),
            UndoChanged: lambda news: self.undo_changed.emit(news.undo, news.redo),
            DraftChanged: lambda news: self.draft_changed.emit(),
            Notice: self.notice.emit,
        }


def _settle() -> None:
    """Gives this pool thread a Python state that outlives the call.

    Python makes one for each call into a thread that is not its own, and drops it, with all its thread-locals,
    when the call returns: the database would be opened anew for every question, and closing a connection in the
    middle of that ends the process.
    """
    if not hasattr(_SETTLED, "here"):
        ctypes.pythonapi.PyGILState_Ensure()
        _SETTLED.here = True


def _pool(parent: QObject, threads: int) -> QThreadPool:
    pool = QThreadPool(parent)
    pool.setExpiryTimeout(-1)
    pool.setMaxThreadCount(threads)
    return pool
