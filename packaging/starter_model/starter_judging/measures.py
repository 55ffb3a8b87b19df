"""The measures of the acceptance: each makes pictures, judges them and keeps a sheet."""

from collections import Counter
from pathlib import Path

import numpy as np
from starter_world.captions import with_article
from starter_world.vocabulary import COLOURS, RELATIONS, RENDERINGS, SCENES, SHAPES, THINGS, TIMES

from starter_judging.contact_sheet import write_sheet
from starter_judging.figures import Figure, percentage
from starter_judging.generator import Generator
from starter_judging.landscape_judge import LandscapeJudge
from starter_judging.shape_detector import find_shape, find_shapes, stands_in_relation

_PLACES = {"hills": "the hills", "sea": "the sea", "desert": "the desert", "mountains": "the mountains"}
_WHEN = {"day": "during the day", "sunset": "at sunset", "night": "at night"}
_STANDING = {"hills": "on", "sea": "on", "desert": "in", "mountains": "in"}


def single_shapes(generator: Generator, sheets: Path, count: int = 100) -> list[Figure]:
    """Colour and shape of random pairs on a plain ground."""
    chance = np.random.default_rng(5)
    pairs = [(str(chance.choice(list(COLOURS))), str(chance.choice(SHAPES))) for _ in range(count)]
    prompts = [f"{with_article(f'{c} {s}')} on a white background" for c, s in pairs]
    pictures = generator.text_to_image(prompts, first_seed=1000)
    found = [find_shape(p) for p in pictures]
    colour = [f is not None and f.colour == c for f, (c, _) in zip(found, pairs, strict=True)]
    shape = [f is not None and f.shape == s for f, (_, s) in zip(found, pairs, strict=True)]
    write_sheet(sheets / "shapes.png", pictures[:48], [f"{c} {s}" for c, s in pairs[:48]])
    return [
        percentage("colour of a single shape", colour, 95),
        percentage("shape of a single shape", shape, 90),
        percentage("both", [a and b for a, b in zip(colour, shape, strict=True)], 88),
    ]


def relations(generator: Generator, sheets: Path, count: int = 80) -> list[Figure]:
    """Two shapes of two colours, one beside or above the other."""
    chance = np.random.default_rng(6)
    asked = []
    for index in range(count):
        a, b = (str(c) for c in chance.choice(list(COLOURS), 2, replace=False))
        s, t = (str(s) for s in chance.choice(SHAPES, 2))
        asked.append((a, s, list(RELATIONS)[index % 4], b, t))
    prompts = [
        f"{with_article(f'{a} {s}')} {r} {with_article(f'{b} {t}')} on a white background" for a, s, r, b, t in asked
    ]
    pictures = generator.text_to_image(prompts, first_seed=2000)
    placed, whole = [], []
    for picture, (a, s, relation, b, t) in zip(pictures, asked, strict=True):
        by_colour = {f.colour: f for f in find_shapes(picture)}
        first, second = by_colour.get(a), by_colour.get(b)
        right = first is not None and second is not None
        right = right and stands_in_relation(first, relation, second)
        placed.append(right)
        whole.append(right and first.shape == s and second.shape == t)
    write_sheet(sheets / "relations.png", pictures[:40], prompts[:40])
    return [
        percentage("two colours placed as asked", placed, 85),
        percentage("two colours placed as asked, both shapes right", whole),
    ]


def landscapes(generator: Generator, judge: LandscapeJudge, sheets: Path) -> list[Figure]:
    """Every scene at every time of day, nine seeds each."""
    asked = [(scene, time) for _ in range(9) for scene in SCENES for time in TIMES]
    prompts = [f"{_PLACES[scene]} {_WHEN[time]}" for scene, time in asked]
    pictures = generator.text_to_image(prompts, first_seed=3000)
    answers = judge.answers(pictures)
    write_sheet(sheets / "landscapes.png", pictures[:48], prompts[:48], columns=12)
    return [
        percentage("scene", [a["scene"] == s for a, (s, _) in zip(answers, asked, strict=True)], 90),
        percentage("time of day", [a["time"] == t for a, (_, t) in zip(answers, asked, strict=True)], 90),
    ]


def renderings(generator: Generator, judge: LandscapeJudge, sheets: Path) -> list[Figure]:
    """The same landscapes in every rendering."""
    asked = [(r, scene, time) for _ in range(2) for r in RENDERINGS for scene in SCENES for time in TIMES]
    prompts = [f"{_PLACES[scene]} {_WHEN[time]}, {r}" for r, scene, time in asked]
    pictures = generator.text_to_image(prompts, first_seed=4000)
    answers = judge.answers(pictures)
    right = [a["rendering"] == r for a, (r, _, _) in zip(answers, asked, strict=True)]
    write_sheet(sheets / "renderings.png", pictures[:36], prompts[:36], columns=12)
    return [percentage("rendering", right, 90)]


def things(generator: Generator, judge: LandscapeJudge, sheets: Path) -> list[Figure]:
    """Every thing in its scenes, and coloured ones in their colour."""
    asked = [
        (thing, scene, time) for _ in range(2) for thing in THINGS for scene in THINGS[thing] for time in TIMES
    ]  # fmt: skip
    prompts = []
    for thing, scene, time in asked:
        where = "over" if thing == "balloon" else _STANDING[scene]
        prompts.append(f"{with_article(thing)} {where} {_PLACES[scene]} {_WHEN[time]}")
    pictures = generator.text_to_image(prompts, first_seed=5000)
    answers = judge.answers(pictures)
    right = [a["thing"] == t for a, (t, _, _) in zip(answers, asked, strict=True)]
    coloured = [(c, t) for t in ("house", "sailboat", "lighthouse", "balloon") for c in COLOURS]
    texts = [with_article(f"{c} {t}") for c, t in coloured]
    shown = generator.text_to_image(texts, first_seed=5500)
    told = judge.answers(shown)
    colours = [a["thing colour"] == c for a, (c, _) in zip(told, coloured, strict=True)]
    write_sheet(sheets / "things.png", pictures[:36], prompts[:36], columns=9)
    write_sheet(sheets / "coloured_things.png", shown, texts)
    return [percentage("thing", right), percentage("colour of a thing", colours)]


def negative_prompt(generator: Generator, sheets: Path, each: int = 24) -> list[Figure]:
    """Where a shape was drawn in its favourite colour, that colour in the negative prompt."""
    gone: list[bool] = []
    before_after, texts = [], []
    for shape in SHAPES:
        prompts = [f"{with_article(shape)} on a white background"] * each
        before = generator.text_to_image(prompts, first_seed=6000)
        colours = [f.colour if (f := find_shape(p)) else "none" for p in before]
        favourite = Counter(c for c in colours if c != "none").most_common(1)[0][0]
        after = generator.text_to_image(prompts, first_seed=6000, negative=[favourite] * each)
        for index in [i for i, c in enumerate(colours) if c == favourite]:
            found = find_shape(after[index])
            gone.append(found is None or found.colour != favourite)
            before_after += [before[index], after[index]]
            texts += [shape, f"negative: {favourite}"]
    write_sheet(sheets / "negative_prompt.png", np.stack(before_after[:48]), texts[:48])
    return [percentage("favourite colour gone when in the negative prompt", gone, 80)]
