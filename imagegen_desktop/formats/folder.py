"""A diffusers folder before anybody opens it: standard parts, sound safetensors, no code, no way out of the folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.errors import ModelProblem
from .files import COPY_AGAIN, open_regular
from .kinds import SAFETENSORS, is_pickle_name, kind_of, refuse_pickle
from .safetensors import read_safetensors

INDEX = "model_index.json"
MOST_JSON = 4 * 2**20
MOST_FILES = 10_000
MOST_FOLDERS_DEEP = 4

#: Parts a pipeline is opened without.
OPTIONAL = ("safety_checker", "feature_extractor", "image_encoder")

_WEIGHTLESS = ("scheduler", "tokenizer", "processor", "image_processor")

_NOT_OPENED = "It is not opened."
_PROGRAMS = (
    ".py", ".pyc", ".pyd", ".so", ".dll", ".dylib", ".exe", ".sh", ".bat", ".cmd", ".ps1", ".js", ".jar", ".pt2",
    ".zip", ".egg", ".whl", ".pth2", ".joblib", ".npy", ".npz",
)  # fmt: skip

#: Library → what the classes of a model's parts are called there. Nothing else is looked up by name; the Auto classes
#: would let a config choose.
_PARTS: Mapping[str, re.Pattern[str]] = {
    "diffusers": re.compile(
        r"(?!Auto[A-Z]|Onnx|EMA)[A-Z][A-Za-z0-9]*"
        r"(Scheduler|Model|Transformer|UNet|Prior|Projection|ImageProcessor|VAE|Vae|Adapter|ImageEncoder|Connectors)"
        r"|Autoencoder[A-Za-z0-9]+|AsymmetricAutoencoderKL|[A-Z][A-Za-z0-9]*TransformerQwenImage"
    ),
    "transformers": re.compile(
        r"(?!Auto[A-Z])[A-Z][A-Za-z0-9_]*(Model|ModelWithProjection|ForConditionalGeneration|ForCausalLM|Tokenizer"
        r"|TokenizerFast|Processor|ProcessorFast|ProcessorPil|FeatureExtractor|LMHeadModel)"
    ),
    "stable_diffusion": re.compile(r"StableDiffusionSafetyChecker"),
}
_FORBIDDEN_KEYS = frozenset(
    {"auto_map", "custom_pipeline", "custom_pipelines", "_component_classes", "trust_remote_code"}
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class FolderIndex:
    """`parts`: component name → (library, class), without those the model says it has not. `facts`: all the rest."""

    pipeline: str
    parts: Mapping[str, tuple[str, str]]
    facts: Mapping[str, Any]


def check_folder(folder: Path) -> FolderIndex:
    """What the folder is made of; raises ModelProblem in one line for whatever must not or cannot be opened."""
    index = read_index(folder)
    check_files(folder)
    missing = [part for part in index.parts if part not in OPTIONAL and not (folder / part).is_dir()]
    if missing:
        raise ModelProblem(f"{folder.name}: the model lacks {', '.join(missing)}.", COPY_AGAIN)
    return index


def read_index(folder: Path) -> FolderIndex:
    """The checked `model_index.json`."""
    if not folder.exists():
        raise ModelProblem(f"There is no model at {folder}.", "Check the path.")
    if not (folder / INDEX).is_file():
        raise ModelProblem(
            f"{folder} is not a model: a diffusers folder with a {INDEX} is expected.",
            f"Choose the folder that holds {INDEX}, or a safetensors or GGUF file.",
        )
    found = read_json(folder / INDEX)
    _refuse_keys(found, folder, INDEX)
    pipeline = found.get("_class_name")
    if not isinstance(pipeline, str) or not _NAME.fullmatch(pipeline):
        raise ModelProblem(f"{folder.name}: its {INDEX} names no pipeline class.", COPY_AGAIN)
    return FolderIndex(pipeline, dict(_parts(found, folder)), found)


def _parts(index: Mapping[str, Any], folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, value in index.items():
        if not isinstance(value, list) or name.startswith("_") or value in ([None, None], []):
            continue
        library, kind = [*value, None, None][:2]
        standard = (
            len(value) == 2
            and isinstance(library, str)
            and isinstance(kind, str)
            and _NAME.fullmatch(name)
            and library in _PARTS
            and _PARTS[library].fullmatch(kind)
        )
        if not standard:
            code = f"{_short(library)}.{_short(kind)}"
            raise ModelProblem(
                f"{folder.name}: its part {_short(name)} asks for code that is not ours ({code}).",
                "Only models made of standard parts are opened.",
            )
        yield name, (str(library), str(kind))


def parts_without_weights(folder: Path) -> list[str]:
    """Parts of a model that should hold tensors and hold none, as an interrupted copy leaves them."""
    parts = (name for name in read_index(folder).parts if name not in OPTIONAL and not name.startswith(_WEIGHTLESS))
    return [part for part in parts if not any((folder / part).glob("*.safetensors"))]


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object; raises ModelProblem for anything else."""
    with open_regular(path) as (file, size):
        if size > MOST_JSON:
            raise ModelProblem(f"{path.name} is larger than any real one.", COPY_AGAIN)
        text = file.read(MOST_JSON + 1)
    try:
        found = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ModelProblem(f"{path} is not valid JSON.", COPY_AGAIN) from error
    if not isinstance(found, dict):
        raise ModelProblem(f"{path} does not describe a model.", COPY_AGAIN)
    return found


def check_files(folder: Path) -> None:
    """Raises ModelProblem for code, ways out, remote code in a config, pickles and unsound or missing weights."""
    root = folder.resolve()
    files = list(_files(folder, root))
    for file in files:
        suffix = file.suffix.lower()
        if suffix in _PROGRAMS:
            raise ModelProblem(f"{folder.name} contains program code ({_short(file.name)}).", _NOT_OPENED)
        if suffix == ".json":
            _check_config(file, folder)
        elif suffix == ".safetensors":
            _check_weights(file, folder)
    _check_pickles(files)


def _check_weights(file: Path, folder: Path) -> None:
    try:
        refuse_pickle(file, kind_of(file))
        read_safetensors(file)
    except ModelProblem as problem:
        raise ModelProblem(f"{folder.name}: {problem.message}", problem.advice) from problem


def _files(folder: Path, root: Path) -> Iterator[Path]:
    """Every file below the folder; links may lead to the hub's own store only."""
    count = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        here = Path(place)
        if len(here.relative_to(folder).parts) > MOST_FOLDERS_DEEP:
            raise ModelProblem(f"{folder.name} is nested deeper than any real model.", _NOT_OPENED)
        count += len(names)
        if count > MOST_FILES:
            raise ModelProblem(f"{folder.name} holds more than {MOST_FILES} files.", "Choose one model's folder.")
        for name in (*folders, *names):
            path = here / name
            if path.is_symlink() and not _stays(path, root):
                raise ModelProblem(f"{folder.name} links to a file outside itself ({_short(name)}).", _NOT_OPENED)
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (here / name for name in names)


def _stays(link: Path, root: Path) -> bool:
    """Inside the folder, or as in the hub's cache: `snapshots/REVISION` beside the `blobs` its links lead to."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):
        return False
    hub = root.parent.parent / "blobs" if root.parent.name == "snapshots" else None
    return target.is_relative_to(root) or (hub is not None and target.parent == hub and target.is_file())


def _check_config(file: Path, folder: Path) -> None:
    """Configs may not name code or files elsewhere; the long lists of a tokenizer are read by nobody here."""
    if file.name.endswith(".index.json"):
        _check_shards(file)
    elif "config" in file.name or file.name == INDEX:
        found = read_json(file)
        _refuse_keys(found, folder, f"{file.parent.name}/{file.name}")
        kind = found.get("_class_name")
        if kind is not None and not (isinstance(kind, str) and _NAME.fullmatch(kind)):
            raise ModelProblem(
                f"{folder.name}: {file.name} asks for code that is not ours ({_short(kind)}).", _NOT_OPENED
            )
        for key, value in found.items():
            if key.endswith("_file") and isinstance(value, str) and not _plain(value):
                raise ModelProblem(
                    f"{folder.name}: {file.name} points outside the model ({_short(value)}).", _NOT_OPENED
                )


def _check_shards(file: Path) -> None:
    found = read_json(file).get("weight_map")
    if not isinstance(found, dict) or not all(isinstance(shard, str) for shard in found.values()):
        raise ModelProblem(f"{file.name} lists no parts of weights.", COPY_AGAIN)
    shards = sorted(set(found.values()))
    outside = next((shard for shard in shards if not _plain(shard)), None)
    if outside is not None:
        raise ModelProblem(f"{file.name} points outside the model ({_short(outside)}).", _NOT_OPENED)
    missing = [shard for shard in shards if not (file.parent / shard).is_file()]
    whole = any(each.suffix.lower() == ".safetensors" for each in file.parent.iterdir())
    if missing and (len(missing) < len(shards) or not whole) and shards[0].endswith(".safetensors"):
        shown = ", ".join(_short(shard) for shard in missing[:3]) + (" …" if len(missing) > 3 else "")
        raise ModelProblem(
            f"{len(missing)} of {len(shards)} parts of the weights in {file.parent.name} are missing ({shown}).",
            "Download them as well.",
        )


def _check_pickles(files: list[Path]) -> None:
    """A pickle beside safetensors is never opened and may stay; weights that are there as a pickle only may not."""
    safe = {file.parent for file in files if file.suffix.lower() == f".{SAFETENSORS}"}
    for file in files:
        if is_pickle_name(file.name) and file.parent not in safe and file.name != "training_args.bin":
            refuse_pickle(file, kind_of(file))


def _refuse_keys(found: Mapping[str, Any], folder: Path, where: str) -> None:
    for key in _FORBIDDEN_KEYS & found.keys():
        if found[key]:
            raise ModelProblem(f"{folder.name}: {where} asks for code of its own ({key}).", _NOT_OPENED)


def _plain(name: str) -> bool:
    """A file's bare name, on every system."""
    return name not in ("", ".", "..") and not any(letter in name for letter in "/\\:\0")


def _short(text: object) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return shown if len(shown) <= 60 else shown[:59] + "…"
