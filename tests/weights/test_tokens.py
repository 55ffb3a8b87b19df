"""The window counts tokens as the engine's tokenizers do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagegen_desktop import paths
from imagegen_desktop.weights.tokens import counter_of

TEXTS = ["", "a red circle", "It's 2026: zwölf Boxkämpfer — \U0001f98a!", "UPPER  and\n\tspace", "a,b;c (d)"]
STARTER = paths.resources() / "models" / "starter"


def older(folder: Path) -> Path:
    """The starter's tokenizer in two files, as models were shipped for years."""
    model = json.loads((STARTER / "tokenizer" / "tokenizer.json").read_text("utf-8"))["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(model["vocab"]), "utf-8")
    (folder / "tokenizer" / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", "utf-8")
    settings = (STARTER / "tokenizer" / "tokenizer_config.json").read_text("utf-8")
    (folder / "tokenizer" / "tokenizer_config.json").write_text(settings, "utf-8")
    return folder


@pytest.mark.parametrize("text", TEXTS)
def test_both_forms_of_a_tokenizer_count_alike(tmp_path: Path, text: str) -> None:
    from transformers import CLIPTokenizer

    known = CLIPTokenizer.from_pretrained(STARTER / "tokenizer")
    expected = len(known(text, add_special_tokens=False, truncation=False, padding=False).input_ids)
    for folder in (STARTER, older(tmp_path)):
        counter = counter_of(folder)
        assert counter is not None
        assert counter.room == 30
        assert counter.count(text) == expected


def test_without_a_clip_tokenizer_nobody_counts(tmp_path: Path) -> None:
    assert counter_of(tmp_path) is None
    (tmp_path / "tokenizer").mkdir()
    for content in ("not json", "[]", '{"tokenizer_class": "T5Tokenizer"}', '{"tokenizer_class": "CLIPTokenizer"}'):
        (tmp_path / "tokenizer" / "tokenizer_config.json").write_text(content)
        assert counter_of(tmp_path) is None
