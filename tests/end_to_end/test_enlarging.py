"""`upscale`, `--outpaint` and `--hires-factor` as processes of their own, with the real engine."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageOps
from safetensors.torch import save_file

from imagegen_desktop.domain.job import JobState
from imagegen_desktop.paths import Home
from imagegen_desktop.protocol.messages import Started
from imagegen_desktop.services.announce import JobEvent
from imagegen_desktop.services.assemble import assemble
from imagegen_desktop.services.enlarging import upscaling
from tests.pictures import half_mask
from tests.services.test_runner import On, heard_by, step_is, until_empty
from tests.tiny_models import esrgan_tensors

from .conftest import Call, events

pytestmark = pytest.mark.slow


@pytest.fixture
def photo(tmp_path: Path) -> Image.Image:
    picture = Image.radial_gradient("L").resize((75, 50)).convert("RGB")
    picture.paste((200, 30, 30), (10, 10, 30, 40))
    picture.save(tmp_path / "photo.png")
    return picture


def test_upscaling_without_a_network_is_lanczos_and_lands_in_the_library(
    call: Call, photo: Image.Image, tmp_path: Path, home: Path
) -> None:
    told = events(call("upscale", "photo.png", "--factor", "2.5", "-o", "large.png", "--json"))
    assert [event["event"] for event in told] == ["step", "image", "done"]
    large = Image.open(tmp_path / "large.png")
    assert large.tobytes() == photo.resize((188, 125), Image.Resampling.LANCZOS).tobytes()
    assert "Postprocess upscaler: Lanczos" in large.info["parameters"]
    assert Path(told[1]["library_path"]).is_file()

    (home / "models").mkdir(exist_ok=True)
    save_file(esrgan_tensors(doublings=1), home / "models" / "tiny-x2.safetensors")
    told = events(call("upscale", "photo.png", "--factor", "2", "--upscaler", "tiny-x2", "--json"))
    with Image.open(told[-2]["path"]) as by_network:
        assert by_network.size == (150, 100)
        assert by_network.tobytes() != photo.resize((150, 100), Image.Resampling.LANCZOS).tobytes()

    for wrong, said in ((("--upscaler", "none-such"), "tiny-x2, Lanczos"), (("--factor", "2000"), "factor")):
        refused = call("upscale", "photo.png", "--factor", "2", *wrong)
        assert refused.returncode == 2
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_outpainting_and_a_second_pass(call: Call, tiny: Path, photo: Image.Image, tmp_path: Path) -> None:
    model = ("--model", str(tiny), "--steps", "3", "--json", "--seed", "1")
    told = events(call("generate", "hills", "--image", "photo.png", "--outpaint", "left=24,top=6", *model))
    with Image.open(io.BytesIO(Path(told[-2]["path"]).read_bytes())) as large:
        assert large.size == (104, 56)
        old = large.crop((104 - 75, 56 - 50, 104, 56))
        inner = (75 // 8 * 2 + 1, 50 // 8 * 2 + 1, 75, 50)
        assert old.crop(inner).tobytes() == photo.crop(inner).tobytes()
    told = events(call("generate", "hills", "--hires-factor", "1.5", "--hires-strength", "0.7", *model))
    steps = [event for event in told if event["event"] == "step"]
    assert [(event["step"], event["steps"]) for event in steps] == [(step, 7) for step in range(1, 8)]
    with Image.open(told[-2]["path"]) as drawn:
        assert drawn.size == (96, 96)
    for options, said in (
        (("--outpaint", "left=24"), "outpaint"),
        (("--image", "photo.png", "--outpaint", "sideways=3"), "left=128"),
        (("--image", "photo.png", "--outpaint", "left=24", "--width", "64"), "width"),
        (("--hires-strength", "0.5"), "hires strength"),
    ):
        refused = call("generate", "hills", *options, *model)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr


def test_a_second_pass_inside_a_mask_keeps_the_rest_of_the_picture(
    call: Call, tiny: Path, photo: Image.Image, tmp_path: Path
) -> None:
    (tmp_path / "mask.png").write_bytes(half_mask(75, 50))
    model = ("--model", str(tiny), "--steps", "3", "--json", "--seed", "1", "--width", "64", "--height", "64")
    source = ("--image", "photo.png", "--mask", "mask.png", "--hires-factor", "1.5", "--hires-strength", "0.7")
    told = events(call("generate", "hills", *source, *model))
    with Image.open(told[-2]["path"]) as drawn:
        assert drawn.size == (96, 96)
        whole = ImageOps.fit(photo, (96, 96), Image.Resampling.LANCZOS)
        kept, painted = (60, 0, 96, 96), (0, 0, 36, 96)
        assert drawn.convert("RGB").crop(kept).tobytes() == whole.crop(kept).tobytes()
        assert drawn.convert("RGB").crop(painted).tobytes() != whole.crop(painted).tobytes()


def test_a_paused_enlarging_goes_on_after_a_restart_where_it_was(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_DESKTOP_THREADS", "1")
    (home / "models").mkdir(parents=True)
    save_file(esrgan_tensors(doublings=1, width=24, blocks=1), home / "models" / "tiny-x2.safetensors")
    Image.radial_gradient("L").resize((400, 500)).convert("RGB").save(tmp_path / "large.png")
    kept = home / "snapshots"
    parts = assemble(Home(home))
    try:
        wish = upscaling(parts.sources.keep(tmp_path / "large.png"), 2, upscaler="tiny-x2")
        job = parts.queue.add(wish).id
        On(parts, step_is(2), lambda: parts.queue.pause(job))
        until_empty(parts)
        assert parts.queue.get(job).state is JobState.PAUSED
        assert [file.name for file in kept.glob("*.safetensors")] == [f"{job}-0.safetensors"]
    finally:
        parts.close()
    parts = assemble(Home(home))
    try:
        heard = heard_by(parts)
        parts.queue.resume(job)
        again = parts.queue.add(wish).id
        until_empty(parts)
        begun = [each.event.step for each in heard if isinstance(each, JobEvent) and isinstance(each.event, Started)]
        assert begun[0] >= 2 and begun[1] == 0
        made = {image.job: image.pixels_sha256 for image in parts.gallery.page()}
        assert made[job] == made[again]
        assert list(kept.rglob("*.safetensors")) == []
    finally:
        parts.close()
