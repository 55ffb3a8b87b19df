"""Wildcards: prompts that say something else for each seed, and the same for the same seed, for ever.

`{a|b}` is one of both, `{3::a|b}` three times as often a, `{2$$a|b|c}` two different ones, `{1-3$$ and $$a|b|c}` one to
three joined by " and ". `__name__` is a line of that wildcard file, `__colours/*__` of any that matches. Braces
without a bar are plain text, and so is a name nobody knows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .checks import MAX_PROMPT_BYTES
from .errors import BadInput

#: Braces nested deeper are plain text.
MOST_NESTED = 32

_NAME = re.compile(r"__([\w*][\w\-./ *]{0,100}?)__")
_COUNT = re.compile(r"\s*(\d{1,4})?(-)?(\d{1,4})?\$\$")
_WEIGHT = re.compile(r"\s*(\d{1,6}(?:\.\d{1,6})?|\.\d{1,6})::")
_PIECE = re.compile(r"\\.|[{}|]|[^\\{}|]+|.", re.DOTALL)


#: The wildcard files of an artist: names without ending, and their lines.
Tables = Mapping[str, Sequence[str]]


def matching(name: str, tables: Tables) -> list[str]:
    """The files a name in a prompt stands for, in order; capitals do not matter."""
    wanted = name.strip().casefold().replace("[", "[[]")
    return sorted(each for each in tables if fnmatchcase(each.casefold(), wanted))


class _Chance:
    """Numbers that follow from a seed and nothing else, on every machine and in every version."""

    def __init__(self, seed: int, salt: str) -> None:
        self._begin = f"{seed}:{salt}:"
        self._drawn = 0

    def share(self) -> float:
        """0 ≤ share < 1."""
        self._drawn += 1
        digest = hashlib.sha256(f"{self._begin}{self._drawn}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def place(self, weights: Sequence[float]) -> int:
        """One of the places, as often as its weight says; all are alike when no weight is above 0."""
        total = sum(weights)
        mark = self.share() * (total or len(weights))
        for place, weight in enumerate(weights):
            mark -= weight if total else 1.0
            if mark < 0:
                return place
        return len(weights) - 1


def has_wildcards(text: str) -> bool:
    """Whether resolving could change the text."""
    return "{" in text or _NAME.search(text) is not None


def resolve(text: str, seeds: Sequence[int], tables: Tables, salt: str = "") -> list[str]:
    """The text for each seed; raises BadInput for files that name each other in a circle, or a text without end."""
    if not has_wildcards(text):
        return [text] * len(seeds)
    _refuse_circles(text, tables)
    shelf = _Shelf(tables)
    return [_Resolver(_Chance(seed, salt), shelf).text(text) for seed in seeds]


def unknown_names(text: str, tables: Tables) -> list[str]:
    """The wildcards of a text that no file is there for."""
    return [name for name in dict.fromkeys(_NAME.findall(text)) if not matching(name, tables)]


#: A weight and the words it belongs to.
_Choice = tuple[float, str]


class _Shelf:
    """The files, each looked up once for a whole batch."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._found: dict[str, list[_Choice]] = {}

    def choices(self, name: str) -> list[_Choice]:
        if name not in self._found:
            known = matching(name, self._tables)
            self._found[name] = [_weighed(line) for each in known for line in self._tables[each]]
        return self._found[name]


class _Resolver:
    def __init__(self, chance: _Chance, shelf: _Shelf) -> None:
        self._chance = chance
        self._shelf = shelf
        self._written = 0

    def text(self, text: str, depth: int = 0) -> str:
        """Braces first, from the outside in; then names in what was chosen."""
        result: list[str] = []
        for piece in _groups(text):
            options = _options(piece) if depth < MOST_NESTED else None
            result.append(self._named(piece, depth) if options is None else self._chosen(options, depth))
            self._count(len(result[-1]))
        return "".join(result)

    def _count(self, characters: int) -> None:
        self._written += characters
        if self._written > 10 * MAX_PROMPT_BYTES:
            raise BadInput("wildcards", "this prompt", "they make more text of it than any model reads")

    def _named(self, text: str, depth: int) -> str:
        return _NAME.sub(lambda found: self._line(found, depth), text)

    def _line(self, found: re.Match[str], depth: int) -> str:
        choices = self._shelf.choices(found[1])
        if not choices:
            return found[0]
        [line] = self._some(choices, 1)
        line = self.text(line, depth + 1)
        self._count(len(line))
        return line

    def _chosen(self, options: _Options, depth: int) -> str:
        choices = [_weighed(choice) for choice in options.choices]
        only = _NAME.fullmatch(choices[0][1].strip()) if len(choices) == 1 else None
        if only:
            choices = self._shelf.choices(only[1]) or choices
        least, most = (min(limit, len(choices)) for limit in (options.least, options.most or len(choices)))
        count = least + int(self._chance.share() * (most - least + 1)) if most > least else least
        return options.between.join(self.text(choice, depth + 1) for choice in self._some(choices, count))

    def _some(self, choices: Sequence[_Choice], count: int) -> list[str]:
        """Different ones, in the order they were drawn."""
        left, chosen = choices, []
        for _ in range(count):
            place = self._chance.place([weight for weight, _ in left])
            chosen.append(left[place][1])
            left = [*left[:place], *left[place + 1 :]] if count > 1 else left
        return chosen


@dataclass(frozen=True)
class _Options:
    """`most` 0: as many as there are."""

    choices: list[str]
    least: int = 1
    most: int = 1
    between: str = ", "


def _weighed(choice: str) -> _Choice:
    weight = _WEIGHT.match(choice)
    return (float(weight[1]), choice[weight.end() :]) if weight else (1.0, choice)


def _groups(text: str) -> list[str]:
    """The text cut at its outermost braces, each group with them; an open brace nobody closes is text."""
    pieces: list[str] = [""]
    opened: list[int] = []
    for part in _PIECE.findall(text):
        if part == "{":
            opened.append(len(pieces))
            pieces.append("{")
        elif part == "}" and opened:
            start = opened.pop()
            group = "".join(pieces[start:]) + "}"
            del pieces[start:]
            if opened or not pieces:
                pieces.append(group)
            else:
                pieces += [group, ""]
        else:
            pieces.append(part)
    return pieces


def _options(group: str) -> _Options | None:
    """What stands between the braces; None for plain text."""
    if len(group) < 2 or group[0] != "{" or group[-1] != "}":
        return None
    choices = [""]
    depth = 0
    for part in _PIECE.findall(group[1:-1]):
        depth += (part == "{") - (part == "}")
        if part == "|" and depth == 0:
            choices.append("")
        else:
            choices[-1] += part
    count = _COUNT.match(choices[0])
    if count is None or not (count[1] or count[3]):
        return _Options(choices) if len(choices) > 1 else None
    first = choices[0][count.end() :]
    between, separated, rest = first.partition("$$")
    low, span, high = count[1], count[2], count[3]
    most = int(high or 0) if span else int(low or high)
    return _Options(
        [rest if separated else first, *choices[1:]],
        least=int(low or (1 if span else high)),
        most=most,
        between=between if separated else ", ",
    )


def _refuse_circles(text: str, tables: Tables) -> None:
    """Follows every name to what its file names in turn."""
    done: set[str] = set()

    def follow(text: str, path: tuple[str, ...]) -> None:
        for name in dict.fromkeys(_NAME.findall(text)):
            for known in matching(name, tables):
                if known in path:
                    circle = " → ".join((*path[path.index(known) :], known))
                    raise BadInput("wildcard", known, f"a file that does not lead back to itself: {circle}")
                if known not in done:
                    follow("\n".join(tables[known]), (*path, known))
                    done.add(known)

    follow(text, ())
