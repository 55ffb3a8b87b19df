"""Every family from one file, with the network cut off: bare diffusers loading it the same way draws the same."""

from __future__ import annotations

import functools
import inspect
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.loaders import single_file_utils
from diffusers.loaders.single_file_utils import load_single_file_checkpoint
from safetensors.torch import load_file, save_file

from imagegen_desktop.domain.families import FAMILIES
from imagegen_desktop.protocol.messages import Failed, Ready, Start
from imagegen_desktop.weights.inspect import inspect_model
from tests import original_layouts, tiny_models
from tests.engine import bare
from tests.engine.engine_child import ROOT, EngineChild, command, request, task_request

#: What a file of the family holds beside the denoiser.
HOLDS = {
    "sd1": ("unet", "vae", "text_encoder"),
    "sd2": ("unet", "vae", "text_encoder"),
    "sdxl": ("unet", "vae", "text_encoder", "text_encoder_2"),
    "sd3": ("transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"),
}
#: The tiny model a file is made of, where it is not named as its family.
MADE_OF = {"sdxl": "sdxl-uneven", "sd3": "sd3-uneven"}
#: What the cards of the tiny ones say beyond their families.
VARIANTS = {"sd2": ["v-prediction"]}
FAMILIES_IN_FILES = tuple(original_layouts.LAYOUTS)
SAFETENSORS_CASES = [(family, task) for family in FAMILIES_IN_FILES for task in FAMILIES[family].tasks]
GGUF_CASES = SAFETENSORS_CASES


@dataclass(frozen=True)
class Single:
    """A model in one file, the folder with what it lacks, and the whole model's."""

    file: Path
    kit: Path
    folder: Path


Write = Callable[[str, str], Single]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Write:
    """Writes a family's tiny model as a file of that format once."""
    shelf = tmp_path_factory.mktemp("files")

    @functools.cache
    def write(family: str, format: str) -> Single:
        kind = MADE_OF.get(family, family)
        folder = tiny_models.build(kind, shelf / kind)
        denoiser = "unet" if (folder / "unet").exists() else "transformer"
        if format == "gguf":
            kit = original_layouts.kit_of(folder, shelf / f"{family}-gguf-kit", (denoiser,))
            return Single(original_layouts.write_gguf(family, folder, shelf / f"{family}.gguf"), kit, folder)
        kit = original_layouts.kit_of(folder, shelf / f"{family}-kit", HOLDS.get(family, (denoiser,)))
        return Single(original_layouts.write(family, folder, shelf / f"{family}.safetensors"), kit, folder)

    return write


@pytest.fixture(scope="module")
def unplugged() -> Iterator[EngineChild]:
    child = EngineChild(Start(device="cpu", threads=1), entry=("tests.engine.unplugged_engine",))
    child.until(Ready)
    yield child
    child.close()


@functools.cache
def bare_loaded(family: str, single: Single) -> Any:
    """As a careful user of diffusers would open it."""
    kind = bare.kind_for(single.kit, FAMILIES[family].tasks[0])
    plain = {"local_files_only": True, "dtype": torch.float32, **bare.WITHOUT_CHECKER.get(kind.__name__, {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if single.file.suffix == ".safetensors" and family in HOLDS:
            pipeline = kind.from_single_file(str(single.file), config=str(single.kit), **plain)
        else:
            pipeline = kind.from_pretrained(single.kit, **_bare_denoiser(single), **plain)
    return pipeline


def bare_pipeline(family: str, single: Single, task: str) -> Any:
    """Its parts in the pipeline of the task."""
    loaded, kind = bare_loaded(family, single), bare.kind_for(single.kit, task)
    takes = inspect.signature(kind.__init__).parameters
    known = {**loaded.config, **loaded.components}
    pipeline = kind(**{name: part for name, part in known.items() if name in takes})
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _bare_denoiser(single: Single) -> dict[str, Any]:
    index = json.loads((single.kit / "model_index.json").read_text())
    part = "unet" if "unet" in index else "transformer"
    options: dict[str, Any] = {"config": str(single.kit), "subfolder": part, "dtype": torch.float32}
    if single.file.suffix == ".gguf":
        options["quantization_config"] = diffusers.GGUFQuantizationConfig(compute_dtype=torch.float32)
    source: Any = str(single.file)
    if index[part][1] == "FluxTransformer2DModel":
        source = _at_any_width(source)
    if part == "unet":
        source = {
            f"model.diffusion_model.{name}": tensor for name, tensor in load_single_file_checkpoint(source).items()
        }
    return {part: getattr(diffusers, index[part][1]).from_single_file(source, **options)}


def _at_any_width(file: str) -> Any:
    """diffusers' own conversion of FLUX.1, with the width of this one for that of the published."""
    source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers)
    checkpoint = load_single_file_checkpoint(file)
    known: dict[str, Any] = {"torch": torch}
    exec(source.replace("inner_dim = 3072", f"inner_dim = {len(checkpoint['img_in.bias'])}"), known)
    return known["convert_flux_transformer_checkpoint_to_diffusers"](checkpoint)


def same_as_bare(engine: EngineChild, family: str, single: Single, task: str) -> None:
    wish = task_request(task)
    image = engine.image(
        command(wish, single.file, family=family, kit=str(single.kit), variants=VARIANTS.get(family, []))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert image.pixels == bare.drawn(wish, bare_pipeline(family, single, task))


@pytest.mark.parametrize(("family", "task"), SAFETENSORS_CASES)
def test_a_safetensors_file_is_drawn_as_diffusers_draws_it(
    unplugged: EngineChild, written: Write, family: str, task: str
) -> None:
    same_as_bare(unplugged, family, written(family, "safetensors"), task)


@pytest.mark.parametrize(("family", "task"), GGUF_CASES)
def test_a_gguf_file_is_drawn_as_diffusers_draws_it(
    unplugged: EngineChild, written: Write, family: str, task: str
) -> None:
    same_as_bare(unplugged, family, written(family, "gguf"), task)


def difference(one: bytes, other: bytes) -> float:
    """Levels of 255, on average."""
    return sum(abs(left - right) for left, right in zip(one, other, strict=True)) / len(one)


@pytest.mark.parametrize("family", FAMILIES_IN_FILES)
def test_a_file_holds_what_its_folder_holds(unplugged: EngineChild, written: Write, family: str) -> None:
    """Two routes round differently; weights in a wrong place make another picture."""
    single = written(family, "safetensors")
    wish = task_request(FAMILIES[family].tasks[0])
    whole = unplugged.image(command(wish, single.folder, family=family)).pixels
    options = {"kit": str(single.kit), "variants": VARIANTS.get(family, [])}
    image = unplugged.image(command(wish, single.file, family=family, **options)).pixels
    assert difference(whole, image) < 0.5


def test_flux_may_be_named_as_diffusers_names_it(unplugged: EngineChild, written: Write, tmp_path: Path) -> None:
    single, wish = written("flux", "safetensors"), request()
    file, options = tmp_path / "flux.safetensors", {"family": "flux", "kit": str(single.kit)}
    save_file(original_layouts.as_in_diffusers(single.folder), file)
    theirs = unplugged.image(command(wish, single.file, **options)).pixels
    assert difference(unplugged.image(command(wish, file, **options)).pixels, theirs) < 0.5


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("mark", ["v-prediction", "v_pred", "ztsnr", ""])
def test_a_file_predicts_what_it_is_marked_to_predict(
    unplugged: EngineChild, written: Write, tmp_path: Path, family: str, mark: str
) -> None:
    """The kit of the family says one thing for all of its models."""
    single, wish = written(family, "safetensors"), request(sampler="Euler")
    marked = {"v_pred", mark} if mark in ("v_pred", "ztsnr") else set()
    file = tmp_path / "file.safetensors"
    save_file(load_file(single.file) | {name: torch.zeros(0) for name in marked}, file)
    variants = [mark] if mark == "v-prediction" else []
    drawn = unplugged.image(command(wish, file, family=family, kit=str(single.kit), variants=variants)).pixels
    pipeline = bare_pipeline(family, Single(file, single.kit, single.folder), "text")
    changes = {"prediction_type": "v_prediction" if mark else "epsilon", "rescale_betas_zero_snr": mark == "ztsnr"}
    pipeline.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert drawn == bare.drawn(wish, pipeline)


def test_the_kit_of_a_family_serves_its_inpainting_model(
    unplugged: EngineChild, written: Write, tmp_path: Path
) -> None:
    folder = tiny_models.build("sd1-inpaint", tmp_path / "sd1-inpaint")
    file = original_layouts.write("sd1", folder, tmp_path / "file.safetensors")
    wish = task_request("inpaint")
    whole = unplugged.image(command(wish, folder)).pixels
    image = unplugged.image(command(wish, file, kit=str(written("sd1", "safetensors").kit))).pixels
    assert difference(whole, image) < 0.5


def test_schnell_keeps_its_own_schedule_with_the_kit_of_dev(
    unplugged: EngineChild, written: Write, tmp_path: Path
) -> None:
    kit = written("flux", "safetensors").kit
    folder = tiny_models.build("flux-schnell", tmp_path / "flux-schnell")
    file = original_layouts.write("flux", folder, tmp_path / "file.safetensors")
    wish = request(guidance=0.0)
    options = {"config": str(kit), "subfolder": "transformer", "guidance_embeds": False}
    pipeline = diffusers.FluxPipeline.from_pretrained(
        kit,
        transformer=diffusers.FluxTransformer2DModel.from_single_file(_at_any_width(str(file)), **options),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=1.0),
    )
    image = unplugged.image(command(wish, file, family="flux", kit=str(kit)))
    assert image.pixels == bare.drawn(wish, pipeline)


def failure(engine: EngineChild, file: Path, family: str, kit: Path | str) -> Failed:
    return engine.refusal(command(request(), file, family=family, kit=str(kit)))


def test_without_a_kit_one_line_says_what_is_missing(unplugged: EngineChild, written: Write, tmp_path: Path) -> None:
    file = written("sd1", "safetensors").file
    for kit in ("", tmp_path):
        failed = failure(unplugged, file, "sd1", kit)
        assert failed.kind == "model"
        assert (
            failed.message == "sd1.safetensors is a single file; the configs and tokenizers of its family are missing."
        )


def test_parts_that_are_nowhere_are_named(unplugged: EngineChild, written: Write, tmp_path: Path) -> None:
    single = written("flux", "gguf")
    kit = original_layouts.kit_of(single.kit, tmp_path / "kit", ("vae", "text_encoder_2"))
    failed = failure(unplugged, single.file, "flux", kit)
    assert failed.message.startswith("flux.gguf holds no weights of vae, text_encoder_2, and ")


def test_another_familys_file_is_one_line(unplugged: EngineChild, written: Write) -> None:
    failed = failure(unplugged, written("sdxl", "safetensors").file, "sd1", written("sd1", "safetensors").kit)
    assert failed.kind == "model"
    assert failed.message.startswith("The model sdxl.safetensors cannot be loaded: ")


def test_a_file_and_its_kit_are_one_model_to_the_shelf(unplugged: EngineChild, written: Write) -> None:
    single = written("zimage", "safetensors")
    asked = command(request(), single.file, family="zimage", kit=str(single.kit))
    before = unplugged.image(asked)
    (single.kit / "scheduler" / "scheduler_config.json").touch()
    assert unplugged.image(asked).pixels == before.pixels


def test_the_readme_tells_what_is_tested() -> None:
    from tests import families_table

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert families_table.HEAD not in readme or families_table.table() in readme


@pytest.mark.parametrize("format", ["safetensors", "gguf"])
@pytest.mark.parametrize("family", FAMILIES_IN_FILES)
def test_the_file_is_recognised(written: Write, family: str, format: str) -> None:
    found = inspect_model(written(family, format).file)
    # What tells Stable Diffusion 2's UNet from 1's is its real width, and the text encoder of a whole checkpoint.
    narrow = family == "sd2" and format == "gguf"
    assert (found.family, found.format) == ("sd1" if narrow else family, format)
