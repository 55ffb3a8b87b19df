"""Diffusers folders that ask for code, lead outside, or are not what they say; each with a word of the reason."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.weights.headers import write
from tests.weights.hostile import payloads, zipped

SOUND: Mapping[str, object] = {
    "model_index.json": {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "PNDMScheduler"],
    },
    "unet/config.json": {"sample_size": 8, "cross_attention_dim": 768},
    "vae/config.json": {"block_out_channels": [8, 8, 8, 8]},
    "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler"},
}
Harm = Callable[[Path, Path], object]


def sound(folder: Path) -> Path:
    for name, content in SOUND.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    write(folder / "unet" / "diffusion_pytorch_model.safetensors", {"conv_in.weight": (8, 4, 3, 3)})
    return folder


def _index(**values: object) -> Harm:
    return _json("model_index.json", **values)


def _json(file: str, **values: object) -> Harm:
    def change(folder: Path, _: Path) -> None:
        path = folder / file
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(known | values))

    return change


def _code(file: str) -> Harm:
    return lambda folder, canary: (folder / file).write_text(f"open({str(canary)!r}, 'w').close()")


def _link(file: str, target: str) -> Harm:
    def make(folder: Path, canary: Path) -> None:
        outside = canary.parent / "outside.safetensors"
        write(outside, {"a": (2,)})
        (folder / file).symlink_to(target or outside)

    return make


def _pickle_only(folder: Path, canary: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(zipped(payloads(canary)["system"]))


def _pickle_renamed(folder: Path, canary: Path) -> None:
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(payloads(canary)["system"])


def _lying_weights(folder: Path, _: Path) -> None:
    with (folder / "unet" / "diffusion_pytorch_model.safetensors").open("ab") as file:
        file.write(pickle.dumps("behind"))


def _shards(*names: str) -> Harm:
    weight_map = {f"weight.{place}": name for place, name in enumerate(names)}
    return _json("unet/diffusion_pytorch_model.safetensors.index.json", weight_map=weight_map)


def _deep(folder: Path, _: Path) -> None:
    (folder / "a/b/c/d/e/f/g").mkdir(parents=True)


HARMS: dict[str, tuple[Harm, str]] = {
    "a module of theirs": (_index(unet=["evil_module", "UNet2DConditionModel"]), "evil_module"),
    "a module of Python's": (_index(unet=["os", "system"]), "os.system"),
    "a function of torch": (_index(unet=["torch.hub", "load"]), "torch.hub"),
    "a dotted class": (
        _index(unet=["diffusers", "utils.dynamic_modules_utils.get_class_from_dynamic_module"]),
        "utils",
    ),
    "a dotted library": (_index(unet=["diffusers.utils", "load_image"]), "diffusers.utils"),
    "a function for a class": (_index(unet=["diffusers", "load_image"]), "load_image"),
    "a pipeline for a part": (_index(unet=["diffusers", "DiffusionPipeline"]), "DiffusionPipeline"),
    "a class that chooses": (_index(unet=["diffusers", "AutoModel"]), "AutoModel"),
    "a class that chooses, transformers": (_index(text_encoder=["transformers", "AutoModelForCausalLM"]), "AutoModel"),
    "an underscored class": (_index(unet=["diffusers", "__import__"]), "__import__"),
    "one more in the pair": (_index(unet=["diffusers", "UNet2DConditionModel", "evil"]), "unet"),
    "a number for a library": (_index(unet=[1, 2]), "unet"),
    "a climbing part": (_index(**{"../../outside": ["diffusers", "AutoencoderKL"]}), "outside"),
    "an absolute part": (_index(**{"/etc": ["diffusers", "AutoencoderKL"]}), "etc"),
    "a pipeline elsewhere": (_index(_class_name="../evil.Pipeline"), "pipeline class"),
    "a pipeline class in a list": (_index(_class_name=["evil", "Pipeline"]), "pipeline class"),
    "custom_pipeline": (_index(custom_pipeline="./pipeline"), "custom_pipeline"),
    "auto_map in a part": (_json("unet/config.json", auto_map={"AutoModel": "evil.Model"}), "auto_map"),
    "a class elsewhere in a part": (_json("unet/config.json", _class_name="evil.Model"), "evil.Model"),
    "a tokenizer's file elsewhere": (_json("scheduler/tokenizer_config.json", vocab_file="../../secret"), "outside"),
    "code beside a config": (_code("unet/unet_2d_condition.py"), "unet_2d_condition.py"),
    "code in capitals": (_code("unet/MODEL.PY"), "MODEL.PY"),
    "code at the top": (_code("pipeline.py"), "pipeline.py"),
    "a library": (_code("vae/kernel.so"), "kernel.so"),
    "an exported program": (_code("vae/model.pt2"), "model.pt2"),
    "weights that are a link": (_link("unet/more.safetensors", ""), "links to a file outside"),
    "a folder that is a link": (_link("text_encoder", "/etc"), "links to a file outside"),
    "a link in a circle": (_link("unet/circle.safetensors", "circle.safetensors"), "links to a file outside"),
    "a shard outside": (_shards("../../outside.safetensors"), "points outside"),
    "an absolute shard": (_shards("/etc/passwd"), "points outside"),
    "shards that are missing": (
        _shards("w-00001-of-00002.safetensors", "diffusion_pytorch_model.safetensors"),
        "missing",
    ),
    "weights as a pickle only": (_pickle_only, "zip"),
    "a pickle called safetensors": (_pickle_renamed, "pickle"),
    "weights with something behind": (_lying_weights, "belong to nothing"),
    "nested without end": (_deep, "nested"),
}
