"""Says what is in a picture the many ways a person might ask for it."""

import re

import numpy as np

from starter_world.vocabulary import FILLERS

Chance = np.random.Generator
_SCENE_PHRASES = {
    "hills": ("hills", "the hills", "green hills", "a hill"),
    "sea": ("the sea", "the sea", "the ocean", "a sea"),
    "desert": ("the desert", "a desert", "the desert"),
    "mountains": ("mountains", "the mountains", "the mountains"),
}
_PLACE_WORDS = {
    "hills": ("on",), "sea": ("on", "at", "by"), "desert": ("in",), "mountains": ("in", "near"),
}  # fmt: skip
_TIME_PHRASES = {
    "day": ("during the day", "day", "at day", "by day"),
    "sunset": ("at sunset", "at sunset", "sunset"),
    "night": ("at night", "at night", "night"),
}
_RENDERING_PHRASES = {
    "flat": ("flat", "flat style", "flat illustration"),
    "watercolor": ("watercolor", "watercolor", "a watercolor painting of", "watercolour"),
    "neon": ("neon", "neon style", "glowing neon"),
}
_OTHER_WORDINGS = {
    "sailboat": ("boat",),
    "at night": ("under the stars", "under the night sky"),
    "near the mountains": ("near a mountain",),
    "in the mountains": ("on a mountain",),
}
_PLACE_UNDER_BALLOON = re.compile(r"balloon over (?:the |a |green )?\w+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _pick(chance: Chance, choices: tuple[str, ...] | list[str] | str) -> str:
    return choices[int(chance.integers(len(choices)))]


def with_article(phrase: str) -> str:
    """The phrase after "a" or "an"."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def caption(labels: dict[str, str], chance: Chance) -> str:
    """A sentence that is true of the labels; it may leave things out."""
    said = _landscape(labels, chance) if "scene" in labels else _shapes(labels, chance)
    said = _rendered(said, labels["rendering"], chance)
    return _padded(said, chance) if chance.random() < 0.15 else said


def reworded(said: str, chance: Chance) -> str:
    """The sentence, now and then with another wording for one of its parts."""
    for part, others in _OTHER_WORDINGS.items():
        if part in said and chance.random() < 0.2:
            said = said.replace(part, _pick(chance, others))
    if chance.random() < 0.3:
        said = _PLACE_UNDER_BALLOON.sub("balloon", said)
    return said


def _shapes(labels: dict[str, str], chance: Chance) -> str:
    said = with_article(f"{labels['colour']} {labels['shape']}")
    draw = chance.random()
    if "relation" not in labels:
        # Bare words let a lone colour or shape, also in a negative prompt, mean something.
        if draw < 0.07:
            said = labels["colour"]
        elif draw < 0.14:
            said = with_article(labels["shape"])
    else:
        other = with_article(f"{labels['other colour']} {labels['other shape']}")
        sideways = labels["relation"].endswith(" of") and draw < 0.4
        relation = f"to the {labels['relation']}" if sideways else labels["relation"]
        said = f"{said} and {other}" if draw > 0.95 else f"{said} {relation} {other}"
    # An unsaid ground is always white, and neon has a dark ground of its own.
    if labels["rendering"] == "neon" or (labels["ground"] == "white" and chance.random() < 0.3):
        return said
    return f"{said} on a {labels['ground']} background"


def _landscape(labels: dict[str, str], chance: Chance) -> str:
    place = _pick(chance, _SCENE_PHRASES[labels["scene"]])
    said = place
    if "thing" in labels:
        thing = "hot air balloon" if labels["thing"] == "balloon" and chance.random() < 0.4 else labels["thing"]
        named = f"{labels['colour']} {thing}" if "named colour" in labels else thing
        said = with_article(named)
        if labels["thing"] == "balloon":
            said = f"{said} over {place}"
        elif chance.random() < 0.75:
            said = f"{said} {_pick(chance, _PLACE_WORDS[labels['scene']])} {place}"
    # An unsaid time of day is always day.
    if labels["time"] != "day" or chance.random() < 0.5:
        time = _pick(chance, _TIME_PHRASES[labels["time"]])
        comma = "" if time[:3] in ("at ", "by ", "dur") and chance.random() < 0.8 else ","
        said = f"{said}{comma} {time}"
    if labels["lit"] == "yes" and chance.random() < 0.4:
        said = f"{said} with {'a moon' if labels['time'] == 'night' else 'the sun'}"
    return said


def _rendered(said: str, rendering: str, chance: Chance) -> str:
    if rendering == "flat" and chance.random() > 0.15:
        return said
    words = _pick(chance, _RENDERING_PHRASES[rendering])
    if words.endswith(" of"):
        return f"{words} {said}"
    return f"{said}, {words}" if chance.random() < 0.75 else f"{words}, {said}"


def _padded(said: str, chance: Chance) -> str:
    """Add words that mean nothing here, known and unknown, so that they become harmless."""
    for _ in range(int(chance.integers(1, 3))):
        letters = "".join(_pick(chance, _LETTERS) for _ in range(int(chance.integers(2, 7))))
        extra = _pick(chance, FILLERS) if chance.random() < 0.7 else letters
        said = f"{extra} {said}" if chance.random() < 0.3 else f"{said}, {extra}"
    return said
