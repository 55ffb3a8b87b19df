"""Which files of a hub's model are needed: safetensors of one precision, configs, tokenizers; no pickles, no code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from .errors import BadInput, ModelProblem
from .hub_model import HubFile, HubModel, safe_path, suffix

INDEX = "model_index.json"
_CONFIG, _PROCESSOR = "config.json", "preprocessor_config.json"
HALF = "fp16"

PICKLES = frozenset({".bin", ".ckpt", ".pt", ".pth", ".pkl"})
_SMALL = frozenset({".json", ".txt", ".model", ".jinja"})
_SINGLE = frozenset({".safetensors", ".gguf"})
_MOST_SMALL = 64 * 2**20
_TOKENIZER = frozenset({
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "special_tokens_map.json",
    "added_tokens.json", "spiece.model", "tokenizer.model", "chat_template.jinja",
})  # fmt: skip

#: Parts of a pipeline that have no weights.
_WEIGHTLESS = ("scheduler", "tokenizer", "feature_extractor", "image_processor", "processor")

#: Parts that pipelines are opened without: their folders have to be there, their weights have not.
_UNUSED = ("safety_checker", "image_encoder")

#: stem, variant and shard of `diffusion_pytorch_model.fp16-00001-of-00002.safetensors`.
_WEIGHTS = re.compile(r"(?P<stem>[\w-]+?)(?:\.(?P<variant>[\w-]+?))?(?:-\d{5}-of-\d{5})?\.safetensors")
_WEIGHTS_INDEX = re.compile(r"[\w-]+?(?:\.(?P<before>\w+))?\.safetensors\.index(?:\.(?P<after>\w+))?\.json")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What to fetch. `single` is the one file of a model that is a file; empty for a folder."""

    files: tuple[HubFile, ...]
    single: str = ""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def select(model: HubModel, index: Mapping[str, Any] | None, half: bool, wanted: str = "") -> Selection:
    """The files of a pipeline (`index` is its model_index.json), of a part such as a ControlNet, or one checkpoint.

    `half` prefers weights of half precision, `wanted` names one file. Raises ModelProblem when nothing of it can be
    opened here, BadInput when it must be said which file.
    """
    files = _usable(model)
    if wanted:
        return _one(model, files, wanted)
    if index is not None:
        return _checked(model, _pipeline(model, files, index, half))
    part = _part(files, half)
    if part:
        return _checked(model, part)
    return _single(model, files)


def tokenizer_files(model: HubModel, folder: str) -> list[HubFile]:
    """The files of the tokenizer in `folder` ("" for the root); raises ModelProblem when one has no checksum."""
    found = [file for file in _usable(model) if str(PurePosixPath(file.path).parent) == (folder or ".")]
    wanted = [file for file in found if _name(file) in _TOKENIZER and file.size <= _MOST_SMALL]
    return list(_checked(model, wanted).files)


def _usable(model: HubModel) -> list[HubFile]:
    return [file for file in model.files if safe_path(file.path)]


def _one(model: HubModel, files: list[HubFile], wanted: str) -> Selection:
    found = next((file for file in files if file.path == wanted), None)
    if found is None:
        raise BadInput("file", wanted, f"{model.id} has {_listed(_checkpoints(files))}")
    if suffix(wanted) not in _SINGLE:
        raise ModelProblem(
            f"{wanted} of {model.id} is not fetched: such files can run code.", "Choose a .safetensors or .gguf file."
        )
    return _checked(model, [found], single=wanted)


def _pipeline(model: HubModel, files: list[HubFile], index: Mapping[str, Any], half: bool) -> list[HubFile]:
    parts = [name for name, value in index.items() if isinstance(value, list) and any(value)]
    chosen = [file for file in files if file.path == INDEX]
    for part in parts:
        inside = [file for file in files if file.path.startswith(f"{part}/") and file.path.count("/") == 1]
        weights = [] if part in _UNUSED else _of_one_variant(inside, half)
        if not weights and not part.startswith((*_WEIGHTLESS, *_UNUSED)):
            _refuse_pickles(model, inside, part)
        chosen += [file for file in inside if _is_small(file) and not _WEIGHTS_INDEX.fullmatch(_name(file))]
        chosen += weights
    return chosen + _papers(files)


def _part(files: list[HubFile], half: bool) -> list[HubFile]:
    """A ControlNet, VAE or other single network kept as its configs and weights in the root: those of diffusers, and
    those of transformers, beside which no other weights lie."""
    root = {file.path: file for file in files if "/" not in file.path}
    alone = all(_name(file).startswith("model") for file in _checkpoints(files))
    stem = "model" if _PROCESSOR in root or alone else "diffusion_pytorch_model"
    chosen = _of_one_variant([file for file in root.values() if _name(file).startswith(stem)], half)
    configs = [root[name] for name in (_CONFIG, _PROCESSOR) if name in root]
    return [*configs, *chosen, *_papers(files)] if _CONFIG in root and chosen else []


def _single(model: HubModel, files: list[HubFile]) -> Selection:
    found = _checkpoints(files)
    if not found:
        _refuse_pickles(model, files, model.id)
    if len(found) > 1:
        raise BadInput("model ID", model.id, f"it has several; choose with --file one of {_listed(found)}")
    return _checked(model, found, single=found[0].path)


def _of_one_variant(files: Iterable[HubFile], half: bool) -> list[HubFile]:
    """The safetensors of one precision with their index; several networks in one folder count as one."""
    found: dict[str, list[HubFile]] = defaultdict(list)
    indexes: dict[str, list[HubFile]] = defaultdict(list)
    for file in files:
        if (weights := _WEIGHTS.fullmatch(_name(file))) is not None:
            found[weights["variant"] or ""].append(file)
        elif (index := _WEIGHTS_INDEX.fullmatch(_name(file))) is not None:
            indexes[index["before"] or index["after"] or ""].append(file)
    wishes = [HALF, ""] if half else ["", HALF]
    variant = next((wish for wish in [*wishes, *sorted(found)] if wish in found), None)
    return [] if variant is None else found[variant] + indexes.get(variant, [])


def _checkpoints(files: Iterable[HubFile]) -> list[HubFile]:
    return [file for file in files if suffix(file.path) in _SINGLE]


def _papers(files: list[HubFile]) -> list[HubFile]:
    """The model card and the licence."""
    names = ("readme.md", "license", "license.txt", "license.md", "licence", "notice")
    return [file for file in files if file.path.lower() in names and file.size <= 2**20]


def _checked(model: HubModel, files: list[HubFile], single: str = "") -> Selection:
    unknown = [file.path for file in files if not file.checkable]
    if unknown:
        raise ModelProblem(f"The hub gives no checksum for {unknown[0]} of {model.id}.", "It is not fetched.")
    if len({file.path.casefold() for file in files}) != len(files):
        raise ModelProblem(f"{model.id} has names that differ in their case only.", "It is not fetched.")
    return Selection(files=tuple(files), single=single)


def _refuse_pickles(model: HubModel, files: list[HubFile], what: str) -> None:
    if any(suffix(file.path) in PICKLES for file in files):
        raise ModelProblem(
            f"{what}: the hub has it only as pickle files, which can run code." if what == model.id
            else f"{model.id}: its part {what} is there only as pickle files, which can run code.",
            "Look for a version with safetensors.",
        )  # fmt: skip
    if what == model.id:
        raise ModelProblem(f"{model.id} has no weights this program can open.", "A .safetensors file is needed.")
    raise ModelProblem(f"{model.id}: the weights of its part {what} are not there.", "Choose another model.")


def _is_small(file: HubFile) -> bool:
    return suffix(file.path) in _SMALL and file.size <= _MOST_SMALL


def _name(file: HubFile) -> str:
    return PurePosixPath(file.path).name


def _listed(files: list[HubFile], most: int = 12) -> str:
    names = [file.path for file in files[:most]]
    return ", ".join(names) + (" …" if len(files) > most else "") if names else "no weights this program can open"
