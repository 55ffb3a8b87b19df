"""What is this model folder? Read from its small JSON files; no tensor is touched, no code of its is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from ..domain.families import FAMILIES, Family, family
from ..domain.model_card import ModelCard

MAX_JSON = 4 * 2**20
CARD_FILE = "card.json"
MAX_CARD = 64 * 1024

#: The only pairs of (library, class) a model folder may name; anything else could be somebody's code.
ALLOWED_LIBRARIES = frozenset({"diffusers", "transformers", "stable_diffusion"})

#: How a pipeline's class begins → its family; the rest of the name is the task it was saved for.
_FAMILY_OF_CLASS = {
    "StableDiffusionXL": "sdxl",
    "StableDiffusion3": "sd3",
    "StableDiffusion": "sd",
    "Flux": "flux",
}
_TASKS = ("Pipeline", "Img2ImgPipeline", "InpaintPipeline")

#: Scheduler class and the flags that matter → the sampler's name as artists know it.
_SAMPLER_OF_CLASS = {
    "EulerDiscreteScheduler": "Euler",
    "EulerAncestralDiscreteScheduler": "Euler a",
    "DPMSolverSDEScheduler": "DPM++ SDE",
    "DPMSolverSinglestepScheduler": "DPM++ 2S",
    "KDPM2DiscreteScheduler": "DPM2",
    "KDPM2AncestralDiscreteScheduler": "DPM2 a",
    "UniPCMultistepScheduler": "UniPC",
    "DDIMScheduler": "DDIM",
    "DDPMScheduler": "DDPM",
    "HeunDiscreteScheduler": "Heun",
    "LMSDiscreteScheduler": "LMS",
    "PNDMScheduler": "PNDM",
    "DEISMultistepScheduler": "DEIS",
    "SASolverScheduler": "SA-Solver",
    "LCMScheduler": "LCM",
    "TCDScheduler": "TCD",
}


def inspect_model(folder: Path, built_in: bool = False) -> ModelCard:
    """The card of a diffusers folder; raises ModelProblem saying in one line what is wrong with it."""
    index = _model_index(folder)
    _refuse_code(folder, index)
    missing = [part for part in _parts(index) if not (folder / part).is_dir()]
    if missing:
        raise ModelProblem(
            f"{folder.name}: the model lacks {', '.join(missing)}.", "Copy or download the folder again."
        )
    card = _own_card(folder)
    kind = family(card["family"]) if "family" in card else FAMILIES[_family_of(folder, index)]
    side = _native_side(folder)
    steps, guidance = _own_numbers(folder, kind)
    return ModelCard(
        name=folder.name,
        path=str(folder.resolve()),
        family=kind.name,
        size_bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        width=int(card.get("width") or side or kind.width),
        height=int(card.get("height") or side or kind.height),
        steps=int(card.get("steps", steps)),
        guidance=float(card.get("guidance", guidance)),
        sampler=_sampler_of(_json(folder / "scheduler" / "scheduler_config.json")),
        title=str(card.get("name") or folder.name),
        summary=str(card.get("summary") or kind.title),
        licence=str(card.get("licence") or ""),
        examples=tuple(str(text) for text in card.get("examples", ())),
        vocabulary=_words_known(card.get("knows")),
        about=_about(folder),
        built_in=built_in,
    )


def is_model_folder(folder: Path) -> bool:
    return (folder / "model_index.json").is_file()


def _model_index(folder: Path) -> dict[str, Any]:
    if not folder.exists():
        raise ModelProblem(f"There is no model at {folder}.", "Check the path.")
    if not folder.is_dir() or not is_model_folder(folder):
        raise ModelProblem(
            f"{folder} is not a model: a diffusers folder with a model_index.json is expected.",
            "Choose the folder that holds model_index.json.",
        )
    return _json(folder / "model_index.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON:
            raise ModelProblem(f"{path.name} is larger than any real one.", "Download the model again.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelProblem(f"{path} cannot be read: {error.strerror}.", "Copy or download the model again.") from error
    except (ValueError, RecursionError) as error:
        raise ModelProblem(f"{path} is not valid JSON.", "Copy or download the model again.") from error
    if not isinstance(found, dict):
        raise ModelProblem(f"{path} does not describe a model.", "Copy or download the model again.")
    return found


def _parts(index: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Component name → (library, class), leaving out those the model says it has not."""
    parts: dict[str, tuple[str, str]] = {}
    for name, value in index.items():
        if isinstance(value, list) and len(value) == 2 and all(isinstance(item, str) for item in value):
            parts[name] = (value[0], value[1])
    return parts


def _refuse_code(folder: Path, index: dict[str, Any]) -> None:
    for name, (library, kind) in _parts(index).items():
        if library not in ALLOWED_LIBRARIES or "/" in name or ".." in name or "." in kind:
            raise ModelProblem(
                f"{folder.name}: its part {name} asks for code that is not ours ({library}.{kind}).",
                "Only models made of standard parts are opened.",
            )
    root = folder.resolve()
    for file in folder.rglob("*"):
        if file.suffix.lower() in (".py", ".so", ".pyd", ".dll"):
            raise ModelProblem(f"{folder.name} contains program code ({file.name}).", "It is not opened.")
        if file.is_symlink() and not file.resolve().is_relative_to(root) and not _is_hub_link(file):
            raise ModelProblem(f"{folder.name} links to a file outside itself ({file.name}).", "It is not opened.")


def _is_hub_link(file: Path) -> bool:
    """The hub's cache keeps its files as links into a `blobs` folder beside the snapshot."""
    return file.resolve().parent.name == "blobs"


def _family_of(folder: Path, index: dict[str, Any]) -> str:
    pipeline = str(index.get("_class_name"))
    found = [_FAMILY_OF_CLASS[start] for start in _FAMILY_OF_CLASS for task in _TASKS if pipeline == start + task]
    if not found:
        known = ", ".join(kind.title for kind in FAMILIES.values())
        raise ModelProblem(
            f"{folder.name} is a {pipeline}; this program does not know that family yet.", f"Known are {known}."
        )
    if found[0] != "sd":
        return found[0]
    unet = _json(folder / "unet" / "config.json")
    scheduler = _json(folder / "scheduler" / "scheduler_config.json")
    wide = unet.get("cross_attention_dim") == 1024
    return "sd2" if wide or scheduler.get("prediction_type") == "v_prediction" else "sd1"


def _own_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD_FILE
    return _json(path) if path.is_file() else {}


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
    sample = next((_json(file).get("sample_size") for file in _denoiser_configs(folder)), None)
    vae = _json(folder / "vae" / "config.json")
    blocks = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or ()
    return int(sample) * 2 ** (len(blocks) - 1) if isinstance(sample, int) and blocks else 0


def _denoiser_configs(folder: Path) -> list[Path]:
    return [
        file for file in (folder / "unet" / "config.json", folder / "transformer" / "config.json") if file.is_file()
    ]


def _own_numbers(folder: Path, kind: Family) -> tuple[int, float]:
    """Steps and guidance: the family's, but for FLUX models that were distilled to need neither."""
    if kind.name == "flux" and not _json(folder / "transformer" / "config.json").get("guidance_embeds"):
        return 4, 0.0
    return kind.steps, kind.guidance


def _sampler_of(scheduler: dict[str, Any]) -> str:
    """The name artists know for a scheduler config, empty when it is one we do not offer under a name."""
    kind = scheduler.get("_class_name", "")
    karras = bool(scheduler.get("use_karras_sigmas"))
    if kind == "DPMSolverMultistepScheduler":
        names = {"dpmsolver++": "DPM++ 2M", "sde-dpmsolver++": "DPM++ 2M SDE"}
        name = names.get(str(scheduler.get("algorithm_type", "dpmsolver++")), "")
    else:
        name = _SAMPLER_OF_CLASS.get(kind, "")
    if not karras or not name:
        return name
    return f"{name} Karras" if name in ("Euler", "DPM++ 2M", "DPM++ 2M SDE", "DPM++ SDE", "LMS") else ""
