"""Training carries on from a checkpoint exactly as if it had never stopped."""

from pathlib import Path

import numpy as np
import pytest
import torch
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
from starter_training.loop import train
from starter_training.progress import Progress, learning_rate
from starter_training.team import Team
from starter_training.text_tokens import TEXT_POSITIONS, build_tokenizer
from starter_world.pictures import draw_picture
from starter_world.vocabulary import all_words


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    chance = np.random.default_rng(0)
    return np.stack([draw_picture(chance, size=32).pixels for _ in range(8)])


def _denoiser_training() -> DenoiserTraining:
    torch.manual_seed(0)
    tokenizer = build_tokenizer(all_words())
    size = DenoiserSize(channels=(8, 16, 16), heads=2, text_width=16, text_layers=1)
    networks = torch.nn.ModuleDict({"text_encoder": build_text_encoder(tokenizer, size), "unet": build_unet(size)})
    captions = ["a red circle", "the sea at night, zxq", ""]
    ids = torch.tensor(tokenizer(captions, padding="max_length", max_length=TEXT_POSITIONS).input_ids)
    latents = torch.randn(2, 4, 8, 8)
    return DenoiserTraining(networks, latents, ids[:2], ids[2], Team(), batch=2)


def _autoencoder_training(pixels: np.ndarray) -> AutoencoderTraining:
    torch.manual_seed(0)
    return AutoencoderTraining(build_autoencoder(width=8), pixels, Team(), batch=2)


def _weights(training: DenoiserTraining | AutoencoderTraining) -> dict[str, torch.Tensor]:
    state = training.state()
    return state.get("averaged") or state["model"]


@pytest.mark.parametrize("kind", ["autoencoder", "denoiser"])
def test_resuming_changes_nothing(kind: str, pixels: np.ndarray, tmp_path: Path) -> None:
    def fresh() -> DenoiserTraining | AutoencoderTraining:
        return _denoiser_training() if kind == "denoiser" else _autoencoder_training(pixels)

    whole = fresh()
    train(whole, Progress(steps=4), Team(), tmp_path / "whole")
    first = fresh()
    # Every step is a checkpoint; the stop after two is the end of the world for `first`.
    stopped = _StopsAfter(first, 2)
    with pytest.raises(KeyboardInterrupt):
        train(stopped, Progress(steps=4), Team(), tmp_path / "parts", checkpoint_seconds=-1)
    second = fresh()
    train(second, Progress(steps=4), Team(), tmp_path / "parts")
    wanted, got = _weights(whole), _weights(second)
    assert all(torch.equal(wanted[name], got[name]) for name in wanted)


class _StopsAfter:
    """A training that is interrupted after some steps."""

    def __init__(self, training: DenoiserTraining | AutoencoderTraining, steps: int) -> None:
        self._training, self._left = training, steps
        self.state, self.restore = training.state, training.restore

    def step(self, fraction: float, step: int) -> float:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return self._training.step(fraction, step)


def test_an_untrained_autoencoder_shows_block_means(pixels: np.ndarray) -> None:
    torch.manual_seed(0)
    assert signal_to_noise(build_autoencoder(width=16), pixels) > 8


def test_centred_latents_have_mean_0_and_spread_1(pixels: np.ndarray) -> None:
    torch.manual_seed(0)
    model = build_autoencoder(width=16)
    centre_latents(model, pixels)
    latents = encode(model, pixels)
    assert latents.mean((0, 2, 3)).abs().max() < 0.05
    assert torch.allclose(latents.std((0, 2, 3)), torch.tensor([1, 1, 1, 0.6]), atol=0.05)


def test_unknown_text_is_never_learnt() -> None:
    training = _denoiser_training()
    for step in range(2):
        training.step(0.5, step + 200)
    words = training.networks["text_encoder"].get_input_embeddings().weight
    # Byte tokens come first; "a" is both a byte and a word, and is left unlearnt with them.
    assert words[:100].abs().max() == 0


def test_learning_rate_warms_up_and_falls() -> None:
    rates = [learning_rate(1.0, f, s, 10) for f, s in ((0, 0), (0.1, 10), (0.5, 50), (1, 100))]
    assert rates[0] < 0.11
    assert rates[1] > rates[2] > rates[3] > 0
