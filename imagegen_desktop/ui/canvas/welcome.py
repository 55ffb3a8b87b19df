"""Welcome: what an empty canvas says — how to begin, with examples to click, or what is missing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ..icons import name_icon
from ..widgets.keys import keys
from ..widgets.labels import Label, WrappedLabel

_EXAMPLES = 3


class Welcome(QWidget):
    example_chosen = Signal(str)
    model_wanted = Signal()
    better_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._headline = Label("", "headline")
        self._hint = WrappedLabel("", "muted")
        self._examples = [QPushButton() for _ in range(_EXAMPLES)]
        self._add_model = QPushButton(self.tr("Add a model…"))
        self._better = QPushButton()
        self._better.setObjectName("betterModelButton")
        self._arrange()
        self.show_examples(())
        self.show_better("")

    def show_examples(self, examples: tuple[str, ...]) -> None:
        """The invitation, with up to three prompts that the model draws well."""
        self._headline.setText(self.tr("Describe a picture, press {0}").format(keys("Ctrl+Return")))
        self._hint.setText(self.tr("Try one of these, or drop a picture here to start from it."))
        self._add_model.hide()
        for button, example in zip(self._examples, (*examples, "", "", ""), strict=False):
            button.setText(example)
            button.setAccessibleName(self.tr("Example: {0}").format(example))
            button.setVisible(bool(example))
        if not examples:
            self._hint.setText(self.tr("Or drop a picture here to start from it."))

    def show_no_model(self) -> None:
        self._headline.setText(self.tr("No model yet"))
        self._hint.setText(self.tr("Drop a model folder on the window, or choose one from your disk."))
        self._add_model.show()
        for button in self._examples:
            button.hide()

    def show_better(self, title: str) -> None:
        """To an artist who has the starter model only: the one that suits this computer; empty for nobody else."""
        self._better.setText(self.tr("Get {0}, which draws far better than the starter model…").format(title))
        self._better.setAccessibleName(self.tr("Get {0}").format(title))
        self._better.setVisible(bool(title))

    def _arrange(self) -> None:
        self._headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._add_model.setProperty("kind", "main")
        self._add_model.setAccessibleName(self.tr("Add a model"))
        name_icon(self._add_model, "plus", "on_accent")
        self._add_model.clicked.connect(self.model_wanted)
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch()
        column.addWidget(self._headline)
        column.addWidget(self._hint)
        column.addSpacing(8)
        for button in self._examples:
            button.setProperty("kind", "example")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, button=button: self.example_chosen.emit(button.text()))
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._add_model, 0, Qt.AlignmentFlag.AlignHCenter)
        self._better.setProperty("kind", "link")
        self._better.clicked.connect(self.better_wanted)
        column.addSpacing(8)
        column.addWidget(self._better, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
