"""A job under way in this process, and what is wished of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from ..domain.image import GeneratedImage
from ..domain.job import Job
from ..protocol.messages import Preview
from ..providers.base import Provider
from .queue import CANCEL

#: The wish of a more urgent job: leave at the next step, and go on when it is done.
YIELD = "yield"


@dataclass
class Running:
    """A job under way in this process. `wish` is what the artist asked of it meanwhile; `alone` when somebody
    waits for just this job; `notes` say what the provider's model made necessary. `heard`: its provider began with
    it; `behind`: another job was there before it; `closing`: the program ends."""

    job: Job
    provider: Provider
    on_almost_done: Callable[[], None]
    wish: str = ""
    alone: bool = False
    notes: tuple[str, ...] = ()
    almost_done: bool = False
    heard: bool = False
    behind: bool = False
    closing: bool = False
    original: bytes = b""
    mask: bytes = b""
    index: int = 0
    step: int = 0
    steps: int = 0
    preview: Preview | None = None
    saves: list[Future[GeneratedImage]] = field(default_factory=list)

    @property
    def innocent(self) -> bool:
        """Whether an engine that died now did not die of this job: it had not begun with it."""
        return self.behind and not self.heard

    def pass_wish_on(self) -> None:
        """Tells the provider what is wished; it may not know the job yet."""
        (self.provider.cancel if self.wish == CANCEL else self.provider.pause)(self.job.id)
