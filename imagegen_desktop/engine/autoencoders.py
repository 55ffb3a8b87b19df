"""An autoencoder other than the model's own, from a folder or a single file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import diffusers
import torch

from ..domain.errors import BadInput, ModelProblem
from .failures import first_line, is_out_of_memory

#: The only classes a folder's configuration may name.
_CLASSES = ("AutoencoderKL", "AutoencoderTiny")


def load_autoencoder(name: str, path: Path, base: Any, device: torch.device) -> Any:
    """In `base`'s precision, on `device`; a single file is read by `base`'s configuration. Raises BadInput for one
    whose latents are not those of `base`."""
    try:
        loaded = _from_folder(path, base) if path.is_dir() else _from_file(path, base)
    except Exception as error:
        if is_out_of_memory(error) or isinstance(error, ModelProblem):
            raise
        raise BadInput("VAE", name, f"it does not fit this model: {first_line(error)}") from error
    ours, theirs = (vae.config.get("latent_channels") for vae in (base, loaded))
    if ours != theirs:
        raise BadInput("VAE", name, f"its latents have {theirs} channels, this model's have {ours}")
    if base.use_tiling:  # so the plan for the card's memory wants it
        loaded.enable_tiling()
    return loaded.to(device).eval()


def _from_folder(path: Path, base: Any) -> Any:
    kind = json.loads((path / "config.json").read_text(encoding="utf-8")).get("_class_name")
    if kind not in _CLASSES:
        raise ModelProblem(f"{path.name} is a {kind}; autoencoders are {' or '.join(_CLASSES)}.")
    options = {"local_files_only": True, "use_safetensors": True, "dtype": base.dtype}
    return getattr(diffusers, kind).from_pretrained(str(path), **options)


def _from_file(path: Path, base: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        base.save_config(folder)
        return type(base).from_single_file(str(path), config=folder, local_files_only=True, dtype=base.dtype)
