"""Builds the tokenizer: one token for each word of the world, byte tokens for all other text."""

import itertools
from collections import Counter

from transformers import CLIPTokenizer

TEXT_POSITIONS = 32
_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORD_END = "</w>"


def _byte_characters() -> list[str]:
    """A printable stand-in for every byte, as in GPT-2's byte-level encoding."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(hidden))]


def _merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    result: list[str] = []
    for piece in pieces:
        if result and (result[-1], piece) == pair:
            result[-1] += piece
        else:
            result.append(piece)
    return result


def learn_merges(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, commonest pair first, until every word is one piece."""
    pieces = {word: [*word[:-1], word[-1] + _WORD_END] for word in words}
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for spelt in pieces.values() for pair in itertools.pairwise(spelt))
        if not pairs:
            return merges
        # Ties are broken by spelling, so that every run learns the same tokens.
        commonest = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(commonest)
        pieces = {word: _merged(spelt, commonest) for word, spelt in pieces.items()}


def byte_token_count() -> int:
    """How many ids at the start of the vocabulary stand for single bytes."""
    return 2 * len(_byte_characters())


def build_tokenizer(words: list[str]) -> CLIPTokenizer:
    """A CLIP tokenizer whose first ids are bytes, followed by pieces and words."""
    merges = learn_merges(words)
    characters = _byte_characters()
    tokens = [*characters, *(c + _WORD_END for c in characters), *(a + b for a, b in merges)]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys([*tokens, _START, _END]))}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        model_max_length=TEXT_POSITIONS,
        bos_token=_START,
        eos_token=_END,
        pad_token=_END,
        unk_token=_END,
    )
