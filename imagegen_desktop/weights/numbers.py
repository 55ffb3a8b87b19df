"""The numbers a checkpoint wants, told by what it was distilled to; its header does not say, its name does."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..domain.families import Family
from ..domain.model_card import V_PREDICTION
from .layouts import HYPER, INPAINT, LCM, LIGHTNING, SCHNELL, TURBO

BASE = "base"

#: How models trained to need few steps are called → the variant.
_FEW_STEPS = {
    TURBO: re.compile(r"turbo", re.I),
    LIGHTNING: re.compile(r"lightning|dmd2", re.I),
    LCM: re.compile(r"(^|[^a-z])lcm([^a-z]|$)", re.I),
    HYPER: re.compile(r"hyper-?(sd|flux|\d)", re.I),
}
_STEPS = re.compile(r"(?<!\d)(\d{1,2})[-_ ]?steps?", re.I)
_V_PREDICTION = re.compile(r"v[-_ ]?pred|vpred|768[-_ ]?v", re.I)
_SMALL_2 = re.compile(r"512|base", re.I)
_BASE_OF_DISTILLED = re.compile(r"z[-_ ]image(?!.*turbo)|klein.*base", re.I)

#: Variant → steps and guidance, where the family's own do not fit.
_NUMBERS: Mapping[str, tuple[int, float]] = {
    TURBO: (4, 0.0), LIGHTNING: (4, 0.0), LCM: (6, 1.5), HYPER: (8, 0.0), SCHNELL: (4, 0.0),
}  # fmt: skip
_NUMBERS_OF_FAMILY: Mapping[tuple[str, str], tuple[int, float]] = {
    ("flux", TURBO): (8, 3.5), ("flux", HYPER): (8, 3.5), ("qwen", LIGHTNING): (8, 1.0),
    ("zimage", TURBO): (9, 0.0), ("zimage", BASE): (50, 5.0), ("flux2", BASE): (50, 4.0),
}  # fmt: skip


def variants_told(words: str, family: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """`known` and what `words` (name, title and architecture of a checkpoint) say beyond it."""
    told = [variant for variant, pattern in _FEW_STEPS.items() if pattern.search(words)]
    if family in ("sd1", "sd2", "sdxl") and _V_PREDICTION.search(words):
        told.append(V_PREDICTION)
    if family in ("zimage", "flux2") and _BASE_OF_DISTILLED.search(words):
        told.append(BASE)
    return tuple(dict.fromkeys((*known, *told)))


def with_prediction(variants: tuple[str, ...], family: str, words: str, said: str) -> tuple[str, ...]:
    """The variants of a single file with what it predicts, as its trainer `said` or as its name makes likely.

    Stable Diffusion 2 predicts velocity but for its models of 512 pixels and those that paint inside a mask.
    """
    usual = family == "sd2" and INPAINT not in variants and not _SMALL_2.search(words)
    if said in ("v", "v_prediction") or (usual and not said):
        return tuple(dict.fromkeys((*variants, V_PREDICTION)))
    return variants


def steps_and_guidance(family: Family, variants: tuple[str, ...], words: str) -> tuple[int, float]:
    """The variant's, else the family's; a number of steps in the name counts for a variant of few."""
    for variant in variants:
        found = _NUMBERS_OF_FAMILY.get((family.name, variant), _NUMBERS.get(variant))
        if found is not None:
            named = _STEPS.search(words) if variant in _FEW_STEPS else None
            steps = int(named[1]) if named and 1 <= int(named[1]) <= 16 else found[0]
            return steps, found[1]
    return family.steps, family.guidance


def native_side(family: Family, variants: tuple[str, ...], words: str, metadata: Mapping[str, str]) -> int:
    """Pixels of the square a single file was trained on, as far as it says; 0 when the family's own will do."""
    said = re.fullmatch(r"(\d{2,4})x(\d{2,4})", metadata.get("modelspec.resolution", ""))
    if said and said[1] == said[2] and not int(said[1]) % family.size_multiple:
        return int(said[1])
    if family.name == "sdxl" and re.search(r"sd_?xl[-_]?turbo", words, re.I):
        return 512
    if family.name == "sd2" and V_PREDICTION not in variants and _SMALL_2.search(words):
        return 512
    return 0
