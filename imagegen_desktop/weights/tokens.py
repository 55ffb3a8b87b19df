"""How many tokens a text is to a model: its own CLIP tokenizer, without anything else of the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True)
class Counter:
    """`count` of a text; `room` is how many tokens of an artist's the encoder reads at once."""

    count: Callable[[str], int]
    room: int


def counter_of(folder: Path) -> Counter | None:
    """Of the first tokenizer in a model's folder or kit; None where there is none for CLIP."""
    tokenizer = folder / "tokenizer"
    try:
        settings = json.loads((tokenizer / "tokenizer_config.json").read_text("utf-8"))
        if not str(settings.get("tokenizer_class", "")).startswith("CLIPTokenizer"):
            return None
        known = _opened(tokenizer)
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    room = settings.get("model_max_length")
    return Counter(
        count=lambda text: len(known.encode(text, add_special_tokens=False).ids),
        room=(room if isinstance(room, int) and 2 < room < 10_000 else 77) - 2,
    )


def _opened(folder: Path) -> Any:
    # Its library takes a while to import; the window is painted by then.
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    if (folder / "tokenizer.json").is_file():
        opened = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
    else:
        merges = (folder / "merges.txt").read_text("utf-8").splitlines()
        parted = (line.partition(" ") for line in merges if not line.startswith("#version"))
        pairs = [(one, two) for one, _, two in parted if two]
        vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
        opened = Tokenizer(models.BPE(vocabulary, pairs, end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
        clean = [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
        opened.normalizer = normalizers.Sequence(clean)
        split = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
        opened.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    opened.no_truncation()
    opened.no_padding()
    return opened
