"""The details pane: what made the selected image, and using it again."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ...domain.image import REVISED, GeneratedImage
from ...domain.request import GenerationRequest
from ...domain.style import NO_STYLE
from ...services.ledger import money
from ..icons import name_icon
from ..languages import in_our_words
from ..theme import Theme
from ..widgets.amounts import duration, moment, number, size
from ..widgets.flow_layout import FlowLayout
from ..widgets.labels import Label, WrappedLabel
from ..widgets.offered import offer
from ..widgets.rating import Rating


class DetailsPane(QWidget):
    use_all_requested = Signal(object)
    use_seed_requested = Signal(object)
    use_prompt_requested = Signal(object)
    start_from_requested = Signal(object)
    upscale_requested = Signal(object)
    compare_requested = Signal(object)
    show_in_folder_requested = Signal(object)
    rating_requested = Signal(object, int)
    tags_requested = Signal(object, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._image: GeneratedImage | None = None
        self._providers: dict[str, str] = {}
        self._prompt = WrappedLabel()
        self._negative = WrappedLabel("", "muted")
        self._rating = Rating(theme)
        self._tags = QLineEdit()
        self._facts = QFormLayout()
        self._compare = self._button("compare", self.tr("Compare"), self.compare_requested)
        self._stack = QStackedLayout(self)
        self._arrange()
        self._rating.rated.connect(lambda rating: self._wish(self.rating_requested, rating))
        self._tags.editingFinished.connect(self._tags_edited)

    def show_providers(self, titles: dict[str, str]) -> None:
        """Titles by name of those who draw elsewhere."""
        self._providers = titles

    def show_image(self, image: GeneratedImage | None) -> None:
        """None empties the pane."""
        self._image = image
        self._stack.setCurrentIndex(1 if image is None else 0)
        if image is None:
            return
        self._prompt.setText("\n→ ".join((image.request.prompt, *image.request.prompts)))
        self._negative.setText(self.tr("Not: {0}").format(image.request.negative_prompt))
        self._negative.setVisible(bool(image.request.negative_prompt))
        made_from = bool(image.parents) or image.request.image is not None
        offer(self._compare, "" if made_from else self.tr("This picture was made from words alone."))
        self._rating.show_rating(image.rating)
        self._tags.setText(", ".join(image.tags))
        self._show_facts(image)

    def show_notes(self, image: str, notes: tuple[str, ...]) -> None:
        """What the file of the image says beside its settings: what was changed of them, and by whom."""
        if self._image is None or self._image.id != image:
            return
        revised = [note.removeprefix(REVISED) for note in notes if note.startswith(REVISED)]
        changed = [in_our_words(note) for note in notes if not note.startswith(REVISED)]
        for name, lines in ((self.tr("Revised prompt"), revised), (self.tr("Changed"), changed)):
            if lines:
                self._add_fact(name, "\n".join(lines))

    def image(self) -> GeneratedImage | None:
        return self._image

    def _show_facts(self, image: GeneratedImage) -> None:
        while self._facts.rowCount():
            self._facts.removeRow(0)
        for name, value in self._facts_of(image):
            self._add_fact(name, value)

    def _add_fact(self, name: str, value: str) -> None:
        said = WrappedLabel(value)
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        said.setAccessibleName(f"{name}: {value}")
        self._facts.addRow(Label(name, "muted"), said)

    def _facts_of(self, image: GeneratedImage) -> list[tuple[str, str]]:
        request = image.request
        facts = [
            (self.tr("Seed"), "" if request.seed is None else str(request.seed)),
            (self.tr("Size"), f"{image.width} × {image.height}"),
            (self.tr("Steps"), "" if request.steps is None else str(request.steps)),
            (self.tr("Guidance"), number(request.guidance) if request.guidance is not None else ""),
            (self.tr("Sampler"), request.sampler or ""),
            (self.tr("Style"), "" if request.style == NO_STYLE else request.style),
            (self.tr("Model"), request.model or ""),
            (self.tr("LoRAs"), _weighted((lora.name, lora.weight) for lora in request.loras)),
            (self.tr("Embeddings"), ", ".join(request.embeddings)),
            (self.tr("VAE"), request.vae or ""),
            (self.tr("ControlNet"), _weighted((each.model, each.weight) for each in request.controls)),
            (
                self.tr("IP-Adapter"),
                _weighted((each.model, each.weight) for each in request.image_prompts),
            ),
            (self.tr("Drawn by"), self.tr(self._providers.get(request.provider, ""))),
            (self.tr("Cost"), "" if image.cost is None else money(image.cost)),
            (self.tr("From"), request.image.name or self.tr("a picture") if request.image else ""),
            (self.tr("Enlarged"), _enlarged(request)),
            (self.tr("Strength"), f"{request.strength:.0%}" if request.strength is not None else ""),
            (self.tr("Made"), moment(image.created)),
            (self.tr("Took"), duration(image.seconds) if image.seconds else ""),
            (self.tr("File"), size(image.file_size)),
        ]
        return [(name, value) for name, value in facts if value]

    def _wish(self, signal: object, *values: object) -> None:
        if self._image is not None:
            signal.emit(self._image, *values)  # type: ignore[attr-defined]

    def _tags_edited(self) -> None:
        tags = tuple(part.strip() for part in self._tags.text().split(",") if part.strip())
        if self._image is not None and tags != self._image.tags:
            self.tags_requested.emit(self._image, tags)

    def _button(self, icon: str, text: str, signal: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        name_icon(button, icon)
        button.clicked.connect(lambda: self._wish(signal))
        return button

    def _buttons(self) -> FlowLayout:
        row = FlowLayout(spacing=8)
        row.addWidget(self._button("use", self.tr("Use all"), self.use_all_requested))
        row.addWidget(self._button("prompt", self.tr("Use prompt"), self.use_prompt_requested))
        row.addWidget(self._button("seed", self.tr("Use seed"), self.use_seed_requested))
        row.addWidget(self._button("image", self.tr("Start from it"), self.start_from_requested))
        row.addWidget(self._button("upscale", self.tr("Upscale 2×"), self.upscale_requested))
        row.addWidget(self._compare)
        return row

    def _rating_row(self) -> QHBoxLayout:
        folder = QToolButton()
        folder.setAccessibleName(self.tr("Show in folder"))
        folder.setToolTip(folder.accessibleName())
        name_icon(folder, "folder", "muted")
        folder.clicked.connect(lambda: self._wish(self.show_in_folder_requested))
        row = QHBoxLayout()
        row.addWidget(self._rating, 1)
        row.addWidget(folder)
        return row

    def _arrange(self) -> None:
        self._prompt.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._tags.setAccessibleName(self.tr("Tags"))
        self._tags.setPlaceholderText(self.tr("Tags, with commas between"))
        self._facts.setContentsMargins(0, 4, 0, 0)
        self._facts.setHorizontalSpacing(16)
        self._facts.setVerticalSpacing(6)
        self._facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        body = QWidget()
        body.setObjectName("paneBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 0, 16, 16)
        column.setSpacing(8)
        column.addWidget(self._prompt)
        column.addWidget(self._negative)
        column.addLayout(self._buttons())
        column.addLayout(self._rating_row())
        column.addWidget(self._tags)
        column.addLayout(self._facts)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(body)
        self._stack.addWidget(scroll)
        self._stack.addWidget(self._empty())
        self._stack.setCurrentIndex(1)

    def _empty(self) -> QLabel:
        label = WrappedLabel(self.tr("Choose a picture in the gallery to see what made it."), "muted")
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        label.setContentsMargins(16, 0, 16, 0)
        return label


def _weighted(added: Iterable[tuple[str, float]]) -> str:
    """What was added, one a line, and how strongly."""
    return "\n".join(f"{name} · {number(weight)}" for name, weight in added)


def _enlarged(request: GenerationRequest) -> str:
    """How many times, and by whom; empty for a picture that was not."""
    factor = request.upscale or request.hires_factor
    return f"× {number(factor)} · {request.upscaler}" if factor is not None else ""
