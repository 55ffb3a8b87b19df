"""Creating: from words to a job — style, forecast, Generate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject

from ..domain.errors import BadInput, Problem
from ..domain.request import GenerationRequest
from ..services.assemble import Parts
from ..services.ledger import Account, money
from .bridge import Bridge
from .choosing import Choosing
from .files import chosen_picture
from .languages import in_our_words
from .latest import Latest
from .main_window import MainWindow
from .widgets.amounts import duration


class Creating(QObject):
    """From words to a job: style, forecast, Generate."""

    def __init__(self, window: MainWindow, parts: Parts, bridge: Bridge, choosing: Choosing) -> None:
        super().__init__(window)
        self._window = window
        self._parts = parts
        self._bridge = bridge
        self._choosing = choosing
        self._forecasts = Latest(bridge, lambda problem: window.panes.prompt.show_forecast(""))
        self._prompt = window.panes.prompt
        self._stage = window.panes.stage

    def load(self) -> None:
        """What the panes need to know of styles."""
        self.load_styles(self._parts.settings.text("style"))

    def load_styles(self, chosen: str = "") -> None:
        self._bridge.ask(self._parts.styles.all, lambda styles: self._prompt.show_styles(styles, chosen))

    def use(self, request: GenerationRequest) -> None:
        """Everything that made another picture, on the prompt pane; of one that was only made larger, its words."""
        if request.upscale is not None:
            self._prompt.show_prompt(request.prompt, request.negative_prompt)
            return
        self._choosing.choose_for(request)
        self._prompt.show_request(request)

    def read_settings(self, path: Path) -> None:
        self._bridge.ask(lambda: self._parts.gallery.settings_of(path).as_request(), self.use, self._refuse)

    def generate(self, priority: int = 0) -> None:
        """A more urgent wish makes the batch that runs wait at its next step."""
        self._prompt.messages.clear()
        try:
            request = replace(self.request(), priority=priority)
        except BadInput as problem:
            self._refuse(problem)
            return
        # In turn: the last stroke of the mask is kept by then.
        queue, draft = self._parts.queue, self._parts.draft
        self._bridge.ask(lambda: queue.add(draft.complete(request)), None, self._refuse, in_turn=True)

    def request(self) -> GenerationRequest:
        """What panes and tool bar say now; raises BadInput for what cannot be typed."""
        bar = self._window.top_bar
        return replace(self._prompt.request(), model=bar.model() or None, provider=bar.provider())

    def _refuse(self, problem: Problem) -> None:
        self._prompt.messages.show_message("error", problem.message, problem.advice)

    def forecast(self) -> None:
        """How long what the panes say now would take, and what it would cost."""
        try:
            request = self.request()
        except BadInput:
            return
        if not request.prompt.strip() and request.image is None:
            self._prompt.show_forecast("")
            return

        def ask() -> tuple[float | None, float | None, Account | None, tuple[str, ...]]:
            complete = self._parts.compose.complete(self._parts.draft.complete(request))
            fitted = self._parts.compose.fitted(complete)
            seconds, dollars = self._parts.forecast.seconds(fitted.request), self._parts.ledger.estimate(complete)
            return seconds, dollars, self._parts.ledger.account(request.provider), fitted.notes

        self._forecasts.ask(ask, lambda found: self._show_forecast(*found))

    def _show_forecast(
        self, seconds: float | None, dollars: float | None, account: Account | None, notes: tuple[str, ...]
    ) -> None:
        amounts = [duration(seconds)] if seconds else []
        amounts += [] if dollars is None else [money(dollars)]
        about = [self.tr("about {0}").format(" · ".join(amounts))] if amounts else []
        if account is not None and account.month.most:
            spent = self.tr("{0} today, {1} this month")
            about.append(spent.format(money(account.today.most), money(account.month.most)))
        said = [in_our_words(note) for note in notes]
        self._prompt.show_forecast(" · ".join((*about, *said)), "\n".join((*about[1:], *said)))

    def choose_settings(self) -> None:
        path = chosen_picture(self._window, self.tr("Read settings from a picture"))
        if path:
            self.read_settings(path)
