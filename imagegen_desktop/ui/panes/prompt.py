"""The prompt pane: words, style, numbers, and the one main button."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ...domain.model_card import ModelCard
from ...domain.request import GenerationRequest, SourceImage
from ...domain.style import StylePreset
from ...services.compose import defaults
from ..icons import name_icon
from ..theme import Theme
from ..widgets.fields import captioned
from ..widgets.growing_edit import GrowingEdit
from ..widgets.keys import keys
from ..widgets.labels import ElidedLabel
from ..widgets.message_bar import MessageBar
from .numbers import Numbers
from .strength import Strength
from .style_cards import LoadPicture
from .style_picker import StylePicker


class PromptPane(QWidget):
    """Builds a request of everything on it; model and provider are chosen elsewhere."""

    changed = Signal()
    generate_requested = Signal()
    cancel_requested = Signal()
    source_removed = Signal()
    settings_dropped = Signal(str)

    def __init__(self, theme: Theme, load: LoadPicture) -> None:
        super().__init__()
        self._card: ModelCard | None = None
        self._source: SourceImage | None = None
        self._prompt = GrowingEdit(4, 12)
        self._negative = GrowingEdit(1, 5)
        self._styles = StylePicker(theme, load)
        self._numbers = Numbers(theme)
        self._strength = Strength()
        self._generate = QPushButton(self.tr("Generate"))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._forecast = ElidedLabel("", "small")
        self.messages = MessageBar()
        self._prepare()
        self._arrange()
        self._connect()
        self._update()

    def request(self) -> GenerationRequest:
        """What the pane says now; raises BadInput for what cannot be typed."""
        said = GenerationRequest(
            prompt=self._prompt.toPlainText(),
            negative_prompt=self._negative.toPlainText(),
            style=self._styles.chosen(),
            image=self._source,
            strength=self._strength.share() if self._source else None,
        )
        return replace(said, **self._numbers.values())  # type: ignore[arg-type]

    def show_request(self, request: GenerationRequest) -> None:
        """Takes over another picture's words and numbers. Its source picture is not asked for again."""
        self._prompt.setPlainText(request.prompt)
        self._negative.setPlainText(request.negative_prompt)
        self._styles.choose(request.style)
        self._numbers.show_request(request)

    def show_prompt(self, prompt: str, negative: str | None = None) -> None:
        self._prompt.setPlainText(prompt)
        if negative is not None:
            self._negative.setPlainText(negative)
        self._prompt.setFocus()

    def show_seed(self, seed: int) -> None:
        self._numbers.show_seed(seed)

    def roll_seed(self) -> None:
        self._numbers.roll_seed()

    def show_styles(self, styles: list[StylePreset], chosen: str = "") -> None:
        self._styles.show_styles(styles, chosen)

    def show_model(self, card: ModelCard | None) -> None:
        self._card = card
        if card is not None:
            family = card.kind
            self._numbers.show_model(family.samplers, card.sampler, card.width * card.height, family.size_multiple)
            self._negative.setEnabled(family.negative_prompt)
        self._show_defaults()
        self._update()

    def show_source(self, source: SourceImage | None) -> None:
        """The picture to start from, None for words alone."""
        self._source = source
        self._strength.setVisible(source is not None)
        if source is not None and self._card is not None:
            self._numbers.offer_size(*_fitted(source, self._card))
        elif source is None:
            self._show_defaults()
        self._update()
        self.changed.emit()

    def show_busy(self, running: bool) -> None:
        self._cancel.setEnabled(running)

    def show_forecast(self, line: str) -> None:
        self._forecast.setText(line)

    def focus_prompt(self) -> None:
        self._prompt.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show_defaults(self) -> None:
        if self._card is not None:
            self._numbers.show_defaults(defaults(self._card, self._styles.preset()))

    def _style_chosen(self) -> None:
        self._show_defaults()
        self.changed.emit()

    def _update(self) -> None:
        ready = bool(self._prompt.toPlainText().strip()) or self._source is not None
        self._generate.setEnabled(ready)

    def _prepare(self) -> None:
        self._prompt.setObjectName("promptEdit")
        self._prompt.setAccessibleName(self.tr("Prompt"))
        self._prompt.setPlaceholderText(self.tr("Describe a picture"))
        self._negative.setObjectName("negativePromptEdit")
        self._negative.setPlaceholderText(self.tr("What should not be in it"))
        self._strength.hide()
        self._generate.setObjectName("generateButton")
        self._generate.setProperty("kind", "main")
        self._generate.setAccessibleName(self.tr("Generate"))
        self._generate.setToolTip(self.tr("Generate ({0})").format(keys("Ctrl+Return")))
        name_icon(self._generate, "generate", "on_accent")
        self._cancel.setObjectName("cancelButton")
        self._cancel.setAccessibleName(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop the picture being drawn (Esc)"))
        self._cancel.setEnabled(False)

    def _connect(self) -> None:
        self._prompt.textChanged.connect(self._update)
        self._prompt.textChanged.connect(self.changed)
        self._negative.textChanged.connect(self.changed)
        self._prompt.file_dropped.connect(self.settings_dropped)
        self._styles.style_chosen.connect(lambda name: self._style_chosen())
        self._numbers.changed.connect(self.changed)
        self._strength.changed.connect(self.changed)
        self._generate.clicked.connect(self.generate_requested)
        self._cancel.clicked.connect(self.cancel_requested)

    def _arrange(self) -> None:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._body())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(self._foot())

    def _body(self) -> QWidget:
        body = QWidget()
        body.setObjectName("paneBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 4, 16, 8)
        column.setSpacing(8)
        column.addWidget(self._prompt)
        column.addWidget(captioned(self.tr("Negative prompt"), self._negative))
        column.addWidget(self._strength)
        column.addSpacing(4)
        column.addWidget(self._styles)
        column.addWidget(self._numbers)
        column.addStretch()
        return body

    def _foot(self) -> QWidget:
        foot = QWidget()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._generate, 1)
        buttons.addWidget(self._cancel)
        column = QVBoxLayout(foot)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(8)
        column.addLayout(buttons)
        column.addWidget(self._forecast)
        column.addWidget(self.messages)
        return foot


def _fitted(source: SourceImage, card: ModelCard) -> tuple[int, int]:
    """The source's proportions at about as many pixels as the model draws best."""
    multiple = card.kind.size_multiple
    scale = (card.width * card.height / (source.width * source.height)) ** 0.5
    width, height = (max(multiple, round(side * scale / multiple) * multiple) for side in (source.width, source.height))
    return width, height
