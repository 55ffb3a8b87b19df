"""Models from a hub that cuts, lies, flips bits and makes us wait: what is installed is whole, or it is not there."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from imagegen_desktop.domain.download import DownloadState
from imagegen_desktop.domain.errors import BadAnswer, BadInput, KeyRefused, ModelProblem, NotAllowed, NotFound, Problem
from imagegen_desktop.weights.inspect import inspect_model
from tests.fake_hub import TOKEN, FakeHub, pipeline_files
from tests.loopback import Handler
from tests.services.downloading import ID, Bench


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
