"""Writes the starter model's card, for the program (card.json) and for people (README.md).

    python packaging/starter_model/write_card.py --figures FOLDER/figures.json \
        --out resources/models/starter --machine "2 CPU cores" --hours 2 --samples 600000
"""

import argparse
import datetime
import json
from pathlib import Path

from starter_judging.figures import Figure, markdown_table
from starter_world.vocabulary import (
    COLOURABLE_THINGS,
    COLOURS,
    GROUNDS,
    RELATIONS,
    RENDERINGS,
    SCENES,
    SHAPES,
    THINGS,
    TIMES,
    all_words,
)

_COMMAND = "python packaging/starter_model/train.py --work WORK --out resources/models/starter"
_SUMMARY = (
    "A tiny text-to-image model that comes with the program, so that everything can be tried at "
    "once, without a download and on any computer. It draws simple shapes and small landscapes "
    "at 128 x 128 pixels, and knows only the words of its own little world."
)
_EXAMPLES = (
    "a lighthouse at night, watercolor",
    "a sailboat on the sea at sunset",
    "a red balloon over the mountains during the day",
    "a cactus in the desert at sunset",
    "a yellow house in the mountains at sunset",
    "a pine tree in the mountains at night, neon",
    "a purple star, neon",
    "a blue circle above a green square",
)
_LIMITS = (
    "It knows only the words listed here; other words are ignored or do nothing useful.",
    "It draws at 128 x 128 pixels; other sizes come out wrong.",
    "It draws at most two shapes, or one thing in a landscape.",
    "It has seen only pictures drawn by a program: no photographs, no people, no writing.",
    "Fine parts, such as windows, stripes and the points of stars, can be smeared.",
    "Image-to-image follows the words strongly: keep the strength below 0.2 to keep colours.",
    "Inpainting works through the ordinary pipeline, whose decoding slightly changes the rest of "
    "the picture; lay the original over the part outside the mask.",
)


def card(figures: list[Figure], options: argparse.Namespace) -> dict[str, object]:
    """What the program shows about the model."""
    return {
        "name": "Starter",
        "family": "starter",
        "licence": "MIT",
        "summary": _SUMMARY,
        "width": 128,
        "height": 128,
        "steps": options.steps,
        "guidance": options.guidance,
        "made": {
            "command": _COMMAND,
            "machine": options.machine,
            "hours": options.hours,
            "samples": options.samples,
            "date": options.date,
        },
        "knows": {
            "colours": list(COLOURS),
            "backgrounds": list(GROUNDS),
            "shapes": list(SHAPES),
            "relations": list(RELATIONS),
            "scenes": list(SCENES),
            "times": list(TIMES),
            "things": list(THINGS),
            "renderings": list(RENDERINGS),
        },
        "vocabulary": all_words(),
        "examples": list(_EXAMPLES),
        "limits": [*_LIMITS, *shortfalls(figures)],
        "figures": {f.name: {"value": f.value, "target": f.target, "of": f.of, "unit": f.unit} for f in figures},
    }


def shortfalls(figures: list[Figure]) -> list[str]:
    """A sentence for every target that was missed."""
    return [
        f"Below its target: {f.name} is {f.value:g} {f.unit}, the target is {f.target:g} {f.unit}."
        for f in figures
        if f.reached is False
    ]


def readme(figures: list[Figure], options: argparse.Namespace) -> str:
    """The model card in plain English."""
    known = [
        ("Colours", COLOURS),
        ("Plain backgrounds", GROUNDS),
        ("Shapes", SHAPES),
        ("Relations between two shapes", RELATIONS),
        ("Scenes", SCENES),
        ("Times of day", TIMES),
        ("Things", THINGS),
        ("Things that take a colour", COLOURABLE_THINGS),
        ("Renderings", RENDERINGS),
    ]
    lines = [
        "# Starter model", "", _SUMMARY, "", "![What it draws](contact_sheet.png)", "",
        "## What it knows", "",
        *(f"* **{title}**: {', '.join(names)}" for title, names in known),
        "",
        "A prompt that says no time of day means day; a prompt that says no background means "
        "white; a prompt that names no rendering means flat.",
        "", "## Prompts to try", "", *(f"* {example}" for example in _EXAMPLES),
        "", "## Limits", "", *(f"* {limit}" for limit in (*_LIMITS, *shortfalls(figures))),
        "", "## How good it is", "",
        "Judged on pictures from seeds that were not chosen, by detectors that were first checked "
        f"on drawn pictures; {options.steps} steps, guidance {options.guidance:g}.",
        "", markdown_table(figures),
        "## How it was made", "",
        f"`{_COMMAND}` on {options.machine}, about {options.hours:g} hours, "
        f"{options.samples:,} training samples, finished {options.date}. "
        "The pictures it learnt from are drawn by `packaging/starter_model/starter_world`; nothing "
        "was taken from elsewhere. `packaging/starter_model/evaluate.py` makes the figures and "
        "sheets above.",
        "", "It is an ordinary Stable Diffusion pipeline folder: `AutoencoderTiny` (eightfold, four "
        "latents), `CLIPTextModel` (two layers, 32 positions), `UNet2DConditionModel` "
        "(v-prediction). The noise schedule ends at a larger beta than usual (0.02): make every "
        "scheduler with `from_config` from the shipped one.",
        "", "Licence: MIT, like the program.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Write both cards."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, required=True, help="figures.json of evaluate.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--hours", type=float, required=True)
    parser.add_argument("--samples", type=int, required=True)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--guidance", type=float, default=3.0)
    options = parser.parse_args()
    figures = [Figure(**entry) for entry in json.loads(options.figures.read_text())]
    text = json.dumps(card(figures, options), indent=2, ensure_ascii=False)
    (options.out / "card.json").write_text(text + "\n")
    (options.out / "README.md").write_text(readme(figures, options))


if __name__ == "__main__":
    main()
