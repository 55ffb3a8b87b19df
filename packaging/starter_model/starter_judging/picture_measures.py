"""The measures that begin from a picture, and those of speed, size and repeatability."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from starter_world.canvas import Canvas
from starter_world.captions import with_article
from starter_world.pictures import draw_landscape, draw_shapes
from starter_world.vocabulary import COLOURS, SCENES, SHAPES

from starter_judging.contact_sheet import write_sheet
from starter_judging.figures import Figure, percentage
from starter_judging.generator import SCHEDULERS, Generator, overlaid
from starter_judging.landscape_judge import LandscapeJudge
from starter_judging.shape_detector import find_shape

_STRENGTHS = (0.1, 0.3, 0.5, 0.7, 0.9)


def inpainting(generator: Generator, judge: LandscapeJudge, sheets: Path) -> list[Figure]:
    """A balloon of each colour put into the sky of drawn, empty landscapes."""
    chance = np.random.default_rng(8)
    mask = np.zeros((128, 128), bool)
    mask[8:80, 28:100] = True
    asked = [(scene, colour) for scene in SCENES for colour in COLOURS]
    prompts = [f"{with_article(c)} balloon over the {scene} during the day" for scene, c in asked]
    originals = np.stack(
        [_drawn(draw_landscape, {"scene": scene, "time": "day", "lit": "no"}, chance) for scene, _ in asked]
    )
    raw = generator.inpaint(prompts, originals, mask)
    final = overlaid(originals, raw, mask)
    answers = judge.answers(final)
    there = [a["thing"] == "balloon" for a in answers]
    colours = [a["thing colour"] == c for a, (_, c) in zip(answers, asked, strict=True)]
    outside = np.abs(final.astype(int) - originals)[:, ~mask]
    before = np.abs(raw.astype(int) - originals)[:, ~mask]
    write_sheet(sheets / "inpainting.png", final, prompts)
    return [
        percentage("inpainting: thing is inside the mask", there, 80),
        percentage("inpainting: thing has its colour", colours),
        Figure(name="inpainting: largest change outside, overlaid", value=float(outside.max()),
               target=0, of=len(asked), unit="of 255", lower_is_better=True),
        Figure(name="inpainting: mean change outside, pipeline alone",
               value=round(float(before.mean()), 2), of=len(asked), unit="of 255"),
    ]  # fmt: skip


def image_to_image(generator: Generator, sheets: Path) -> list[Figure]:
    """Drawn landscapes asked for once more at growing strength; a red circle made a blue star."""
    chance = np.random.default_rng(9)
    labels = {"scene": "sea", "time": "day", "lit": "yes", "thing": "lighthouse", "colour": "red"}
    originals = np.stack([_drawn(draw_landscape, labels, chance) for _ in range(12)])
    rows, changes = [originals], [0.0]
    for strength in _STRENGTHS:
        made = generator.image_to_image("a lighthouse by the sea during the day", originals, strength)
        changes.append(float(np.abs(made.astype(int) - originals).mean()))
        rows.append(made)
    texts = [f"strength {s}" for s in (0.0, *_STRENGTHS) for _ in originals]
    write_sheet(sheets / "image_to_image.png", np.concatenate(rows), texts, columns=12)
    rising = [b > a for a, b in itertools.pairwise(changes)]
    circles = np.stack(
        [_drawn(draw_shapes, {"colour": "red", "shape": "circle", "ground": "white"}, chance) for _ in range(12)]
    )
    stars = generator.image_to_image("a blue star on a white background", circles, 0.8)
    found = [find_shape(p) for p in stars]
    turned = [f is not None and (f.colour, f.shape) == ("blue", "star") for f in found]
    return [
        percentage("image-to-image: more strength, more change", rising, 100),
        percentage("image-to-image: a red circle becomes a blue star at 0.8", turned),
    ]


def _drawn(
    draw: Callable[[Canvas, dict[str, str], np.random.Generator], None],
    labels: dict[str, str],
    chance: np.random.Generator,
) -> NDArray[np.uint8]:
    canvas = Canvas(128, "flat")
    draw(canvas, labels, chance)
    return canvas.finished()


def schedulers(generator: Generator) -> list[Figure]:
    """Colour and shape are right with every scheduler made from the shipped configuration."""
    asked = [(c, s) for c in COLOURS for s in SHAPES][::2]
    prompts = [f"{with_article(f'{c} {s}')} on a white background" for c, s in asked]
    figures = []
    for name in SCHEDULERS:
        generator.use_scheduler(name)
        found = [find_shape(p) for p in generator.text_to_image(prompts, first_seed=7000)]
        right = [f is not None and (f.colour, f.shape) == pair for f, pair in zip(found, asked, strict=True)]
        figures.append(percentage(f"colour and shape with {name}", right))
    generator.use_scheduler("DPM++")
    return figures


def repeatability_and_speed(generator: Generator, threads: int = 2) -> list[Figure]:
    """The same seed gives the same pixels; seconds for one picture."""
    torch.set_num_threads(threads)
    prompt = ["a lighthouse at night, watercolor"]
    first, seconds = generator.text_to_image(prompt, first_seed=42), []
    same = []
    for _ in range(3):
        started = time.perf_counter()
        again = generator.text_to_image(prompt, first_seed=42)
        seconds.append(time.perf_counter() - started)
        same.append(bool((again == first).all()))
    return [
        percentage("same prompt and seed, same pixels", same, 100),
        Figure(name=f"seconds a picture on {threads} cores", value=round(min(seconds), 2),
               target=3, of=3, unit="s", lower_is_better=True),
    ]  # fmt: skip
