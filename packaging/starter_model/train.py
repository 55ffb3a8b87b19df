"""Trains the starter model from nothing and writes its diffusers folder.

    python packaging/starter_model/train.py --work WORK --out resources/models/starter

WORK keeps drawn pictures, latents and checkpoints; the same command carries on from them.
"""

import argparse
import copy
import re
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from numpy.typing import NDArray
from starter_training.autoencoder import (
    AutoencoderTraining,
    build_autoencoder,
    centre_latents,
    encode,
    signal_to_noise,
)
from starter_training.denoiser import (
    DenoiserSize,
    DenoiserTraining,
    build_text_encoder,
    build_unet,
)
from starter_training.drawn_set import DrawnSet, drawn_set
from starter_training.loop import train
from starter_training.pipeline_folder import assemble, write_pipeline
from starter_training.progress import Progress
from starter_training.team import Team, run_as_team
from starter_training.text_tokens import TEXT_POSITIONS, build_tokenizer
from starter_world.captions import reworded
from starter_world.vocabulary import SHAPES, all_words
from torch import Tensor, nn

_HELD_OUT = 200
_FIRST_DENOISER_SEED = 10


def train_autoencoder(team: Team, options: argparse.Namespace) -> None:
    """Train the autoencoder for its share of steps; keep it in the work folder."""
    drawn = drawn_set(options.work, options.autoencoder_pictures, team.rank)
    team.wait()
    torch.manual_seed(0)
    model = build_autoencoder()
    training = AutoencoderTraining(model, drawn.pixels[:-_HELD_OUT], team)

    def keep() -> None:
        print(f"held-out pictures: {signal_to_noise(model, drawn.pixels[-_HELD_OUT:]):.2f} dB")
        model.save_pretrained(options.work / "autoencoder")

    progress = Progress(options.autoencoder_steps)
    train(training, progress, team, options.work / "autoencoder_state", on_checkpoint=keep)


def finish_autoencoder(options: argparse.Namespace) -> None:
    """Centre the latents; the decoder stage then adapts the decoder to it."""
    model = AutoencoderTiny.from_pretrained(options.work / "autoencoder")
    drawn = drawn_set(options.work, options.autoencoder_pictures, 0)
    centre_latents(model, drawn.pixels[-1000:])
    model.save_pretrained(options.work / "autoencoder")


def train_decoder(team: Team, options: argparse.Namespace) -> None:
    """Train the decoder alone some more: latents, and so the denoiser, stay as they are."""
    drawn = drawn_set(options.work, options.autoencoder_pictures, team.rank)
    model = AutoencoderTiny.from_pretrained(options.work / "autoencoder")
    model.to(memory_format=torch.channels_last)
    training = AutoencoderTraining(model, drawn.pixels[:-_HELD_OUT], team, peak=6e-4, decoder_only=True)

    def keep() -> None:
        print(f"held-out pictures: {signal_to_noise(model, drawn.pixels[-_HELD_OUT:]):.2f} dB")
        model.save_pretrained(options.work / "autoencoder_refined")

    progress = Progress(options.decoder_steps)
    train(training, progress, team, options.work / "decoder_state", on_checkpoint=keep)


def scaled_latents(options: argparse.Namespace, seed: int, drawn: DrawnSet) -> Tensor:
    """The latents of a drawn set, from the work folder where they are there already."""
    kept = options.work / f"latents_{seed}.pt"
    if kept.exists():
        return torch.load(kept)
    model = AutoencoderTiny.from_pretrained(options.work / "autoencoder")
    model.to(memory_format=torch.channels_last)
    latents = encode(model, drawn.pixels) * model.config.scaling_factor
    torch.save(latents, kept)
    return latents


def shares_of(captions: list[str], late: bool) -> NDArray[np.float64]:
    """How often to show each picture: one shape is learnt early, two later, landscapes last."""
    by_shapes = {0: 1.0, 1: 0.2, 2: 0.45} if late else {0: 1.0, 1: 0.5, 2: 1.5}

    def weight(caption: str) -> float:
        return by_shapes[min(2, sum(len(re.findall(rf"\b{shape}\b", caption)) for shape in SHAPES))]

    weights = np.array([weight(caption) for caption in captions])
    return weights / weights.sum()


def train_denoiser(team: Team, options: argparse.Namespace) -> None:
    """Train text encoder and UNet; every checkpoint also writes the whole pipeline."""
    seed = _FIRST_DENOISER_SEED + team.rank
    drawn = drawn_set(options.work, options.denoiser_pictures, seed)
    latents = scaled_latents(options, seed, drawn)
    tokenizer = build_tokenizer(all_words())
    chance = np.random.default_rng(seed)
    captions = [reworded(caption, chance) for caption in drawn.captions]
    ids = tokenizer([*captions, ""], padding="max_length", max_length=TEXT_POSITIONS, truncation=True).input_ids
    token_ids = torch.tensor(ids)
    torch.manual_seed(0)
    size = DenoiserSize()
    networks = nn.ModuleDict({"text_encoder": build_text_encoder(tokenizer, size), "unet": build_unet(size)})
    shares = (shares_of(drawn.captions, late=False), shares_of(drawn.captions, late=True))
    training = DenoiserTraining(networks, latents, token_ids[:-1], token_ids[-1], team, shares)

    def keep() -> None:
        averaged = copy.deepcopy(training.averaged)
        refined = options.work / "autoencoder_refined"
        source = refined if refined.exists() else options.work / "autoencoder"
        autoencoder = AutoencoderTiny.from_pretrained(source)
        pipeline = assemble(autoencoder, tokenizer, averaged["text_encoder"], averaged["unet"])
        write_pipeline(pipeline, options.out)

    team.wait()
    progress = Progress(options.denoiser_steps)
    train(training, progress, team, options.work / "denoiser_state", on_checkpoint=keep)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--stage", choices=["all", "autoencoder", "denoiser", "decoder"], default="all")
    parser.add_argument("--autoencoder-steps", type=int, default=2200)
    parser.add_argument("--denoiser-steps", type=int, default=5600)
    parser.add_argument("--decoder-steps", type=int, default=1100)
    parser.add_argument("--autoencoder-pictures", type=int, default=10_000, help="per process")
    parser.add_argument("--denoiser-pictures", type=int, default=24_000, help="per process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--port", type=int, default=29611, help="for the processes to meet")
    return parser.parse_args()


def main() -> None:
    """Run the chosen stage, or all in turn."""
    options = parse_options()
    if options.stage in ("all", "autoencoder"):
        run_as_team(train_autoencoder, options.processes, options.port, options)
        finish_autoencoder(options)
    if options.stage in ("all", "decoder"):
        run_as_team(train_decoder, options.processes, options.port + 1, options)
    if options.stage in ("all", "denoiser"):
        run_as_team(train_denoiser, options.processes, options.port + 2, options)


if __name__ == "__main__":
    main()
