"""Models from a hub that cuts, lies, flips bits and makes us wait: what is installed is whole, or it is not there."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagegen_desktop.domain.download import Download, DownloadState
from imagegen_desktop.domain.errors import BadAnswer, BadInput, KeyRefused, ModelProblem, NotAllowed, NotFound, Problem
from imagegen_desktop.providers.cloud import Surroundings
from imagegen_desktop.providers.hub import Hub
from imagegen_desktop.services.announce import Announcement, Announcer, DownloadChanged
from imagegen_desktop.services.downloads import HIDDEN, ModelDownloads
from imagegen_desktop.storage.durable import PART
from imagegen_desktop.weights.inspect import inspect_model
from tests.fake_hub import NEEDED, TOKEN, FakeHub, pipeline_files
from tests.faults.mounted import memory
from tests.loopback import Handler

ID = "paper-makers/paper"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> int:
    """How often each fault is tried, by `--faults`."""
    count: int = request.config.getoption("--faults")
    return count


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add(ID, pipeline_files())
        yield server


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


@pytest.fixture
def bench(hub: FakeHub, tmp_path: Path) -> Iterator[Bench]:
    made = Bench(hub, tmp_path / "models")
    yield made
    made.downloads.close()


def test_a_pipeline_comes_whole_and_nothing_else_comes(bench: Bench) -> None:
    done = bench.get()
    assert done.state is DownloadState.DONE and done.path == str(bench.root / "paper")
    bench.check_whole()
    assert bench.hub.sent == bench.needed
    assert bench.found == 1
    card = inspect_model(bench.root / "paper")
    assert (card.family, card.licence) == ("sd1", "openrail++")


def test_half_precision_where_there_is_a_gpu(hub: FakeHub, tmp_path: Path) -> None:
    with_gpu = Bench(hub, tmp_path / "models", gpu=True)
    with_gpu.get()
    weights = sorted(path.name for path in (tmp_path / "models").rglob("*.safetensors") if "unet" in str(path))
    assert weights == ["diffusion_pytorch_model.fp16.safetensors"]


def test_the_licence_and_the_size_are_known_before(bench: Bench) -> None:
    offer = bench.downloads.look(ID)
    assert offer.journal.model.licence == "openrail++"
    assert not offer.journal.model.gated
    assert offer.missing_bytes == offer.journal.selection.size > bench.needed
    assert bench.hub.sent == 0 and bench.visible() == []


def test_what_is_here_already_is_not_fetched_again(bench: Bench) -> None:
    bench.get()
    assert bench.downloads.look(ID).installed == bench.root / "paper"


def test_a_second_model_of_that_name_gets_another(bench: Bench) -> None:
    bench.get()
    bench.hub.add("others/paper", pipeline_files(seed=1))
    assert bench.get("others/paper").path == str(bench.root / "paper-2")
    bench.check_whole()


def test_one_file_of_many(bench: Bench) -> None:
    done = bench.get(file="paper-v1.safetensors")
    assert done.path == str(bench.root / "paper-v1.safetensors")
    assert (bench.root / "paper-v1.safetensors").read_bytes() == bench.hub.repositories[ID].files[
        "paper-v1.safetensors"
    ]
    assert bench.downloads.look(ID, file="paper-v1.safetensors").installed is not None


def test_cut_anywhere_it_goes_on_where_it_was(hub: FakeHub, tmp_path: Path, faults: int) -> None:
    chance, worst = random.Random(7), 0.0
    for number in range(2 * faults):
        hub.reset()
        hub.add(ID, pipeline_files(60_000, seed=number))
        hub.cuts = [chance.randrange(60_000) for _ in range(chance.randint(1, 5))]
        bench = Bench(hub, tmp_path / f"models-{number}")
        assert bench.get().state is DownloadState.DONE
        bench.check_whole()
        worst = max(worst, hub.sent / bench.needed)
    assert worst <= 1.1


def test_a_server_without_ranges(bench: Bench, faults: int) -> None:
    chance = random.Random(8)
    bench.hub.ignores_range = True
    for number in range(max(2, faults // 2)):
        bench.hub.sent, bench.hub.cuts = 0, [chance.randrange(200_000)]
        bench.hub.add(ID, pipeline_files(seed=number))
        place = Path(bench.get().path)
        bench.check_whole(place.name)
        assert bench.hub.sent - bench.needed <= 1.1 * bench.needed


def test_another_version_answers_midway(bench: Bench) -> None:
    hub = bench.hub
    hub.cuts = [150_000]
    hub.longest = 100_000
    gate = hub.gate("flowing")
    download = bench.downloads.start(bench.downloads.look(ID))
    assert gate.reached.wait(10)
    hub.version = "2"
    gate.opened.set()
    assert bench.downloads.wait(download.key).state is DownloadState.DONE
    bench.check_whole()
    assert hub.sent - bench.needed <= 1.1 * bench.needed


def test_one_flipped_bit_is_found_and_fetched_again(hub: FakeHub, tmp_path: Path, faults: int) -> None:
    chance = random.Random(9)
    for number in range(2 * faults):
        hub.reset()
        hub.add(ID, pipeline_files(60_000, seed=number))
        hub.flips = [chance.randrange(60_000)]
        bench = Bench(hub, tmp_path / f"models-{number}")
        assert bench.get().state is DownloadState.DONE
        bench.check_whole()
        assert hub.flips == [] and hub.sent - bench.needed <= 1.1 * bench.needed


def test_a_line_that_always_damages_installs_nothing(bench: Bench) -> None:
    bench.hub.always_flips = True
    failed = bench.get()
    assert failed.state is DownloadState.FAILED
    assert failed.error is not None and "damaged" in failed.error["message"]
    assert bench.visible() == []
    bench.hub.always_flips = False
    assert bench.downloads.wait(bench.downloads.resume(failed.key).key).state is DownloadState.DONE
    bench.check_whole()


def test_it_waits_as_long_as_the_hub_asks(bench: Bench) -> None:
    asked: list[float] = []

    def wait(handler: Handler) -> None:
        asked.append(time.monotonic())
        handler.send_bytes(429, b"", headers={"Retry-After": "1"})

    bench.hub.troubles = [wait]
    assert bench.get().state is DownloadState.DONE
    assert time.monotonic() - asked[0] >= 1.0
    assert "The hub asks us to wait." in {heard.note for heard in bench.heard}


def test_a_long_wait_is_said_and_not_waited_for(bench: Bench) -> None:
    bench.hub.troubles = [lambda handler: handler.send_bytes(429, b"", headers={"Retry-After": "3000"})] * 4
    failed = bench.get()
    assert failed.state is DownloadState.FAILED and failed.error is not None
    assert failed.error["kind"] == "rate_limited"


@pytest.mark.parametrize("status", [500, 503, 416, 408])
def test_passing_troubles_pass(bench: Bench, status: int) -> None:
    bench.hub.troubles = [lambda handler: handler.send_bytes(status, b"")] * 4
    assert bench.get().state is DownloadState.DONE
    bench.check_whole()


def test_a_login_page_in_place_of_a_file(bench: Bench) -> None:
    page = b"<html>Please log in to the hotel</html>"
    bench.hub.troubles = [lambda handler: handler.send_bytes(200, page, "text/html")] * 100
    failed = bench.get()
    assert failed.error is not None and "Something else answers" in failed.error["message"]
    assert bench.visible() == []


def test_a_network_that_is_gone(bench: Bench) -> None:
    bench.hub.troubles = [lambda handler: handler.drop(reset=True)] * 100
    failed = bench.get()
    assert failed.error is not None and failed.error["kind"] == "unreachable"
    bench.hub.troubles = []
    assert bench.downloads.wait(bench.downloads.resume(failed.key).key).state is DownloadState.DONE


def test_it_is_sent_nowhere_else(bench: Bench) -> None:
    bench.hub.evil_redirect = "http://169.254.169.254/latest/meta-data"
    failed = bench.get()
    assert failed.error is not None and "169.254.169.254" in failed.error["message"]
    bench.hub.evil_redirect = f"{bench.hub.origin}/{ID}/resolve/main/unet/diffusion_pytorch_model.safetensors"
    again = bench.downloads.wait(bench.downloads.resume(failed.key).key)
    assert again.error is not None and "circle" in again.error["message"]


def test_the_token_is_shown_to_the_hub_alone(hub: FakeHub, tmp_path: Path) -> None:
    Bench(hub, tmp_path / "models", token=TOKEN).get()
    cdn = [seen for seen in hub.requests if seen.path.startswith("/cdn/")]
    own = [seen for seen in hub.requests if not seen.path.startswith("/cdn/")]
    assert cdn and own
    assert all(seen.headers.get("Authorization") == f"Bearer {TOKEN}" for seen in own)
    assert not any("Authorization" in seen.headers for seen in cdn)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in data for data in written)


def test_a_gated_model_says_where_to_accept_its_licence(hub: FakeHub, tmp_path: Path) -> None:
    repository = hub.add(ID, pipeline_files(), gated="manual")
    with pytest.raises(NotAllowed) as caught:
        Bench(hub, tmp_path / "models").downloads.look(ID)
    assert f"{hub.origin}/{ID}" in caught.value.advice
    with_token = Bench(hub, tmp_path / "models", token=TOKEN)
    assert with_token.downloads.look(ID).journal.model.gated
    assert with_token.get().state is DownloadState.DONE
    assert repository.gated


@pytest.mark.parametrize(
    ("token", "text", "kind"),
    [
        ("", "nobody/nothing", NotFound),
        ("wrong", ID, KeyRefused),
        ("", "no slash", BadInput),
        ("", "../etc", BadInput),
        ("", "a/b/c", BadInput),
        ("", "https://evil.example/a/b", BadInput),
    ],
)
def test_what_cannot_be_looked_at(hub: FakeHub, tmp_path: Path, token: str, text: str, kind: type[Problem]) -> None:
    with pytest.raises(kind):
        Bench(hub, tmp_path / "models", token=token).downloads.look(text)


def test_something_that_is_no_hub(hub: FakeHub, tmp_path: Path) -> None:
    bench = Bench(hub, tmp_path / "models")
    hub.add(ID, {"model_index.json": b"<html>"})
    with pytest.raises(BadAnswer):
        bench.downloads.look(ID)


def test_only_pickles_are_refused(bench: Bench) -> None:
    bench.hub.add("a/pickles", {"model.ckpt": b"pickle", "config.json": b"{}"})
    with pytest.raises(ModelProblem, match="pickle"):
        bench.downloads.look("a/pickles")
    with pytest.raises(ModelProblem, match="can run code"):
        bench.downloads.look(ID, file="paper-v1.ckpt")


def test_a_revision_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(NotFound, match="revision"):
        bench.downloads.look(ID, revision="v9")
    assert bench.downloads.look(ID, revision="v1").journal.model.revision == bench.hub.repositories[ID].commit


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def held(bench: Bench) -> tuple[str, Callable[[], None]]:
    """A download that stands still in the middle of its largest file; the answer lets it flow."""
    gate = bench.hub.gate("flowing")
    bench.hub.longest = 65_536
    key = bench.downloads.start(bench.downloads.look(ID)).key
    assert gate.reached.wait(10)
    until(lambda: Bench(bench.hub, bench.root).downloads.all()[0].received > 50_000)
    return key, gate.opened.set


def test_paused_it_goes_on_after_a_restart(bench: Bench) -> None:
    key, flow = held(bench)
    assert bench.visible() == []
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    flow()
    bench.downloads.close()
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    (waiting,) = later.downloads.all()
    assert (waiting.state, waiting.id) == (DownloadState.PAUSED, ID) and 0 < waiting.received < waiting.size
    assert later.downloads.wait(later.downloads.resume(key).key).state is DownloadState.DONE
    later.check_whole()


def test_what_ran_at_the_end_goes_on_by_itself(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.close()
    flow()
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    assert later.downloads.wait(key).state is DownloadState.DONE
    later.check_whole()


def test_cancelled_nothing_is_left(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.cancel(key)
    assert bench.downloads.wait(key).state is DownloadState.CANCELLED
    flow()
    assert list((bench.root / HIDDEN).iterdir()) == [] and bench.visible() == []
    assert bench.downloads.all() == []


def test_cancelling_what_is_just_being_paused_cancels_it(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.cancel(key)
    assert bench.downloads.wait(key).state is DownloadState.CANCELLED
    flow()
    assert list((bench.root / HIDDEN).iterdir()) == []


def test_asked_for_twice_it_is_fetched_once_and_can_be_paused(bench: Bench) -> None:
    key, flow = held(bench)
    assert bench.downloads.start(bench.downloads.look(ID)).state is DownloadState.RUNNING
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    flow()
    assert bench.get().state is DownloadState.DONE
    bench.check_whole()


def test_a_file_is_not_closed_while_the_disk_is_at_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number may be somebody else's file a moment later: nothing is done with it any more."""
    gate = bench.hub.gate("flowing")
    bench.hub.longest = 65_536
    at_work, others_closed = threading.Event(), threading.Event()
    before: list[int] = []
    after: list[int] = []
    fsync, close = os.fsync, os.close

    def slow_fsync(descriptor: int) -> None:
        parts = bench.root.glob(f"{HIDDEN}/*/files/**/*{PART}")
        if not before and any(os.path.samestat(os.fstat(descriptor), part.stat()) for part in parts):
            before.append(os.fstat(descriptor).st_ino)
            at_work.set()
            others_closed.wait(10)
            after.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def told_close(descriptor: int) -> None:
        close(descriptor)
        if at_work.is_set() and threading.current_thread().name == "download":
            others_closed.set()

    monkeypatch.setattr(os, "fsync", slow_fsync)
    monkeypatch.setattr(os, "close", told_close)
    key = bench.downloads.start(bench.downloads.look(ID)).key
    assert gate.reached.wait(10) and at_work.wait(10)
    bench.downloads.pause(key)
    assert bench.downloads.wait(key).state is DownloadState.PAUSED
    assert after == before
    gate.opened.set()
    assert bench.downloads.wait(bench.downloads.resume(key).key).state is DownloadState.DONE
    bench.check_whole()


def test_a_newer_commit_keeps_what_is_the_same(bench: Bench) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.wait(key)
    flow()
    files = bench.hub.repositories[ID].files
    bench.hub.add(ID, files | {"README.md": b"# Better words\n"})
    bench.get()
    bench.check_whole()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../../evil"},
        {"name": "a/b"},
        {"files": [{"path": "../../evil", "size": 1, "sha256": "a" * 64, "blob": ""}]},
        {"files": [{"path": "x", "size": -1, "sha256": "a" * 64, "blob": ""}]},
        {"files": [{"path": "x", "size": 1, "sha256": "", "blob": ""}]},
        {"files": "x"},
        {"model": None},
        {"state": "flying"},
        {"etags": ["x"]},
        {"error": "x"},
    ],
    ids=str,
)
def test_a_journal_that_is_not_ours_is_not_followed(bench: Bench, wrong: dict[str, object]) -> None:
    key, flow = held(bench)
    bench.downloads.pause(key)
    bench.downloads.wait(key)
    flow()
    journal = bench.root / HIDDEN / key / "download.json"
    journal.write_text(json.dumps(json.loads(journal.read_text()) | wrong))
    later = Bench(bench.hub, bench.root)
    later.downloads.begin()
    assert later.downloads.all() == []
    assert later.get().state is DownloadState.DONE
    later.check_whole()


def test_two_processes_do_not_fetch_the_same(bench: Bench) -> None:
    _, flow = held(bench)
    other = Bench(bench.hub, bench.root)
    refused = other.get()
    assert refused.error is not None and "another window" in refused.error["message"]
    flow()


def test_no_room_is_said_before_anything_is_fetched(hub: FakeHub, tmp_path: Path) -> None:
    with memory(tmp_path / "small", "2m") as disk:
        bench = Bench(hub, disk / "models")
        with pytest.raises(Problem, match=r"needs [\d,]+ bytes; [\d,]+ are free"):
            bench.downloads.start(bench.downloads.look(ID))
        assert hub.sent == 0


PROGRAM = """
import resource, sys
from pathlib import Path
from imagegen_desktop.providers.cloud import Surroundings
from imagegen_desktop.providers.hub import Hub
from imagegen_desktop.services.announce import Announcer
from imagegen_desktop.services.downloads import ModelDownloads
root, origin, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
root.mkdir(exist_ok=True)
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
hub = Hub(Surroundings(key=lambda name: "", endpoint=lambda name: origin))
downloads = ModelDownloads(lambda: hub, root, Announcer(), lambda: None, lambda: False, 0.001)
ended = downloads.wait(downloads.start(downloads.look(sys.argv[4])).key)
print(ended.state, (ended.error or {}).get("message", ""))
"""


def program(bench: Bench, most: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(bench.root), bench.hub.origin, str(most), ID]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit that stands in for a full disk is Linux's")
def test_a_disk_that_fills_up_in_the_middle(bench: Bench) -> None:
    full = program(bench, most=120_000)
    said, _ = full.communicate(timeout=60)
    assert "failed There is no space left" in said
    assert bench.visible() == []
    assert bench.downloads.all()[0].received >= 120_000
    assert bench.get().state is DownloadState.DONE
    bench.check_whole()
    assert bench.hub.sent - bench.needed <= 1.1 * bench.needed


def test_killed_anywhere_it_is_whole_in_the_end(hub: FakeHub, tmp_path: Path, faults: int) -> None:
    chance = random.Random(10)
    for number in range(max(2, faults // 2)):
        hub.reset()
        hub.add(ID, pipeline_files(400_000, seed=number))
        hub.longest = chance.randrange(1, 400_000)
        gate = hub.gate("flowing")
        gate.reached.clear()
        gate.opened.clear()
        bench = Bench(hub, tmp_path / f"models-{number}")
        running = program(bench)
        assert gate.reached.wait(30)
        running.kill()
        running.communicate()
        assert bench.visible() == []
        gate.opened.set()
        hub.longest = 1 << 60
        assert bench.get().state is DownloadState.DONE
        bench.check_whole()
        assert hub.sent - bench.needed <= 1.1 * bench.needed
