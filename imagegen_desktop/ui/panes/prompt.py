"""The prompt pane: words, style, numbers, and the one main button."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ...domain.request import GenerationRequest, SourceImage
from ...domain.style import StylePreset
from ..offer import Offer
from ..theme import Theme
from .additions import Additions
from .begin import Begin
from .cloud_choices import CloudChoices
from .finer import Finer
from .numbers import Numbers
from .second_pass import SecondPass
from .strength import Strength
from .style_cards import LoadPicture
from .style_picker import StylePicker
from .words import Words

_EDGE = 16


class PromptPane(QWidget):
    """Builds a request of everything on it; model and provider are chosen elsewhere."""

    changed = Signal()
    generate_requested = Signal()
    cancel_requested = Signal()
    enhance_requested = Signal()
    settings_dropped = Signal(str)

    def __init__(self, theme: Theme, load: LoadPicture) -> None:
        super().__init__()
        self._offer: Offer | None = None
        self._source: SourceImage | None = None
        self._exact = False
        self._words = Words(theme)
        self._styles = StylePicker(theme, load)
        self._numbers = Numbers(theme)
        self._choices = CloudChoices()
        self._finer = Finer()
        self.additions = Additions(theme)
        self._second_pass = SecondPass()
        self._strength = Strength()
        self._strength.hide()
        self._begin = Begin()
        self.messages = self._begin.messages
        self.sheet_requested = self._begin.sheet_requested
        self.health = self._begin.health
        self.suggestion = self._words.suggestion
        self.words = self._words
        self._arrange()
        self._connect()
        self._update()

    def request(self) -> GenerationRequest:
        """What the pane says now; raises BadInput for what cannot be typed."""
        said = GenerationRequest(
            prompt=self._words.prompt(),
            negative_prompt=self._words.negative_prompt(),
            style=self._styles.chosen(),
            image=self._source,
            strength=self._strength.share() if self._source else None,
        )
        parts = (self._numbers, self._choices, self._finer, self._second_pass, self.additions)
        values = {name: value for part in parts for name, value in part.values().items()}
        return replace(said, **values)  # type: ignore[arg-type]

    def show_request(self, request: GenerationRequest) -> None:
        """Takes over another picture's words and numbers. Its source picture is not asked for again."""
        self._words.show_prompt(request.prompt, request.negative_prompt)
        self._styles.choose(request.style)
        self._numbers.show_request(request)
        self._choices.show_request(request)
        self._finer.show_request(request)
        self._second_pass.show_request(request)
        self.additions.show_request(request)

    def show_prompt(self, prompt: str, negative: str | None = None) -> None:
        self._words.show_prompt(prompt, negative)
        self._words.focus_prompt()

    def show_seed(self, seed: int) -> None:
        self._numbers.show_seed(seed)

    def roll_seed(self) -> None:
        self._numbers.roll_seed()

    def show_styles(self, styles: list[StylePreset], chosen: str = "") -> None:
        self._styles.show_styles(styles, chosen)

    def show_offer(self, offered: Offer | None) -> None:
        """What the chosen model can do; None when there is no model."""
        self._offer = offered
        if offered is not None:
            takes_none = self.tr("{0} takes no negative prompt.").format(offered.title)
            self._words.show_missing(takes_none if "negative_prompt" in offered.missing else "")
            self._strength.show_offer(offered)
            self._numbers.show_offer(offered)
            self._choices.show_choices(offered.qualities, offered.backgrounds)
            self._finer.show_offer(offered)
            self._second_pass.show_offer(offered)
            self.additions.show_offer(offered)
        self._show_defaults()
        self._update()

    def show_source(self, source: SourceImage | None, *, exact: bool = False) -> None:
        """The picture to start from, None for words alone; `exact` draws at its own size."""
        self._source, self._exact = source, exact
        self._strength.setVisible(source is not None)
        self._show_defaults()
        self._update()
        self.changed.emit()

    def show_masked(self, masked: bool) -> None:
        """Whether a mask is painted on the picture to start from: what is inside is drawn wholly anew."""
        self._strength.show_masked(masked)
        self._second_pass.show_masked(masked)

    def show_busy(self, running: bool) -> None:
        self._begin.show_busy(running)

    def show_writing(self, writing: bool) -> None:
        """Whether a suggestion is being written."""
        self._words.show_busy(writing)

    def show_forecast(self, line: str, details: str = "") -> None:
        self._begin.show_forecast(line, details)

    def focus_prompt(self) -> None:
        self._words.focus_prompt()

    def _show_defaults(self) -> None:
        if self._offer is not None:
            self._numbers.show_defaults(self._offer.defaults(self._styles.preset()))
            if self._source is not None and self._exact:
                self._numbers.show_size(*self._offer.sizes.snap(self._source.width, self._source.height))
            elif self._source is not None:
                self._numbers.offer_size(*_fitted(self._source, self._offer))

    def _style_chosen(self) -> None:
        self._show_defaults()
        self.changed.emit()

    def _update(self) -> None:
        self._begin.show_ready(bool(self._words.prompt().strip()) or self._source is not None)

    def _connect(self) -> None:
        self._words.changed.connect(self._update)
        self._words.file_dropped.connect(self.settings_dropped)
        self._words.enhance_requested.connect(self.enhance_requested)
        self._styles.style_chosen.connect(lambda name: self._style_chosen())
        for part in (self._words, self._numbers, self._choices, self._strength, self._finer, self._second_pass):
            part.changed.connect(self.changed)
        self.additions.changed.connect(self.changed)
        self.additions.word_chosen.connect(self._words.add_word)
        self._begin.generate_requested.connect(self.generate_requested)
        self._begin.cancel_requested.connect(self.cancel_requested)

    def _arrange(self) -> None:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # The bar has its place always: one that came and went would change the width of the fields, by that their
        # height, by that whether a bar is needed, and so on until the stack is full.
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        bar = scroll.verticalScrollBar()
        bar.ensurePolished()
        bar.rangeChanged.connect(lambda _, most: bar.setEnabled(most > 0))
        body = self._body()
        body.setContentsMargins(_EDGE, 4, max(0, _EDGE - bar.sizeHint().width()), 8)
        scroll.setWidget(body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(self._begin)

    def _body(self) -> QWidget:
        body = QWidget()
        body.setObjectName("paneBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._words)
        column.addWidget(self._strength)
        column.addSpacing(4)
        column.addWidget(self._styles)
        column.addWidget(self._numbers)
        column.addWidget(self._choices)
        column.addWidget(self.additions)
        column.addWidget(self._second_pass)
        column.addWidget(self._finer)
        column.addStretch()
        return body


def _fitted(source: SourceImage, offered: Offer) -> tuple[int, int]:
    """The source's proportions at about as many pixels as the model draws best."""
    width, height = offered.sizes.default
    scale = (width * height / (source.width * source.height)) ** 0.5
    return offered.sizes.snap(max(1, round(source.width * scale)), max(1, round(source.height * scale)))
