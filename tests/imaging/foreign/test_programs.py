"""One picture of each program: what is taken over, what is only near, what is left out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from imagegen_desktop.domain.errors import NotFound
from imagegen_desktop.domain.request import GenerationRequest, LoraWeight
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.metadata import read_settings
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe

Read = Callable[..., FoundSettings]

A1111 = """a castle, <lora:ink wash:0.7> (dusk:1.2)
on two lines
Negative prompt: blurry,
people
Steps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 4294967296, Size: 512x768, \
Model hash: 45dee52b, Model: dream_v8, Denoising strength: 0.35, Clip skip: 2, Hires upscale: 2, \
Lora hashes: "ink wash: 12ab, other: 34cd", Version: v1.10.1"""


def test_a1111(read: Read) -> None:
    found = read(parameters=A1111)
    assert found.source == "a1111"
    assert found.request == {
        "prompt": "a castle, (dusk:1.2)\non two lines",
        "negative_prompt": "blurry,\npeople",
        "steps": 25,
        "sampler": "DPM++ 2M Karras",
        "scheduler": "Karras",
        "guidance": 6.5,
        "seed": 4294967296,
        "width": 512,
        "height": 768,
        "model": "dream_v8",
        "model_hash": "45dee52b",
        "strength": 0.35,
        "clip_skip": 2,
        "loras": [{"name": "ink wash", "weight": 0.7}],
    }
    assert set(found.mapped) == set(found.request)
    assert (found.approximated, found.missing) == ((), ())
    assert found.ignored == ("Hires upscale",)
    request = found.as_request()
    assert (request.sampler, request.loras) == ("DPM++ 2M Karras", (LoraWeight(name="ink wash", weight=0.7),))
    assert json.loads(json.dumps(found.to_dict()))["request"]["seed"] == 4294967296


def test_a1111_in_a_jpeg_comment_and_what_we_write_ourselves(read: Read) -> None:
    exif = Image.Exif()
    exif[0x0131] = "web ui"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    assert read_settings(out.getvalue()) == read(parameters=A1111)
    ours = GenerationRequest(
        prompt="x",
        negative_prompt="y",
        steps=9,
        guidance=3.0,
        seed=5,
        width=64,
        height=64,
        sampler="Euler Karras",
        model="a, b",
    )
    data = encode_png(Picture(width=1, height=1, rgb=b"abc"), Recipe(request=ours)).replace(
        b"imagegen-desktop\0", b"imagegen-dirtied\0"
    )
    found = read_settings(data)
    assert found.source == "a1111"
    assert found.as_request() == ours


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Steps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 512x512", {"steps": 20, "seed": 1, "width": 512}),
        ("p\nSteps: 20, Sampler: Undefined, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 1", {"guidance": 3.5}),
        ("p\nSteps: 20, Seed: -1, CFG scale: 7, Size: 500x500", {"width": 496, "steps": 20}),
        ("p\nSteps: 99999, Seed: 99999999999999999999999, CFG scale: 7, Size: 9x9x9", {"guidance": 7.0}),
        ('p\nSteps: 20, Seed: 1, CFG scale: 7, Model: "C:\\\\models\\\\x, y.safetensors"', {"model": "x, y"}),
    ],
)
def test_a1111_with_less_or_odd_settings(read: Read, text: str, expected: dict[str, Any]) -> None:
    request = read(parameters=text).request
    assert {name: request.get(name) for name in expected} == expected


def test_two_settings_are_a_prompt_like_any_other(read: Read) -> None:
    with pytest.raises(NotFound):
        read(parameters="Steps: 20, Sampler: Euler")


INVOKE = {
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "a fox",
    "negative_prompt": "fog",
    "width": 832,
    "height": 1216,
    "seed": 11,
    "rand_device": "cpu",
    "cfg_scale": 5.5,
    "steps": 28,
    "scheduler": "dpmpp_2m_k",
    "clip_skip": 0,
    "model": {"key": "k", "hash": "blake3:ab", "name": "Juggernaut XL", "base": "sdxl", "type": "main"},
    "loras": [{"model": {"name": "ink"}, "weight": 0.75}, {"lora": {"model_name": "old"}, "weight": 0.5}],
    "seamless_x": True,
    "app_version": "5.0.0",
}


def test_invokeai(read: Read) -> None:
    found = read(invokeai_metadata=json.dumps(INVOKE))
    assert found.source == "invokeai"
    assert found.request == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "seed": 11,
        "steps": 28,
        "guidance": 5.5,
        "width": 832,
        "height": 1216,
        "sampler": "DPM++ 2M Karras",
        "model": "Juggernaut XL",
        "model_hash": "blake3:ab",
        "loras": [{"name": "ink", "weight": 0.75}, {"name": "old", "weight": 0.5}],
    }
    assert found.ignored == ("seamless_x",)


def test_invokeai_of_old(read: Read) -> None:
    image = {
        "prompt": [{"prompt": "a fox [fog]", "weight": 1.0}],
        "steps": 50,
        "cfg_scale": 7.5,
        "width": 512,
        "height": 512,
        "seed": 3,
        "type": "txt2img",
        "sampler": "k_lms",
        "threshold": 0,
        "perlin": 0.1,
    }
    found = read(
        **{
            "sd__metadata": json.dumps(
                {"model": "stable diffusion", "model_weights": "sd-1.4", "app_id": "x", "image": image}
            )
        }
    )
    assert found.request == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "seed": 3,
        "steps": 50,
        "guidance": 7.5,
        "width": 512,
        "height": 512,
        "sampler": "LMS",
        "model": "sd-1.4",
    }
    assert found.ignored == ("perlin",)
    dream = read(Dream='"a fox [fog]" -s 50 -S 123 -W 512 -H 640 -C 7.5 -A k_euler_a --perlin 0.2')
    assert dream.request == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "steps": 50,
        "seed": 123,
        "guidance": 7.5,
        "width": 512,
        "height": 640,
        "sampler": "Euler a",
    }
    assert dream.ignored == ("perlin",)


FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "juggernautXL_v8",
    "base_model_hash": "aeb7e9e689",
    "guidance_scale": 4.0,
    "loras": [["offset.safetensors", 0.1, "4852686128"]],
    "lora_combined_1": "offset.safetensors : 0.1",
    "metadata_scheme": "fooocus",
    "negative_prompt": "fog",
    "prompt": "a fox",
    "full_prompt": ["a fox", "cinematic"],
    "resolution": "(1152, 896)",
    "sampler": "dpmpp_2m_sde_gpu",
    "scheduler": "karras",
    "seed": "9007199254740993",
    "steps": 30,
    "styles": "['Fooocus V2']",
    "version": "Fooocus v2.5.5",
}


def test_fooocus(read: Read) -> None:
    found = read(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus")
    assert found.source == "fooocus"
    assert found.request == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "steps": 30,
        "guidance": 4.0,
        "seed": 9007199254740993,
        "model": "juggernautXL_v8",
        "model_hash": "aeb7e9e689",
        "width": 1152,
        "height": 896,
        "scheduler": "karras",
        "sampler": "DPM++ 2M SDE Karras",
        "loras": [{"name": "offset", "weight": 0.1}],
    }
    assert found.ignored == ("adm_guidance", "styles")


def test_fooocus_as_text_and_in_older_forks(read: Read) -> None:
    text = (
        "a fox, cinematic\nNegative prompt: fog, blurry\nSteps: 30, Sampler: DPM++ 2M SDE, Scheduler: karras, Seed: 5, "
        "Size: 1152x896, CFG scale: 4, Raw prompt: a fox, Raw negative prompt: fog, Sharpness: 2, Model: j, "
        "Version: Fooocus v2.5"
    )
    found = read(parameters=text, fooocus_scheme="a1111")
    assert (found.source, found.request["prompt"], found.request["negative_prompt"]) == ("fooocus", "a fox", "fog")
    assert found.request["sampler"] == "DPM++ 2M SDE Karras"
    older = {
        "Prompt": "a fox",
        "Negative": "fog",
        "cfg": 7,
        "sampler_name": "euler",
        "base_model_name": "x.safetensors",
        "width": 512,
        "height": 512,
        "denoise": None,
        "seed": 1,
    }
    assert read(parameters=json.dumps(older)).request["model"] == "x"


def test_fooocus_code_in_a_picture_is_never_run(read: Read, tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    hostile = FOOOCUS | {"resolution": f"__import__('pathlib').Path({str(canary)!r}).touch() or (512, 512)"}
    found = read(parameters=json.dumps(hostile))
    assert not canary.exists()
    assert "width" in found.missing


def test_swarmui(read: Read) -> None:
    values = {
        "prompt": "a fox <segment:face//cid=9> <lora:ink:0.5>",
        "negativeprompt": "fog",
        "model": "sdxl/juggernaut.safetensors",
        "seed": 7,
        "steps": "20",
        "cfgscale": 6.0,
        "width": 1024,
        "height": 768,
        "sampler": "euler",
        "scheduler": "karras",
        "loras": "a,b",
        "loraweights": "0.5,1",
        "initimagecreativity": 0.6,
        "vae": "x",
        "swarm_version": "0.9",
    }
    found = read(parameters=json.dumps({"sui_image_params": values, "sui_extra_data": {"date": "today"}}, indent=2))
    assert found.source == "swarmui"
    assert found.request == {
        "prompt": "a fox <segment:face>",
        "negative_prompt": "fog",
        "steps": 20,
        "guidance": 6.0,
        "seed": 7,
        "model": "juggernaut",
        "strength": 0.6,
        "width": 1024,
        "height": 768,
        "scheduler": "karras",
        "sampler": "Euler Karras",
        "loras": [{"name": "ink", "weight": 0.5}, {"name": "a", "weight": 0.5}, {"name": "b", "weight": 1.0}],
    }
    assert found.ignored == ("vae",)
