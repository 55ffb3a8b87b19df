"""Which signal goes where. The only file that says so."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from ..services.assemble import Parts
from .adding import Adding
from .arranging import Arranging
from .bridge import Bridge
from .browsing import Browsing
from .choosing import Choosing
from .creating import Creating
from .drafting import Drafting
from .editing import Editing
from .enlarging import Enlarging
from .main_window import MainWindow
from .memory import WindowMemory
from .minding import Minding
from .preparing import Preparing
from .queueing import Queueing
from .reading import PromptReading
from .sheeting import Sheeting
from .stocking import Stocking
from .suggesting import Suggesting
from .theme import Theme
from .watching import Watching

_FORECAST_MS = 250
_JOBS_MS = 40
_URGENT = 100


class Wiring(QObject):
    """Joins window, panes and services; `load` fills the panes once the window has been painted."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, theme: Theme, memory: WindowMemory) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._choosing = Choosing(window, parts, bridge, memory)
        self._forecast = _later(self, _FORECAST_MS)
        self._creating = Creating(window, parts, bridge, self._choosing)
        self._drafting = Drafting(window, parts, bridge)
        self._enlarging = Enlarging(window, parts, bridge)
        self._adding = Adding(window, parts, bridge)
        self._preparing = Preparing(window.panes.prompt.additions, parts, bridge)
        self._suggesting = Suggesting(window, parts.enhancer, bridge, self._creating.request)
        self._reading = PromptReading(window, parts.reader, bridge, self._creating.request)
        self._minding = Minding(window, parts, bridge)
        self._queueing = Queueing(window, parts.queue, bridge)
        self._watching = Watching(window, parts, bridge, memory, self._queueing)
        self._sheeting = Sheeting(window, parts, bridge, self._creating)
        self._editing = Editing(window, parts.queue_edits, bridge, self._choosing)
        self._browsing = Browsing(window, parts, bridge)
        self._arranging = Arranging(window, parts, bridge, theme)
        self._stocking = Stocking(window, parts, bridge, theme, self._choosing)
        self._wire_creating()
        self._wire_drafting()
        self._wire_enlarging()
        self._wire_adding()
        self._wire_choosing()
        self._wire_watching()
        self._wire_queue()
        self._wire_browsing()
        self._wire_arranging()

    def load(self) -> None:
        """Everything that is read from disk or database, off the GUI thread."""
        self._choosing.load_providers()
        self._creating.load()
        self._choosing.load()
        self._drafting.load()
        self._enlarging.load()
        self._adding.load()
        self._watching.begin()
        self._queueing.load()
        self._minding.look()
        self._window.panes.gallery.refresh()
        self._arranging.load()
        self._stocking.load()

    def remember(self) -> None:
        """Before closing."""
        self._suggesting.cancel()
        self._watching.remember_running()

    def _wire_creating(self) -> None:
        creating, actions = self._creating, self._window.actions_
        prompt, stage = self._window.panes.prompt, self._window.panes.stage
        self._forecast.timeout.connect(creating.forecast)
        self._forecast.timeout.connect(self._reading.look)
        prompt.changed.connect(self._forecast.start)
        prompt.generate_requested.connect(creating.generate)
        prompt.settings_dropped.connect(lambda path: creating.read_settings(Path(path)))
        stage.welcome.example_chosen.connect(prompt.show_prompt)
        stage.welcome.model_wanted.connect(actions["models"].trigger)
        self._bridge.images_changed.connect(lambda _: self._forecast.start())
        actions["generate"].triggered.connect(prompt.generate_requested)
        actions["generateNow"].triggered.connect(lambda: creating.generate(_URGENT))
        actions["editPrompt"].triggered.connect(prompt.focus_prompt)
        actions["randomSeed"].triggered.connect(prompt.roll_seed)
        actions["readSettings"].triggered.connect(creating.choose_settings)
        self._bridge.styles_changed.connect(creating.load_styles)
        suggesting = self._suggesting
        prompt.enhance_requested.connect(suggesting.ask)
        prompt.suggestion.dismissed.connect(suggesting.dismiss)
        actions["enhance"].triggered.connect(suggesting.ask)

    def _wire_drafting(self) -> None:
        drafting, easel = self._drafting, self._window.panes.stage.easel
        self._window.panes.stage.canvas.picture_dropped.connect(drafting.start_from)
        self._window.actions_["openPicture"].triggered.connect(drafting.choose_picture)
        self._bridge.draft_changed.connect(drafting.load)
        easel.bar.source_removed.connect(drafting.remove)
        easel.stroke_finished.connect(drafting.keep_stroke)
        self._window.panes.prompt.generate_requested.connect(easel.put_tools_away)
        easel.extend_requested.connect(drafting.extend)

    def _wire_enlarging(self) -> None:
        enlarging, actions, gallery = self._enlarging, self._window.actions_, self._window.panes.gallery
        gallery.upscale_requested.connect(enlarging.upscale)
        gallery.compare_requested.connect(enlarging.compare)
        gallery.decode_requested.connect(enlarging.decode_again)
        details = self._window.panes.details
        details.upscale_requested.connect(lambda image: enlarging.upscale([image], 2.0, ""))
        details.compare_requested.connect(lambda image: enlarging.compare([image]))
        actions["upscale2"].triggered.connect(lambda: enlarging.upscale_selected(2.0))
        actions["upscale4"].triggered.connect(lambda: enlarging.upscale_selected(4.0))
        actions["compare"].triggered.connect(enlarging.compare_selected)
        self._bridge.models_changed.connect(enlarging.load)

    def _wire_adding(self) -> None:
        adding, pane = self._adding, self._window.panes.prompt.additions
        pane.picture_wanted.connect(adding.choose_picture)
        pane.picture_dropped.connect(adding.keep_picture)
        pane.look_wanted.connect(adding.look)
        self._bridge.models_changed.connect(adding.load)
        self._choosing.added.connect(adding.load)
        pane.row_added.connect(self._preparing.serve)
        self._bridge.download_changed.connect(self._preparing.show_download)
        self._bridge.models_changed.connect(self._preparing.look_again)

    def _wire_choosing(self) -> None:
        choosing, bar = self._choosing, self._window.top_bar
        bar.model_chosen.connect(choosing.chosen)
        bar.provider_chosen.connect(choosing.provider_chosen)
        bar.provider_chosen.connect(self._minding.look)
        for signal in (bar.model_chosen, bar.provider_chosen):
            signal.connect(lambda _: self._forecast.start())
        self._window.model_dropped.connect(choosing.add)
        self._bridge.models_changed.connect(choosing.load)
        self._bridge.models_changed.connect(self._stocking.show_models)
        self._bridge.download_changed.connect(self._stocking.show_download)
        self._bridge.engine_changed.connect(self._stocking.show_engine)
        self._stocking.keys_wanted.connect(self._arranging.show_keys)
        self._window.panes.stage.welcome.better_wanted.connect(self._stocking.show_get)
        self._bridge.providers_changed.connect(self._minding.look)

    def _wire_watching(self) -> None:
        watching, actions = self._watching, self._window.actions_
        soon = _later(self, _JOBS_MS)
        soon.timeout.connect(watching.load)
        self._bridge.jobs_changed.connect(watching.note)
        self._bridge.jobs_changed.connect(lambda _: soon.isActive() or soon.start())
        self._bridge.job_event.connect(watching.hear)
        self._bridge.job_answered.connect(watching.show_answered)
        self._bridge.queue_paused.connect(self._queueing.show_paused)
        self._bridge.engine_changed.connect(lambda _: watching.employ())
        self._window.panes.prompt.cancel_requested.connect(watching.cancel)
        actions["cancel"].triggered.connect(watching.cancel)
        actions["pauseQueue"].triggered.connect(self._queueing.toggle_pause)

    def _wire_queue(self) -> None:
        pane, do = self._window.panes.queue, self._queueing.do
        queue, edits = self._parts.queue, self._parts.queue_edits
        pane.cancel_requested.connect(lambda ids: do(queue.cancel, ids))
        pane.pause_requested.connect(lambda job: do(queue.pause, job))
        pane.resume_requested.connect(lambda job: do(queue.resume, job))
        pane.retry_requested.connect(lambda job: do(queue.retry, job))
        pane.move_requested.connect(lambda job, place: do(edits.move, job, place))
        pane.edit_requested.connect(self._editing.edit)
        pane.duplicate_requested.connect(lambda ids: do(edits.duplicate, ids))
        pane.split_requested.connect(lambda job: do(edits.split, job))
        pane.clear_requested.connect(lambda: do(edits.clear_finished))
        pane.pause_all_requested.connect(self._queueing.pause_all)
        pane.use_requested.connect(self._creating.use)
        sheeting, prompt = self._sheeting, self._window.panes.prompt
        prompt.sheet_requested.connect(sheeting.show)
        self._window.actions_["contactSheet"].triggered.connect(lambda _=False: sheeting.show())
        self._forecast.timeout.connect(sheeting.look)
        self._bridge.jobs_changed.connect(lambda _: sheeting.jobs_changed())
        self._bridge.job_event.connect(sheeting.hear)

    def _wire_browsing(self) -> None:
        browsing, creating, panes = self._browsing, self._creating, self._window.panes
        gallery, details, stage = panes.gallery, panes.details, panes.stage
        self._bridge.images_changed.connect(gallery.show_change)
        self._bridge.images_changed.connect(browsing.show_news)
        for pane in (gallery, details):
            pane.rating_requested.connect(browsing.rate)
            pane.show_in_folder_requested.connect(browsing.show_in_folder)
            pane.start_from_requested.connect(self._drafting.start_from)
        gallery.image_selected.connect(browsing.select)
        gallery.image_clicked.connect(browsing.look_again)
        gallery.bin_requested.connect(browsing.bin)
        gallery.use_requested.connect(lambda image: creating.use(image.request))
        gallery.full_screen_requested.connect(browsing.show_full_screen)
        stage.full_screen_requested.connect(browsing.show_full_screen)
        details.tags_requested.connect(browsing.tag)
        details.use_all_requested.connect(lambda image: creating.use(image.request))
        details.use_seed_requested.connect(lambda image: panes.prompt.show_seed(image.request.seed))
        details.use_prompt_requested.connect(
            lambda image: panes.prompt.show_prompt(image.request.prompt, image.request.negative_prompt)
        )

    def _wire_arranging(self) -> None:
        arranging, actions, window = self._arranging, self._window.actions_, self._window
        canvas = window.panes.stage.canvas
        for name, deed in {
            "undo": arranging.undo,
            "redo": arranging.redo,
            "settings": arranging.show_settings,
            "keys": arranging.show_keys,
            "models": self._stocking.show,
            "palette": arranging.show_palette,
            "search": window.panes.gallery.focus_search,
            "fullScreen": self._browsing.show_full_screen,
            "fit": canvas.fit,
            "actualSize": lambda: canvas.zoom_to(1.0),
            "zoomIn": lambda: canvas.zoom_by(1.25),
            "zoomOut": lambda: canvas.zoom_by(0.8),
            "resetLayout": window.reset_layout,
            "restartEngine": arranging.restart_engine,
            "unloadModel": arranging.unload_model,
            "openLogs": arranging.show_logs,
            "about": arranging.about,
            "quit": window.close,
        }.items():
            actions[name].triggered.connect(lambda _=False, deed=deed: deed())
        self._bridge.undo_changed.connect(actions.show_undo)
        self._bridge.engine_changed.connect(arranging.show_engine)
        self._bridge.settings_changed.connect(arranging.settings_changed)
        self._bridge.notice.connect(arranging.notice)
        self._bridge.problem.connect(arranging.say)
        self._minding.keys_wanted.connect(arranging.show_keys)
        self._minding.limit_wanted.connect(arranging.show_settings)


def _later(parent: QObject, milliseconds: int) -> QTimer:
    """A timer that lets several wishes become one."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    return timer
