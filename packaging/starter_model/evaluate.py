"""Judges a starter model: figures as JSON and Markdown, and sheets of what it drew.

python packaging/starter_model/evaluate.py --model resources/models/starter --out FOLDER
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from starter_judging import measures, picture_measures
from starter_judging.contact_sheet import write_sheet
from starter_judging.figures import Figure, markdown_table, percentage, write_table
from starter_judging.generator import Generator, Settings
from starter_judging.landscape_judge import LandscapeJudge, kept_judge, shares_right
from starter_judging.shape_detector import find_shape
from starter_training.pipeline_folder import size_in_bytes
from starter_world.pictures import draw_picture

PRETTIEST = (
    "a lighthouse at night, watercolor",
    "a sailboat on the sea at sunset",
    "a red balloon over the mountains during the day",
    "a house on the hills at night",
    "a cactus in the desert at sunset",
    "a pine tree in the mountains at night, neon",
    "a blue lighthouse by the sea during the day",
    "a tree on green hills, watercolor",
    "a pyramid in the desert with the sun",
    "a purple sailboat on the sea, neon",
    "a yellow house in the mountains at sunset",
    "a pink balloon over the sea at night",
    "a red heart on a white background",
    "a yellow star on a black background",
    "a blue circle above a green square",
    "a purple star, neon",
)


def drawn_ceiling(judge: LandscapeJudge) -> list[Figure]:
    """What the judges score on drawn pictures: no model can be seen to do better."""
    chance = np.random.default_rng(31)
    right = []
    for _ in range(200):
        picture = draw_picture(chance, kind="shape", rendering="flat")
        found, labels = find_shape(picture.pixels), picture.labels
        right.append(found is not None and (found.colour, found.shape) == (labels["colour"], labels["shape"]))
    shares = shares_right(judge)
    return [
        percentage("judge on drawn shapes", right, 100),
        *(
            Figure(name=f"judge on drawn landscapes: {name}", value=round(100 * share, 1), of=300)
            for name, share in shares.items()
        ),
    ]


def evaluate(options: argparse.Namespace) -> list[Figure]:
    """All figures, or those whose measure is named in `only`."""
    judge = kept_judge(options.judge or options.out / "judge.pt")
    generator = Generator(options.model, Settings(steps=options.steps, guidance=options.guidance))
    sheets: Path = options.out
    jobs: dict[str, Callable[[], list[Figure]]] = {
        "drawn": lambda: drawn_ceiling(judge),
        "shapes": lambda: measures.single_shapes(generator, sheets),
        "relations": lambda: measures.relations(generator, sheets),
        "landscapes": lambda: measures.landscapes(generator, judge, sheets),
        "renderings": lambda: measures.renderings(generator, judge, sheets),
        "things": lambda: measures.things(generator, judge, sheets),
        "negative": lambda: measures.negative_prompt(generator, sheets),
        "inpainting": lambda: picture_measures.inpainting(generator, judge, sheets),
        "image-to-image": lambda: picture_measures.image_to_image(generator, sheets),
        "schedulers": lambda: picture_measures.schedulers(generator),
        "speed": lambda: picture_measures.repeatability_and_speed(generator),
    }
    figures: list[Figure] = []
    for name, job in jobs.items():
        if not options.only or name in options.only:
            made = job()
            print("\n".join(markdown_table(made).splitlines()[2:]), flush=True)
            figures += made
    size = size_in_bytes(options.model) / 1e6
    figures.append(Figure(name="folder", value=round(size, 2), target=16, unit="MB", lower_is_better=True))
    prettiest = generator.text_to_image(list(PRETTIEST), first_seed=11)
    write_sheet(sheets / "contact_sheet.png", prettiest, list(PRETTIEST), columns=4)
    return figures


def main() -> None:
    """Evaluate as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="diffusers folder to judge")
    parser.add_argument("--out", type=Path, required=True, help="folder for figures and sheets")
    parser.add_argument("--judge", type=Path, help="file that keeps the taught judge")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="names of the measures to make")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    figures = evaluate(options)
    write_table(figures, options.out)
    print(markdown_table(figures))


if __name__ == "__main__":
    main()
