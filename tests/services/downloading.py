"""Downloads into a folder from a hub on this machine, as the tests of downloads try them."""

from __future__ import annotations

from pathlib import Path

from imagegen_desktop.domain.download import Download
from imagegen_desktop.providers.cloud import Surroundings
from imagegen_desktop.providers.hub import Hub
from imagegen_desktop.services.announce import Announcement, Announcer, DownloadChanged
from imagegen_desktop.services.downloads import HIDDEN, ModelDownloads
from tests.fake_hub import NEEDED, FakeHub

ID = "paper-makers/paper"


class Bench:
    """Downloads into a folder, and everything they announced."""

    def __init__(self, hub: FakeHub, root: Path, token: str = "", gpu: bool = False, seconds: float = 5.0) -> None:
        self.hub = hub
        self.root = root
        self.heard: list[Download] = []
        self.found = 0
        root.mkdir(exist_ok=True)
        announce = Announcer()
        announce.subscribe(self._hear)
        surroundings = Surroundings(key=lambda name: token, endpoint=lambda name: hub.origin)
        asked = Hub(surroundings, silence_seconds=seconds)
        self.downloads = ModelDownloads(lambda: asked, root, announce, self._come, lambda: gpu, pause_seconds=0.001)

    def get(self, text: str = ID, file: str | None = None) -> Download:
        return self.downloads.wait(self.downloads.start(self.downloads.look(text, file=file)).key)

    @property
    def needed(self) -> int:
        """Bytes of the large files that are needed."""
        files = self.hub.repositories[ID].files
        return sum(len(files[name]) for name in NEEDED if name.endswith(".safetensors"))

    def visible(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir() if path.name != HIDDEN)

    def check_whole(self, name: str = "paper") -> None:
        """Every needed file to the byte, nothing else, nothing left over."""
        folder, files = self.root / name, self.hub.repositories[ID].files
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert found == {*NEEDED, "card.json"}
        assert all((folder / path).read_bytes() == files[path] for path in NEEDED)
        assert list((self.root / HIDDEN).iterdir()) == []

    def _hear(self, news: Announcement) -> None:
        if isinstance(news, DownloadChanged):
            self.heard.append(news.download)

    def _come(self) -> None:
        self.found += 1
