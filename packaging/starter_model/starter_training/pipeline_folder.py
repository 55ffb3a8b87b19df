"""Writes and checks the folder that the ordinary Stable Diffusion pipelines load."""

import json
import os
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderTiny,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel, CLIPTokenizer

from starter_training.denoiser import NOISE_SCHEDULE


def assemble(
    autoencoder: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    text_encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
) -> StableDiffusionPipeline:
    """The pipeline with its default scheduler."""
    scheduler = DPMSolverMultistepScheduler(**NOISE_SCHEDULE, steps_offset=1, timestep_spacing="trailing")
    # DPM++ does not know this setting; DDIM made from this configuration needs it off.
    scheduler.register_to_config(clip_sample=False, set_alpha_to_one=False)
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def write_pipeline(pipeline: StableDiffusionPipeline, folder: Path) -> None:
    """Write the pipeline in half precision; the old folder's parts are replaced at the end."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.to(torch.float16).save_pretrained(fresh, safe_serialization=True)
    _tidy(fresh)
    folder.mkdir(parents=True, exist_ok=True)
    for part in fresh.iterdir():
        old = folder / part.name
        if old.is_dir():
            shutil.rmtree(old)
        os.replace(part, old)
    fresh.rmdir()


def _tidy(folder: Path) -> None:
    """Drop settings that would be warned of or name this machine's folders; let everyone read."""
    config_file = folder / "vae" / "config.json"
    config = json.loads(config_file.read_text())
    for unwanted in ("block_out_channels", "_name_or_path"):
        config.pop(unwanted, None)
    config_file.write_text(json.dumps(config, indent=2) + "\n")
    for path in folder.rglob("*.safetensors"):
        path.chmod(0o644)


def size_in_bytes(folder: Path) -> int:
    """What all files of the folder take together."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
