"""Every way of sharing a card draws what the plain one draws; here on a processor, which stands in for the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch

from imagegen_desktop.domain.request import REFERENCE_SIDE, GenerationRequest, ImagePrompt, LoraWeight, SourceImage
from imagegen_desktop.engine.adapters import Adapters
from imagegen_desktop.engine.conditioning import TextCache
from imagegen_desktop.engine.decode import decode_on_processor
from imagegen_desktop.engine.desk import Desk
from imagegen_desktop.engine.device import choose
from imagegen_desktop.engine.memory_plan import EIGHT_BIT, STREAMED, TEXT_APART, WHOLE, Plan
from imagegen_desktop.engine.model_hash import Digests
from imagegen_desktop.engine.pipelines import PIPELINES
from imagegen_desktop.engine.placing import need_of, place, placed
from imagegen_desktop.engine.single_file import open_file
from imagegen_desktop.engine.stepping import StepBoundary
from imagegen_desktop.engine.tallies import Tallies
from tests import original_layouts, tiny_additions
from tests.engine.engine_child import command, request
from tests.engine.test_stepping import Silent
from tests.tiny_additions import extra

Tiny = Callable[[str], Path]
CARD = torch.device("cpu")


def opened(folder: Path) -> Any:
    pipeline = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def pixels(pipeline: Any, denoiser: Any) -> bytes:
    generator = torch.Generator().manual_seed(1)
    boundary = StepBoundary(pipeline, denoiser, generator, Desk("job"), Tallies(), Silent())
    with boundary.seams():
        picture = pipeline("cat", width=64, height=64, num_inference_steps=3, generator=generator).images[0]
    drawn: bytes = picture.tobytes()
    return drawn


def drawn(folder: Path, family: str, way: str, tiled: bool = False) -> bytes:
    pipeline = opened(folder)
    place(pipeline, PIPELINES[family], CARD, Plan(way=way, peak=0, tiled=tiled))
    return pixels(pipeline, getattr(pipeline, PIPELINES[family].denoiser))


@pytest.mark.parametrize("way", [TEXT_APART, STREAMED])
@pytest.mark.parametrize("family", ["sd1", "flux", "zimage"])
def test_parts_that_come_and_go_draw_the_same(tiny: Tiny, family: str, way: str) -> None:
    assert drawn(tiny(family), family, way) == drawn(tiny(family), family, WHOLE)


@pytest.mark.parametrize("family", ["sd1", "flux"])
def test_eight_bits_draw_nearly_the_same(tiny: Tiny, family: str) -> None:
    whole, rounded = drawn(tiny(family), family, WHOLE), drawn(tiny(family), family, EIGHT_BIT)
    assert rounded != whole
    assert sum(abs(one - other) for one, other in zip(rounded, whole, strict=True)) / len(whole) < 8


def test_eight_bits_are_a_quarter_of_single_precision(tiny: Tiny) -> None:
    pipeline = opened(tiny("flux"))
    before = need_of(pipeline, PIPELINES["flux"], 64 * 64)
    place(pipeline, PIPELINES["flux"], CARD, Plan(way=EIGHT_BIT, peak=0))
    assert need_of(pipeline, PIPELINES["flux"], 64 * 64).denoiser < 0.5 * before.denoiser


def test_a_need_counts_every_weight_once(tiny: Tiny) -> None:
    pipeline = opened(tiny("sd3"))
    need = need_of(pipeline, PIPELINES["sd3"], 1024 * 1024)
    modules = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    tensors = [tensor for part in modules for tensor in (*part.parameters(), *part.buffers())]
    assert need.weights == sum(tensor.nbytes for tensor in tensors)
    assert 0 < need.block < need.weights
    assert need_of(pipeline, PIPELINES["sd3"], 2 * 1024 * 1024).decoding == 2 * need.decoding


def test_a_processor_holds_everything_whatever_is_wanted(tiny: Tiny) -> None:
    _, plan = placed(opened(tiny("sd1")), PIPELINES["sd1"], choose("cpu"), STREAMED, 64 * 64)
    assert (plan.way, plan.words) == (WHOLE, "")


@torch.no_grad()
def test_the_autoencoder_of_a_streamed_model_can_be_brought_to_the_processor(tiny: Tiny) -> None:
    pipeline = opened(tiny("sdxl")).to(torch.bfloat16)
    place(pipeline, PIPELINES["sdxl"], CARD, Plan(way=STREAMED, peak=0))
    latents = torch.zeros((1, 4, 8, 8), dtype=torch.bfloat16)
    decoded = decode_on_processor(pipeline.vae, pipeline.vae.decode, latents)[0]
    assert decoded.dtype == torch.float32


def test_a_decoding_in_single_precision_needs_twice_the_memory(tiny: Tiny) -> None:
    pipeline = opened(tiny("sdxl")).to(torch.float16)
    asks = need_of(pipeline, PIPELINES["sdxl"], 1024 * 1024)
    pipeline.vae.register_to_config(force_upcast=False)
    assert asks.decoding == 2 * need_of(pipeline, PIPELINES["sdxl"], 1024 * 1024).decoding


def test_narrow_weights_are_computed_with_as_wide_as_others(tiny: Tiny, tmp_path: Path) -> None:
    family = PIPELINES["flux"]
    file = original_layouts.write_gguf("flux", tiny("flux"), tmp_path / "flux.gguf")
    kit = original_layouts.kit_of(tiny("flux"), tmp_path / "kit", ("transformer",))
    narrow = need_of(open_file(file, kit, family, torch.bfloat16), family, 64 * 64)
    plain = need_of(opened(tiny("flux")).to(torch.bfloat16), family, 64 * 64)
    assert narrow.denoiser < plain.denoiser
    assert (narrow.stepping, narrow.decoding) == (plain.stepping, plain.decoding)


def test_no_autoencoder_stays_behind(tiny: Tiny, tmp_path: Path) -> None:
    """When a model makes room on a card, nor does its own one that another one stands in for."""
    pipeline = opened(tiny("sd1"))
    own, adapters = pipeline.vae, Adapters(pipeline, PIPELINES["sd1"], Digests())
    pipeline.vae.enable_tiling()
    adapters.apply(request(vae="mine"), [extra("vae", tiny_additions.autoencoder(tmp_path / "vae"))])
    assert adapters.vae.use_tiling, "as the plan for the card wants it"
    pipeline.vae = adapters.vae
    pipeline.to("meta")
    adapters.to("meta")
    assert (own.device.type, adapters.vae.device.type) == ("meta", "meta")


@pytest.mark.parametrize("way", [WHOLE, TEXT_APART, STREAMED, EIGHT_BIT])
def test_what_is_added_is_placed_with_the_parts_it_is_added_to(tiny: Tiny, tmp_path: Path, way: str) -> None:
    """LoRAs also for text encoders that wait elsewhere; taken off, everything lies and draws as before."""
    model, family = tiny("sd1"), PIPELINES["sd1"]
    file = tiny_additions.lora(model, tmp_path / "mine.safetensors")
    adapter = tiny_additions.ip_adapter(model, tmp_path / "adapter.safetensors")
    encoder = tiny_additions.image_encoder(tmp_path / "image_encoder")
    word = tiny_additions.embedding(tmp_path / "cat.safetensors")
    extras = [extra("lora", file), extra("ip-adapter", adapter), extra("image-encoder", encoder)]
    extras.append(extra("embedding", word, "cat"))
    prompt = ImagePrompt(model="mine", image=SourceImage(sha256="0" * 64, width=8, height=8), weight=0.5)
    wish = request(loras=(LoraWeight(name="mine"),), embeddings=("cat",), image_prompts=(prompt,))
    asked = command(wish, model, extras=extras, references=bytes(range(256)) * (REFERENCE_SIDE**2 * 3 // 256))

    def drawn_with(pipeline: Any, wish: GenerationRequest) -> bytes:
        adapters.apply(wish, extras)
        generator = torch.Generator().manual_seed(1)
        boundary = StepBoundary(pipeline, pipeline.unet, generator, Desk("job"), Tallies(), Silent())
        with adapters.held(replace(asked, request=wish.to_dict()), generator, boundary), boundary.seams():
            words = adapters.spelled(wish).prompt
            picture = pipeline(words, width=64, height=64, num_inference_steps=3, generator=generator).images[0]
        return bytes(picture.tobytes())

    pictures = []
    for place_as in (WHOLE, way):
        pipeline = opened(model)
        place(pipeline, family, CARD, Plan(way=place_as, peak=0))
        tallies = Tallies()
        TextCache(tallies).watch("text_encoder", pipeline.text_encoder)
        adapters = Adapters(pipeline, family, Digests())
        plain = drawn_with(pipeline, request())
        hooks = {name: getattr(part, "_hf_hook", None) for name, part in pipeline.components.items()}
        pictures.append(drawn_with(pipeline, wish))
        assert hooks == {name: getattr(part, "_hf_hook", None) for name, part in pipeline.components.items()}
        assert drawn_with(pipeline, request()) == plain
        before = tallies.text_encodings
        assert drawn_with(pipeline, request()) == plain
        assert tallies.text_encodings == before, "the cache of texts is gone"
        assert pictures[-1] != plain
    if way == EIGHT_BIT:
        assert sum(abs(one - other) for one, other in zip(*pictures, strict=True)) / len(pictures[0]) < 12
    else:
        assert pictures[0] == pictures[1]
