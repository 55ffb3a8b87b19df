"""The language of prompts: text to tree and back without losing a character, and what is said at each step.

`(word)` weighs 1.1, `(word:1.2)` what it says, `[word]` 1/1.1, nested brackets multiply. `BREAK` begins a new chunk.
`[a:b:8]` says a for 8 steps and b from then on (0.5: half of them), `[b:8]` nothing before, `[a::8]` nothing after;
`[a|b]` takes turns step by step. `\\` takes the next bracket, colon or bar at its word. `<lora:name:0.8>` names a LoRA.
No text is an error: what is malformed is meant literally, and a bracket nobody closes acts to the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .request import LoraWeight

EMPHASIS = 1.1
#: Brackets nested deeper are plain characters: they would weigh hundreds of times what the model knows.
MOST_NESTED = 64
MOST_WEIGHT = 1000.0

_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<lora><(?:lora|lyco):(?P<name>[^:<>]{1,200})(?::(?P<weight>[^:<>]{0,20}))?"
    r"(?::(?P<second>[^:<>]{0,20}))?(?::[^<>]{0,100})?>)"
    r"|(?P<break>\bBREAK\b)|(?P<mark>[()\[\]:|])|(?P<words>[^\\<()\[\]:|B]+|.)",
    re.DOTALL,
)
_NUMBER = re.compile(r"\s*([+-]?(?:\d{1,9}(?:\.\d{0,20})?|\.\d{1,20}))\s*")
_ESCAPED = re.compile(r"\\([()\[\]:|\\{}<>])")
_PARTNER = {")": "(", "]": "["}


@dataclass(frozen=True)
class Words:
    """Plain text as it is written, escapes and all."""

    text: str

    @property
    def said(self) -> str:
        return _ESCAPED.sub(r"\1", self.text)


@dataclass(frozen=True)
class Break:
    """The border of two chunks."""

    text: str = "BREAK"


@dataclass(frozen=True)
class Lora:
    """A LoRA's tag as it is written. A second number is the denoiser's, and the first the text encoders' alone."""

    text: str
    name: str
    weight: float
    text_weight: float | None = None


@dataclass(frozen=True)
class Weighted:
    """`(parts)` or `(parts:number)`; `number` is what stands after the colon, None for no colon."""

    parts: Parts
    number: str | None = None
    closed: bool = True

    @property
    def weight(self) -> float:
        return EMPHASIS if self.number is None else float(self.number)


@dataclass(frozen=True)
class Lessened:
    """`[parts]`."""

    parts: Parts
    closed: bool = True


@dataclass(frozen=True)
class Switched:
    """`[before:after:when]`; without `before` (None) `[after:when]`."""

    before: Parts | None
    after: Parts
    when: str

    def happened(self, step: int, steps: int, planned: int) -> bool:
        """Whether `step` (from 0) of `steps` is past the change; `planned` steps were asked for.

        A number with a point is a share of the steps, a whole one counts them. A sampler that evaluates twice a
        step (more steps than planned) is counted in steps as planned.
        """
        when = float(self.when)
        if "." in self.when:
            return step >= int(when * steps)
        return step >= (when * steps / planned if steps > planned > 0 else when)


@dataclass(frozen=True)
class Turns:
    """`[a|b|c]`: another one each step."""

    options: tuple[Parts, ...]


Node = Words | Break | Lora | Weighted | Lessened | Switched | Turns
Parts = tuple[Node, ...]


@dataclass(frozen=True)
class Segment:
    """Text the encoder reads and how much it counts."""

    text: str
    weight: float = 1.0


#: What is said in one step: the segments of each part between two BREAKs.
Said = tuple[tuple[Segment, ...], ...]


# ---- text to tree ----------------------------------------------------------------------------------------------


def parse(text: str) -> Parts:
    """The tree of a prompt; `printed` gives the very same text back."""
    tokens = list(_TOKEN.finditer(text))
    partners = _partners(tokens)
    reader = _Reader()
    for place, token in enumerate(tokens):
        what = token[0]
        tag = _lora(token) if token["lora"] else None
        if tag is not None:
            reader.node(tag)
        elif token["break"]:
            reader.node(Break())
        elif token["mark"] is None:
            reader.node(Words(what))
        elif what in "([":
            reader.open(what, place in partners)
        elif what in ":|":
            reader.mark(what)
        else:
            reader.close(what, place in partners)
    return reader.end()


def loose_brackets(text: str) -> list[int]:
    """Where the brackets stand that have no partner."""
    tokens = list(_TOKEN.finditer(text))
    partners = _partners(tokens)
    return [
        token.start()
        for place, token in enumerate(tokens)
        if (token["mark"] or ":") in "()[]" and place not in partners
    ]


def _partners(tokens: list[re.Match[str]]) -> set[int]:
    """The places of the brackets that are closed, or close one."""
    paired: set[int] = set()
    waiting: dict[str, list[int]] = {"(": [], "[": []}
    for place, token in enumerate(tokens):
        mark = token["mark"] or ""
        if mark in waiting:
            waiting[mark].append(place)
        elif mark in _PARTNER and waiting[_PARTNER[mark]]:
            paired |= {place, waiting[_PARTNER[mark]].pop()}
    return paired


def _lora(token: re.Match[str]) -> Lora | None:
    """The tag, unless its weight is none."""
    first = _lora_weight(token["weight"] or "1")
    if first is None:
        return None
    second = _lora_weight(token["second"] or "")
    if second is None:
        return Lora(token[0], token["name"], first)
    return Lora(token[0], token["name"], second, first)


def _lora_weight(text: str) -> float | None:
    number = _NUMBER.fullmatch(text)
    return float(number[1]) if number and -10 <= float(number[1]) <= 10 else None


class _Frame:
    """An open bracket: what stands in it so far, colons and bars included as plain strings."""

    def __init__(self, opening: str, paired: bool) -> None:
        self.opening = opening
        self.paired = paired
        self.items: list[Node | str] = []


class _Reader:
    """Takes tokens in order and keeps the open brackets on a stack."""

    def __init__(self) -> None:
        self._stack = [_Frame("", False)]

    def node(self, node: Node) -> None:
        self._stack[-1].items.append(node)

    def mark(self, what: str) -> None:
        self._stack[-1].items.append(what)

    def open(self, what: str, paired: bool) -> None:
        if len(self._stack) > MOST_NESTED:
            self.node(Words(what))
        else:
            self._stack.append(_Frame(what, paired))

    def close(self, what: str, paired: bool) -> None:
        """Closes its bracket and those inside it that nobody closes; crossing brackets are meant literally."""
        wanted = _PARTNER[what]
        inner = next((at for at, frame in enumerate(reversed(self._stack)) if frame.opening == wanted), None)
        crossing = inner is not None and any(frame.paired for frame in self._stack[len(self._stack) - inner :])
        if not paired or inner is None or crossing:
            self.node(Words(what))
            return
        for _ in range(inner):
            self._leave_open()
        frame = self._stack.pop()
        self.node(_weighted(frame.items) if wanted == "(" else _square(frame.items))

    def end(self) -> Parts:
        while len(self._stack) > 1:
            self._leave_open()
        return _literal(self._stack[0].items)

    def _leave_open(self) -> None:
        frame = self._stack.pop()
        parts = _literal(frame.items)
        self.node(Weighted(parts, closed=False) if frame.opening == "(" else Lessened(parts, closed=False))


def _literal(items: list[Node | str]) -> Parts:
    """The items with colons and bars as the plain characters they are, neighbouring text joined."""
    parts: list[Node] = []
    gathered: list[str] = []
    for item in [*items, None]:
        if isinstance(item, str):
            gathered.append(item)
        elif isinstance(item, Words):
            gathered.append(item.text)
        else:
            if gathered:
                parts.append(Words("".join(gathered)))
                gathered = []
            if item is not None:
                parts.append(item)
    return tuple(parts)


def _split(items: list[Node | str], mark: str) -> list[list[Node | str]]:
    parts: list[list[Node | str]] = [[]]
    for item in items:
        if item == mark:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def _weighted(items: list[Node | str]) -> Weighted:
    *said, last = _split(items, ":")
    number = _only_number(last)
    if said and number is not None and abs(float(number)) <= MOST_WEIGHT:
        before = items[: len(items) - len(last) - 1]
        return Weighted(_literal(before), number)
    return Weighted(_literal(items))


def _square(items: list[Node | str]) -> Node:
    if ":" in items:
        *said, last = _split(items, ":")
        when = _only_number(last)
        if when is not None and len(said) <= 2 and "|" not in items:
            before = _literal(said[0]) if len(said) == 2 else None
            return Switched(before, _literal(said[-1]), when)
    elif "|" in items:
        return Turns(tuple(_literal(option) for option in _split(items, "|")))
    return Lessened(_literal(items))


def _only_number(items: list[Node | str]) -> str | None:
    parts = _literal(items)
    only = parts[0] if len(parts) == 1 else None
    return only.text if isinstance(only, Words) and _NUMBER.fullmatch(only.text) else None


# ---- tree to text ----------------------------------------------------------------------------------------------


def printed(parts: Parts) -> str:
    """The text of a tree."""
    return "".join(_printed(node) for node in parts)


def _printed(node: Node) -> str:
    match node:
        case Words(text) | Break(text) | Lora(text):
            return text
        case Weighted(parts, number, closed):
            weight = "" if number is None else f":{number}"
            return f"({printed(parts)}{weight}" + ")" * closed
        case Lessened(parts, closed):
            return f"[{printed(parts)}" + "]" * closed
        case Switched(before, after, when):
            first = "" if before is None else f"{printed(before)}:"
            return f"[{first}{printed(after)}:{when}]"
        case Turns(options):
            return "[" + "|".join(map(printed, options)) + "]"


# ---- what a tree says ------------------------------------------------------------------------------------------


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
