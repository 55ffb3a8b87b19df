"""ComfyUI's graphs: the sampler that made the picture, whatever leads to it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from imagegen_desktop.domain.errors import NotFound
from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.metadata import read_settings

Read = Callable[..., FoundSettings]

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


def test_comfyui(read: Read) -> None:
    found = read(prompt=json.dumps(GRAPH), workflow="{}")
    assert (found.source, found.request) == ("comfyui", CASTLE)
    assert (found.missing, found.approximated, found.ignored) == ((), (), ())


def test_comfyui_with_a_second_pass_takes_the_first(read: Read) -> None:
    second = {
        "class_type": "KSampler",
        "inputs": GRAPH["3"]["inputs"] | {"seed": 1, "denoise": 0.4, "latent_image": ["21", 0]},
    }
    upscale = {"class_type": "LatentUpscaleBy", "inputs": {"samples": ["3", 0]}}
    decode = {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0]}}
    found = read(prompt=json.dumps(GRAPH | {"20": second, "21": upscale, "8": decode}))
    assert found.request == CASTLE
    assert found.ignored == ("1 further sampler passes",)


def test_comfyui_from_a_picture(read: Read) -> None:
    sampler = {"class_type": "KSampler", "inputs": GRAPH["3"]["inputs"] | {"denoise": 0.6, "latent_image": ["30", 0]}}
    encode = {"class_type": "VAEEncode", "inputs": {"pixels": ["31", 0], "vae": ["4", 2]}}
    found = read(prompt=json.dumps(GRAPH | {"3": sampler, "30": encode}))
    assert found.request["strength"] == 0.6
    assert found.missing == ("width", "height")


def test_comfyui_flux_in_separate_nodes(read: Read) -> None:
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
    found = read(prompt=json.dumps(graph))
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


def test_comfyui_from_the_editors_graph_alone(read: Read) -> None:
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
    assert read(workflow=json.dumps(workflow)).request == {
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


def test_comfyui_graphs_that_go_in_circles_end(read: Read) -> None:
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
        read(prompt=json.dumps(loop))
