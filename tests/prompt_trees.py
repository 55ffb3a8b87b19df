"""Prompts for property tests: any text at all, and well-formed trees."""

from __future__ import annotations

from hypothesis import strategies as st

from imagegen_desktop.domain.prompt_syntax import (
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

PIECES = ["(", ")", "[", "]", ":", "|", "\\", "BREAK", " ", "\n", "a", "0.5", "8", "1.2", "-3", "<lora:x:0.5>", "<"]
WILD = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)


def trees(depth: int = 3) -> st.SearchStrategy[Parts]:
    """Well-formed trees, no two words side by side."""
    words = st.sampled_from(["a", "red car ", "ä,", r"\(x\)", "10"]).map(Words)
    leaves: st.SearchStrategy[Node] = words | st.just(Lora("<lora:ink:0.8>", "ink", 0.8))
    nodes = leaves
    for _ in range(depth):
        parts = st.lists(nodes, max_size=3).map(_joined)
        timed = parts.filter(lambda each: not (len(each) == 1 and each[0] == Words("10")))
        nodes = (
            leaves
            | st.builds(Weighted, timed, st.none() | st.sampled_from(["1.2", "-1", " .5 ", "0"]))
            | st.builds(Lessened, timed)
            | st.builds(Switched, st.none() | timed, timed, st.sampled_from(["0.5", "8", " 3"]))
            | st.lists(timed, min_size=2, max_size=3).map(lambda options: Turns(tuple(options)))
        )
    return st.lists(nodes, max_size=4).map(_joined)


def _joined(nodes: list[Node]) -> Parts:
    return parse(printed(tuple(nodes))) if all(isinstance(node, Words) for node in nodes) else tuple(_apart(nodes))


def _apart(nodes: list[Node]) -> list[Node]:
    kept: list[Node] = []
    for node in nodes:
        if not (kept and isinstance(kept[-1], Words) and isinstance(node, Words)):
            kept.append(node)
    return kept
