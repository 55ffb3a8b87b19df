"""The language of prompts: text to tree and back without losing a character (its meaning: `prompt_meaning`).

`(word)` weighs 1.1, `(word:1.2)` what it says, `[word]` 1/1.1, nested brackets multiply. `BREAK` begins a new chunk.
`[a:b:8]` says a for 8 steps and b from then on (0.5: half of them), `[b:8]` nothing before, `[a::8]` nothing after;
`[a|b]` takes turns step by step. `\\` takes the next bracket, colon or bar at its word. `<lora:name:0.8>` names a LoRA.
No text is an error: what is malformed is meant literally, and a bracket nobody closes acts to the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
