"""One IP-Adapter of the prompt pane, and the picture that says what to draw."""

from __future__ import annotations

from ...domain.model_card import IP_ADAPTER
from ...domain.request import ImagePrompt
from .picture_row import Need, PictureRow


class ImagePromptRow(PictureRow):
    def __init__(self) -> None:
        super().__init__("imagePrompt")
        self._call(self.tr("IP-Adapter"), self.tr("Picture that says what to draw"), self.tr("Take the IP-Adapter off"))
        self._network.currentIndexChanged.connect(lambda _: self.need_changed.emit())

    @property
    def need(self) -> Need:
        return IP_ADAPTER, self.network

    def value(self) -> ImagePrompt | None:
        values = self._values()
        return None if values is None else ImagePrompt(**values)
