"""What is this model? A file by its header, a folder by its small JSON files; no tensor is touched, no code is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from ..domain.families import FAMILIES, OTHER, Family, family
from ..domain.model_card import V_PREDICTION, ModelCard
from ..formats.folder import INDEX, FolderIndex, check_folder, read_json
from .layouts import INPAINT, LCM, REFINER, SCHNELL
from .numbers import BASE, steps_and_guidance, variants_told
from .part_folder import inspect_part, is_part
from .samplers import sampler_of
from .single_file import inspect_file

CARD_FILE = "card.json"
MAX_CARD = 64 * 1024

#: Pipeline classes → the family, before its task's name.
_FAMILY_OF_CLASS = {
    "StableDiffusionXL": "sdxl",
    "StableDiffusion3": "sd3",
    "StableDiffusion": "sd",
    "LatentConsistencyModel": "sd",
    "FluxKontext": "flux-kontext",
    "FluxFill": "flux-fill",
    "Flux": "flux",
    "Flux2Klein": "flux2",
    "ZImage": "zimage",
    "QwenImage": "qwen",
}
_CLASS = re.compile(r"(\w+?)(Img2Img|Inpaint)?Pipeline")
_OTHER_USES = re.compile(
    r"Video|Audio|Music|Wan|LTX|Mochi|Allegro|Cosmos|Animate|Latte|SkyReels|Inpaint|Img2Img|Image2Image|Pix2Pix|Edit"
    r"|ControlNet|Adapter|Upscal|Prior|Redux|Layered|Combined|3D|Depth|Panorama|Shap|Onnx|Variation"
)
_NAMELESS = re.compile(r"[0-9a-f]{40}|main|snapshot", re.I)


def inspect_model(path: Path, built_in: bool = False) -> ModelCard:
    """The card of a model file or folder; raises ModelProblem saying in one line what it is and what is wrong."""
    if path.is_dir():
        return inspect_part(path) if is_part(path) else _inspect_folder(path, built_in)
    return inspect_file(path)


def is_model_folder(folder: Path) -> bool:
    """Whether the folder is one thing, to be looked at as a whole."""
    return (folder / INDEX).is_file() or is_part(folder)


def name_of(folder: Path) -> str:
    """The folder's name; that of the model where the hub's cache calls a folder by its revision."""
    if _NAMELESS.fullmatch(folder.name) and folder.parent.parent.name.startswith("models--"):
        return folder.parent.parent.name.removeprefix("models--").split("--")[-1]
    return folder.name


def _inspect_folder(folder: Path, built_in: bool) -> ModelCard:
    index = check_folder(folder)
    card = _json(folder / CARD_FILE)
    kind = family(card["family"]) if "family" in card else FAMILIES[_family_of(folder, index)]
    name = name_of(folder)
    variants = variants_told(name, kind.name, _variants(folder, index, kind))
    steps, guidance = steps_and_guidance(kind, variants, name)
    side = _native_side(folder)
    return ModelCard(
        name=name,
        path=str(folder.resolve()),
        family=kind.name,
        variants=variants,
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        width=int(card.get("width") or side or kind.width),
        height=int(card.get("height") or side or kind.height),
        steps=int(card.get("steps", steps)),
        guidance=float(card.get("guidance", guidance)),
        sampler=sampler_of(_json(folder / "scheduler" / "scheduler_config.json")),
        title=str(card.get("name") or name),
        summary=str(card.get("summary") or (index.pipeline if kind.name == OTHER else kind.title)),
        licence=str(card.get("licence") or ""),
        examples=tuple(str(text) for text in card.get("examples", ())),
        vocabulary=_words_known(card.get("knows")),
        about=_about(folder),
        built_in=built_in,
    )


def _json(path: Path) -> dict[str, Any]:
    """What is not there says nothing."""
    return read_json(path) if path.is_file() else {}


def _family_of(folder: Path, index: FolderIndex) -> str:
    named = _CLASS.fullmatch(index.pipeline)
    found = _FAMILY_OF_CLASS.get(named[1], OTHER) if named else None
    if found is None or (found == OTHER and not _draws_from_words(index)):
        known = ", ".join(kind.title for name, kind in FAMILIES.items() if name != OTHER)
        raise ModelProblem(
            f"{folder.name} is a {index.pipeline}, which is not known to make pictures from words.",
            f"Known are {known}, and other text-to-image pipelines of diffusers.",
        )
    if found != "sd":
        return found
    unet = _json(folder / "unet" / "config.json")
    return "sd2" if unet.get("cross_attention_dim") == 1024 or _predicts_v(folder) else "sd1"


def _draws_from_words(index: FolderIndex) -> bool:
    """Whether a pipeline of no known family looks like one; the engine, which knows its class, has the last word."""
    usual = {"vae", "scheduler"} <= index.parts.keys() and bool({"unet", "transformer"} & index.parts.keys())
    return usual and not _OTHER_USES.search(index.pipeline)


def _predicts_v(folder: Path) -> bool:
    return _json(folder / "scheduler" / "scheduler_config.json").get("prediction_type") == "v_prediction"


def _variants(folder: Path, index: FolderIndex, kind: Family) -> tuple[str, ...]:
    unet = _json(folder / "unet" / "config.json")
    transformer = _json(folder / "transformer" / "config.json")
    found = {
        INPAINT: unet.get("in_channels") == 9,
        V_PREDICTION: kind.name in ("sd1", "sd2", "sdxl") and _predicts_v(folder),
        REFINER: kind.name == "sdxl" and "text_encoder" not in index.parts,
        SCHNELL: kind.name == "flux" and not transformer.get("guidance_embeds"),
        LCM: index.pipeline.startswith("LatentConsistencyModel"),
        BASE: kind.name == "flux2" and index.facts.get("is_distilled") is False,
    }
    return tuple(variant for variant, is_so in found.items() if is_so)


def _words_known(knows: object) -> frozenset[str]:
    """The words that mean something to a model which knows only a few; empty for one that knows any."""
    lists = knows.values() if isinstance(knows, dict) else ()
    phrases = [str(phrase).casefold() for phrases in lists if isinstance(phrases, list) for phrase in phrases]
    return frozenset(word for phrase in phrases for word in phrase.split() if len(word) > 2)


def _about(folder: Path) -> str:
    """The model card a folder brings along, as plain text; empty without one."""
    file = folder / "README.md"
    try:
        text = file.read_text(encoding="utf-8", errors="replace") if file.stat().st_size <= MAX_CARD else ""
    except OSError:
        return ""
    lines = [line.lstrip("# ") if line.startswith("#") else line for line in text.splitlines()]
    return "\n".join(line.replace("**", "").replace("* ", "• ", 1) for line in lines if not line.startswith("!["))


def _native_side(folder: Path) -> int:
    """Pixels of the square the denoiser was trained on: its sample size times the VAE's factor, 0 when unsaid."""
    denoisers = (folder / "unet" / "config.json", folder / "transformer" / "config.json")
    sample = next((_json(file).get("sample_size") for file in denoisers if file.is_file()), None)
    vae = _json(folder / "vae" / "config.json")
    blocks = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or ()
    return int(sample) * 2 ** (len(blocks) - 1) if isinstance(sample, int) and blocks else 0
