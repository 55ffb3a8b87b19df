"""One picture of each program: what is taken over, what is only near, what is left out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from imagegen_desktop.domain.errors import NotFound
from imagegen_desktop.domain.request import GenerationRequest, LoraWeight
from imagegen_desktop.imaging.decode import Decoder
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.metadata import read_settings
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe


def _png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("__", "-"), text)
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _read(**texts: str) -> FoundSettings:
    return read_settings(_png(**texts))


A1111 = """a castle, <lora:ink wash:0.7> (dusk:1.2)
on two lines
Negative prompt: blurry,
people
Steps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 4294967296, Size: 512x768, \
Model hash: 45dee52b, Model: dream_v8, Denoising strength: 0.35, Clip skip: 2, Hires upscale: 2, \
Lora hashes: "ink wash: 12ab, other: 34cd", Version: v1.10.1"""


def test_a1111() -> None:
    found = _read(parameters=A1111)
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
    assert found.ignored == ("Hires upscale", "Lora hashes")
    request = found.as_request()
    assert (request.sampler, request.loras) == ("DPM++ 2M Karras", (LoraWeight(name="ink wash", weight=0.7),))
    assert json.loads(json.dumps(found.to_dict()))["request"]["seed"] == 4294967296


def test_a1111_in_a_jpeg_comment_and_what_we_write_ourselves() -> None:
    exif = Image.Exif()
    exif[0x0131] = "web ui"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    assert read_settings(out.getvalue()) == _read(parameters=A1111)
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
def test_a1111_with_less_or_odd_settings(text: str, expected: dict[str, Any]) -> None:
    request = _read(parameters=text).request
    assert {name: request.get(name) for name in expected} == expected


def test_two_settings_are_a_prompt_like_any_other() -> None:
    with pytest.raises(NotFound):
        _read(parameters="Steps: 20, Sampler: Euler")


GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 2**63,
            "steps": 30,
            "cfg": 8.0,
            "sampler_name": "dpmpp_2m",
            "scheduler": "karras",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15/dream.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 768, "height": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["11", 0]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["11", 0]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {
        "class_type": "SaveImage",
        "inputs": {"images": ["8", 0], "filename_prefix": "x"},
        "is_changed": [float("nan")],
    },
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "ink.safetensors",
            "strength_model": 0.5,
            "strength_clip": 1,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    },
    "11": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["10", 1]}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "a castle"}},
}
CASTLE = {
    "prompt": "a castle",
    "negative_prompt": "blurry",
    "seed": 2**63,
    "steps": 30,
    "guidance": 8.0,
    "scheduler": "karras",
    "sampler": "DPM++ 2M Karras",
    "width": 768,
    "height": 512,
    "loras": [{"name": "ink", "weight": 0.5}],
    "model": "dream",
    "clip_skip": 2,
}


def test_comfyui() -> None:
    found = _read(prompt=json.dumps(GRAPH), workflow="{}")
    assert (found.source, found.request) == ("comfyui", CASTLE)
    assert (found.missing, found.approximated, found.ignored) == ((), (), ())


def test_comfyui_with_a_second_pass_takes_the_first() -> None:
    second = {
        "class_type": "KSampler",
        "inputs": GRAPH["3"]["inputs"] | {"seed": 1, "denoise": 0.4, "latent_image": ["21", 0]},
    }
    upscale = {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["3", 0]}}
    decode = {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0]}}
    found = _read(prompt=json.dumps(GRAPH | {"20": second, "21": upscale, "8": decode}))
    assert found.request == CASTLE
    assert found.ignored == ("1 further sampler passes",)


def test_comfyui_from_a_picture() -> None:
    sampler = {"class_type": "KSampler", "inputs": GRAPH["3"]["inputs"] | {"denoise": 0.6, "latent_image": ["30", 0]}}
    encode = {"class_type": "VAEEncode", "inputs": {"pixels": ["31", 0], "vae": ["4", 2]}}
    found = _read(prompt=json.dumps(GRAPH | {"3": sampler, "30": encode}))
    assert found.request["strength"] == 0.6
    assert found.missing == ("width", "height")


def test_comfyui_flux_in_separate_nodes() -> None:
    graph = {
        "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-dev.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox"}},
        "3": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["2", 0]}},
        "4": {"class_type": "BasicGuider", "inputs": {"model": ["1", 0], "conditioning": ["3", 0]}},
        "5": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
        "6": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "7": {
            "class_type": "BasicScheduler",
            "inputs": {"scheduler": "simple", "steps": 20, "denoise": 1.0, "model": ["1", 0]},
        },
        "8": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 1024}},
        "9": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {
                "noise": ["5", 0],
                "guider": ["4", 0],
                "sampler": ["6", 0],
                "sigmas": ["7", 0],
                "latent_image": ["8", 0],
            },
        },
        "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0]}},
    }
    found = _read(prompt=json.dumps(graph))
    assert found.request == {
        "prompt": "a fox",
        "seed": 42,
        "steps": 20,
        "guidance": 3.5,
        "scheduler": "simple",
        "sampler": "Euler",
        "width": 1024,
        "height": 1024,
        "model": "flux1-dev",
    }
    assert found.missing == ("negative_prompt",)


def test_comfyui_from_the_editors_graph_alone() -> None:
    workflow = {
        "nodes": [
            {
                "id": 3,
                "type": "KSampler",
                "mode": 0,
                "widgets_values": [7, "randomize", 20, 7.5, "euler", "normal", 1],
                "inputs": [
                    {"name": "model", "link": 1},
                    {"name": "positive", "link": 2},
                    {"name": "negative", "link": 3},
                    {"name": "latent_image", "link": 4},
                ],
            },
            {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["dream.ckpt"]},
            {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a fox"], "inputs": [{"name": "clip", "link": 5}]},
            {"id": 7, "type": "CLIPTextEncode", "widgets_values": {"text": "fog"}},
            {"id": 5, "type": "EmptyLatentImage", "widgets_values": [512, 640, 1]},
            {"id": 9, "type": "SaveImage", "inputs": [{"name": "images", "link": 6}]},
            {"id": 12, "type": "KSampler", "mode": 2},
        ],
        "links": [
            [1, 4, 0, 3, 0, "MODEL"],
            [2, 6, 0, 3, 1, "C"],
            [3, 7, 0, 3, 2, "C"],
            {"id": 4, "origin_id": 5},
            [5, 4, 1, 6, 0, "CLIP"],
            [6, 3, 0, 9, 0, "IMAGE"],
        ],
    }
    assert _read(workflow=json.dumps(workflow)).request == {
        "prompt": "a fox",
        "negative_prompt": "fog",
        "seed": 7,
        "steps": 20,
        "guidance": 7.5,
        "scheduler": "normal",
        "sampler": "Euler",
        "width": 512,
        "height": 640,
        "model": "dream",
    }


def test_comfyui_in_a_webp_hides_in_the_camera_fields() -> None:
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(GRAPH)
    exif[0x010F] = "workflow:{}"
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP", exif=exif)
    assert read_settings(out.getvalue()).request == CASTLE


def test_comfyui_graphs_that_go_in_circles_end() -> None:
    loop = {
        str(n): {
            "class_type": "KSampler",
            "inputs": {
                "positive": [str((n + 1) % 500), 0],
                "latent_image": [str(n), 0],
                "seed": [str((n + 1) % 500), 0],
            },
        }
        for n in range(500)
    }
    with pytest.raises(NotFound):
        _read(prompt=json.dumps(loop))


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


def test_invokeai() -> None:
    found = _read(invokeai_metadata=json.dumps(INVOKE))
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


def test_invokeai_of_old() -> None:
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
    found = _read(
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
    dream = _read(Dream='"a fox [fog]" -s 50 -S 123 -W 512 -H 640 -C 7.5 -A k_euler_a --perlin 0.2')
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


def test_fooocus() -> None:
    found = _read(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus")
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


def test_fooocus_as_text_and_in_older_forks() -> None:
    text = (
        "a fox, cinematic\nNegative prompt: fog, blurry\nSteps: 30, Sampler: DPM++ 2M SDE, Scheduler: karras, Seed: 5, "
        "Size: 1152x896, CFG scale: 4, Raw prompt: a fox, Raw negative prompt: fog, Sharpness: 2, Model: j, "
        "Version: Fooocus v2.5"
    )
    found = _read(parameters=text, fooocus_scheme="a1111")
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
    assert _read(parameters=json.dumps(older)).request["model"] == "x"


def test_fooocus_code_in_a_picture_is_never_run(tmp_path: Any) -> None:
    canary = tmp_path / "canary"
    hostile = FOOOCUS | {"resolution": f"__import__('pathlib').Path({str(canary)!r}).touch() or (512, 512)"}
    found = _read(parameters=json.dumps(hostile))
    assert not canary.exists()
    assert "width" in found.missing


def test_swarmui() -> None:
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
    found = _read(parameters=json.dumps({"sui_image_params": values, "sui_extra_data": {"date": "today"}}, indent=2))
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


NOVEL = {
    "prompt": "a fox",
    "uc": "fog",
    "steps": 28,
    "scale": 5,
    "seed": 9,
    "sampler": "k_euler_ancestral",
    "noise_schedule": "native",
    "width": 832,
    "height": 1216,
    "sm": True,
    "strength": 0.7,
    "request_type": "PromptGenerateRequest",
}
FOX = {
    "prompt": "a fox",
    "negative_prompt": "fog",
    "steps": 28,
    "guidance": 5.0,
    "seed": 9,
    "width": 832,
    "height": 1216,
    "scheduler": "native",
    "sampler": "Euler a",
    "model": "NovelAI Diffusion V3",
}


def test_novelai() -> None:
    found = _read(Software="NovelAI", Source="NovelAI Diffusion V3", Description="a fox", Comment=json.dumps(NOVEL))
    assert (found.source, found.request, found.ignored) == ("novelai", FOX, ("sm",))


@pytest.mark.parametrize("where", ["alpha", "rgb"])
@pytest.mark.parametrize("packed", [True, False])
def test_settings_hidden_in_the_pixels(decoder: Decoder, where: str, packed: bool) -> None:
    import gzip

    text = json.dumps(
        {"Software": "NovelAI", "Source": "NovelAI Diffusion V3", "Description": "a fox", "Comment": json.dumps(NOVEL)}
    )
    data = gzip.compress(text.encode()) if packed else text.encode()
    signature = f"stealth_{'png' if where == 'alpha' else 'rgb'}{'comp' if packed else 'info'}"
    message = signature.encode() + (len(data) * 8).to_bytes(4, "big") + data
    bits = [byte >> shift & 1 for byte in message for shift in range(7, -1, -1)]
    per_pixel = 1 if where == "alpha" else 3
    image = Image.new("RGBA", (96, 64), (100, 100, 100, 254))
    for start in range(0, len(bits), per_pixel):
        x, y = divmod(start // per_pixel, image.height)
        hidden = bits[start : start + per_pixel]
        if where == "alpha":
            image.putpixel((x, y), (100, 100, 100, 254 | hidden[0]))
        else:
            image.putpixel((x, y), (*(100 | bit for bit in hidden), *(100,) * (3 - len(hidden)), 255))
    out = io.BytesIO()
    (image if where == "alpha" else image.convert("RGB")).save(out, "PNG")
    found = read_settings(out.getvalue(), decoder)
    assert (found.source, found.request) == ("novelai", FOX)
    with pytest.raises(NotFound):
        read_settings(out.getvalue())
    with pytest.raises(NotFound):
        read_settings(encode_png(Picture(width=2, height=2, rgb=bytes(12))), decoder)
