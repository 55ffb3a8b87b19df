"""Whatever a stranger wrote: settings or none, within range, and never an exception."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imagegen_desktop.domain.families import DIFFUSION_SAMPLERS
from imagegen_desktop.domain.request import GenerationRequest, validate
from imagegen_desktop.imaging.findings import FoundSettings
from imagegen_desktop.imaging.foreign.fooocus import literal
from imagegen_desktop.imaging.foreign_metadata import read_foreign

KEYS = (
    "parameters", "prompt", "workflow", "invokeai_metadata", "sd-metadata", "Dream", "Software", "Comment",
    "Description",
    "UserComment", "fooocus_scheme", "Model", "Make", "ImageDescription", "MakerNote",
)  # fmt: skip
NAMES = st.sampled_from([
    "prompt", "negative_prompt", "positive_prompt", "seed", "steps", "cfg", "cfg_scale", "scale", "width", "height",
    "sampler",
    "scheduler", "model", "loras", "image", "inputs", "class_type", "nodes", "links", "type", "id",
    "widgets_values", "link",
    "sui_image_params", "resolution", "base_model", "performance", "Comment", "uc", "latent_image", "positive",
    "name",
    "sampler_name", "denoise", "strength", "1", "2", "3", "text", "lora_combined_1",
])  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["KSampler", "SaveImage", "CLIPTextEncode", "LoraLoader", "euler", "1", "2", "(1, 2)", "[[[",
        "9" * 5000, "1e999"])
)  # fmt: skip
LINKS = st.tuples(st.sampled_from("123"), st.integers(0, 2)).map(list)
TREES = st.recursive(
    LEAVES | LINKS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=40
)
NODES = st.dictionaries(
    st.sampled_from("123"),
    st.fixed_dictionaries({"class_type": st.sampled_from(["KSampler", "SaveImage", "CLIPTextEncode",
        "SamplerCustomAdvanced"]), "inputs": st.dictionaries(NAMES, LEAVES | LINKS, max_size=8)}),
    min_size=1,
)  # fmt: skip
LINES = st.lists(st.tuples(st.sampled_from(["Steps", "Seed", "CFG scale", "Size", "Sampler", "Model",
    "Schedule type", "Denoising strength"]), st.text(max_size=12)),
    min_size=3).map(lambda pairs: "p\nNegative prompt: n\n" + ", ".join(f"{name}: {value}" for name,
        value in pairs))  # fmt: skip
TEXTS = st.text(max_size=60) | TREES.map(json.dumps) | NODES.map(json.dumps) | LINES


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), TEXTS, max_size=5))
@example({"parameters": "{" * 100_000})
@example({"parameters": '{"a":' * 5000 + "1" + "}" * 5000})
@example({"prompt": '{"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "seed": NaN}}}'})
@example({"Dream": '"'})
@example({"parameters": "Steps: " + "1" * 5000 + ", Seed: \ud800, CFG scale: 7"})
@example({"Software": "NovelAI", "Comment": '{"prompt": "\\ud800", "seed": 1}'})
def test_nothing_foreign_is_an_exception(texts: dict[str, str]) -> None:
    found = read_foreign(texts)
    if found is not None:
        _check(found)


def _check(found: FoundSettings) -> None:
    request = found.as_request()
    validate(request if request.prompt.strip() else GenerationRequest(**vars(request) | {"prompt": "x"}))
    assert request.sampler in (None, *DIFFUSION_SAMPLERS)
    assert json.dumps(found.to_dict(), allow_nan=False).encode()
    near = {each["field"] for each in found.approximated}
    assert set(found.mapped) | near >= set(found.request)
    assert not set(found.missing) & set(found.request)


@pytest.mark.parametrize(
    "text", ["__import__('os').getcwd()", "(1, 2", "9" * 20_000, "(" * 5000, "[1, 2]", "lambda: 1", 7, None]
)
def test_only_literals_of_the_right_type_are_read(text: Any) -> None:
    assert literal(text, tuple) is None


@pytest.mark.parametrize(
    "text",
    [
        "p\n" + "Steps: 1, " * 20_000 + 'Seed: "' + "\\" * 50_000,
        "x " * 100_000 + "a" * 100_000,
        "p\n" + 'Seed: "\\" , ' * 50_000,
        '{"a": "' + '\\"' * 1_000_000,
        '{"a":' * 100_000,
        "[" * 100_000 + '"-s 1',
        "<lora:" * 100_000 + "\nSteps: 20, Seed: 1, CFG scale: 7",
        "- " * 50_000 + "-s" + " =" * 50_000,
    ],
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    start = time.perf_counter()
    for key in ("parameters", "Dream", "prompt", "invokeai_metadata"):
        read_foreign({key: text})
    assert time.perf_counter() - start < 5


def test_what_stands_above_the_settings_does_not_matter() -> None:
    line = "p\n" + "Steps: 1, " * 20_000 + 'Seed: "' + "\\" * 50_000
    found = read_foreign({"parameters": line + '\nSteps: 20, Seed: 1, CFG scale: 7, Model: "a" b, Eta: "x, y"'})
    assert found is not None
    assert (found.request["steps"], found.request["model"], found.ignored) == (20, '"a" b', ("prompt", "Eta"))
