"""What a prompt's tree says: the words and their weights in each step, the words alone, the LoRAs it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .prompt_syntax import (
    EMPHASIS,
    Break,
    Lessened,
    Lora,
    Node,
    Parts,
    Switched,
    Turns,
    Weighted,
    Words,
    parse,
    printed,
)
from .request import LoraWeight


@dataclass(frozen=True)
class Segment:
    """Text the encoder reads and how much it counts."""

    text: str
    weight: float = 1.0


#: What is said in one step: the segments of each part between two BREAKs.
Said = tuple[tuple[Segment, ...], ...]


def said_at(parts: Parts, step: int = 0, steps: int = 1, planned: int = 0) -> Said:
    """What the encoder reads in `step` (from 0) of `steps`; neighbours of equal weight are one segment.

    Only a BREAK makes more than one part; a LoRA's tag is not read.
    """
    chunks: list[list[Segment]] = [[]]
    for node, weight in _leaves(parts, 1.0, (step, steps, planned)):
        if isinstance(node, Break):
            chunks.append([])
            continue
        here, rounded = chunks[-1], round(weight, 9)
        if here and here[-1].weight == rounded:
            here[-1] = Segment(here[-1].text + node.said, rounded)
        elif node.text:
            here.append(Segment(node.said, rounded))
    return tuple(tuple(chunk) for chunk in chunks)


def _leaves(parts: Parts, weight: float, when: tuple[int, int, int]) -> Iterator[tuple[Words | Break, float]]:
    for node in parts:
        match node:
            case Words() | Break():
                yield node, weight
            case Weighted(inner):
                yield from _leaves(inner, weight * node.weight, when)
            case Lessened(inner):
                yield from _leaves(inner, weight / EMPHASIS, when)
            case Switched(before, after):
                yield from _leaves(after if node.happened(*when) else before or (), weight, when)
            case Turns(options):
                yield from _leaves(options[when[0] % len(options)], weight, when)


def plain_text(prompt: str) -> str:
    """The words alone, for a model that knows no weights: of words that change, those of the first step that has any.

    A prompt without syntax comes back unchanged.
    """
    parts = parse(prompt)
    if printed(parts) == "".join(node.said for node in parts if isinstance(node, Words)):
        return prompt
    text = " ".join("".join(segment.text for segment in chunk) for chunk in said_at(_settled(parts)))
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _settled(parts: Parts) -> Parts:
    """Without changes over time."""
    still: list[Node] = []
    for node in parts:
        match node:
            case Switched(before, after):
                still += _settled(before or after)
            case Turns(options):
                still += _settled(options[0])
            case Weighted(inner) | Lessened(inner):
                still += _settled(inner)
            case _:
                still.append(node)
    return tuple(still)


def changes_over_time(parts: Parts) -> bool:
    """Whether any step says something else than another."""
    return any(
        isinstance(node, Switched | Turns) or (isinstance(node, Weighted | Lessened) and changes_over_time(node.parts))
        for node in parts
    )


def lora_tags(prompt: str) -> tuple[str, tuple[LoraWeight, ...]]:
    """The prompt without its `<lora:name:weight>` tags, and what they name in order."""
    found: list[LoraWeight] = []
    bare = printed(_without_loras(parse(prompt), found))
    return (re.sub(r"[ \t]{2,}", " ", bare).strip(" ,") if found else prompt), tuple(found)


def _without_loras(parts: Parts, found: list[LoraWeight]) -> Parts:
    kept: list[Node] = []
    for node in parts:
        match node:
            case Lora(_, name, weight, text_weight):
                found.append(LoraWeight(name=name, weight=weight, text_weight=text_weight))
            case Weighted(inner, number, closed):
                kept.append(Weighted(_without_loras(inner, found), number, closed))
            case Lessened(inner, closed):
                kept.append(Lessened(_without_loras(inner, found), closed))
            case Switched(before, after, when):
                first = None if before is None else _without_loras(before, found)
                kept.append(Switched(first, _without_loras(after, found), when))
            case Turns(options):
                kept.append(Turns(tuple(_without_loras(option, found) for option in options)))
            case _:
                kept.append(node)
    return tuple(kept)
