"""ControlNets: networks beside the denoiser that hold it to the shapes of a picture, at every step of any pipeline.

They act where every pipeline asks its denoiser, below the step boundary: the same arguments go through the
ControlNets first, and what they say is added inside the denoiser. So text-to-image, image-to-image and inpainting need
no pipelines of their own, the weights exist once, and a step that is replayed asks nobody.
Zhang et al., https://arxiv.org/abs/2302.05543
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from ..domain.request import Control
from .stepping import StepBoundary, replaced

#: What is told to a ControlNet of many kinds (its number of the preparation), as Shakker Labs trained theirs.
_UNION_MODES = {"canny": 0, "tile": 1, "depth": 2, "pose": 4, "scribble": 0}

#: Keyword arguments for the denoiser: lists of tensors, tensors, or plain values.
Said = dict[str, Any]


@dataclass(frozen=True)
class Acting:
    """A ControlNet at work: `picture` is as its network wants it, one row for each row the denoiser is asked about."""

    control: Control
    net: Any
    picture: torch.Tensor


class Controls:
    """Of one pipeline call."""

    def __init__(self, acting: list[Acting]) -> None:
        self._acting = acting

    @contextmanager
    def held(self, denoiser: Any, boundary: StepBoundary) -> Iterator[None]:
        """Within it the denoiser is held; to be entered before the boundary's own seams."""
        if not self._acting:
            yield
            return

        def forward(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return original(*args, **kwargs | self._said(boundary.step, boundary.steps, args, kwargs))

        with replaced(denoiser, "forward", forward):
            yield

    def _said(self, step: int, steps: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Said:
        said: Said = {}
        for each in self._acting:
            if each.control.acts(step, steps):
                said = _added(said, _KINDS[type(each.net).__name__](each, args, kwargs))
        return said


def picture_for(net: Any, pixels: torch.Tensor, pipeline: Any, twice: bool, generator: torch.Generator) -> torch.Tensor:
    """`pixels`, RGB bytes of (height, width, 3), as the network wants them; `twice` for a negative prompt beside the
    prompt. Some networks want latents, which are drawn by chance as the libraries' own pipelines do."""
    rows = pixels.permute(2, 0, 1).unsqueeze(0).float() / 255
    kind, vae = _kind(net), pipeline.vae
    if kind == "unet":
        return rows.to(net.device, net.dtype).repeat(2 if twice else 1, 1, 1, 1)
    asked = (2 * rows - 1).to(net.device, vae.dtype)
    if getattr(net, "input_hint_block", None) is not None:
        return asked
    latents: torch.Tensor
    if kind == "flux":
        latents = vae.encode(asked).latent_dist.sample(generator)
        latents = (latents - vae.config.shift_factor) * vae.config.scaling_factor
        latents = pipeline._pack_latents(latents, *latents.shape)
    else:
        latents = vae.encode(asked.repeat(2 if twice else 1, 1, 1, 1)).latent_dist.sample()
        shift = 0 if net.config.force_zeros_for_pooled_projection else vae.config.shift_factor
        latents = (latents - shift) * vae.config.scaling_factor
    return latents


def fits(net: Any, denoiser: Any) -> bool:
    """Whether the ControlNet was made for that kind of denoiser."""
    mine, theirs = net.config, denoiser.config
    partner, names = _PARTNERS[type(net).__name__]
    return type(denoiser).__name__ == partner and all(mine.get(name) == theirs.get(name) for name in names)


#: The denoiser each ControlNet belongs to, and the settings in which the two must be the same.
_PARTNERS = {
    "ControlNetModel": ("UNet2DConditionModel", ("cross_attention_dim", "block_out_channels", "layers_per_block")),
    "SD3ControlNetModel": ("SD3Transformer2DModel", ("num_attention_heads", "attention_head_dim", "patch_size")),
    "FluxControlNetModel": ("FluxTransformer2DModel", ("num_attention_heads", "attention_head_dim", "in_channels")),
}
CLASSES = tuple(_PARTNERS)


def _kind(net: Any) -> str:
    return {"ControlNetModel": "unet", "SD3ControlNetModel": "sd3", "FluxControlNetModel": "flux"}[type(net).__name__]


def _beside_unet(each: Acting, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Said:
    sample, timestep = args[0], args[1]
    down, middle = each.net(
        sample[:, : each.net.config.in_channels],  # an inpainting denoiser is shown mask and picture behind them
        timestep,
        encoder_hidden_states=kwargs["encoder_hidden_states"],
        controlnet_cond=each.picture[: len(sample)],
        conditioning_scale=each.control.weight,
        added_cond_kwargs=kwargs.get("added_cond_kwargs"),
        return_dict=False,
    )
    return {"down_block_additional_residuals": list(down), "mid_block_additional_residual": middle}


def _beside_sd3(each: Acting, _: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Said:
    config, pooled = each.net.config, kwargs["pooled_projections"]
    samples = each.net(
        hidden_states=kwargs["hidden_states"],
        timestep=kwargs["timestep"],
        encoder_hidden_states=kwargs["encoder_hidden_states"] if config.joint_attention_dim is not None else None,
        pooled_projections=torch.zeros_like(pooled) if config.force_zeros_for_pooled_projection else pooled,
        controlnet_cond=each.picture[: len(kwargs["hidden_states"])],
        conditioning_scale=each.control.weight,
        return_dict=False,
    )[0]
    return {"block_controlnet_hidden_states": list(samples)}


def _beside_flux(each: Acting, _: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Said:
    mode = None
    if each.net.union:
        number = _UNION_MODES.get(each.control.preparation, 0)
        mode = torch.full((1, 1), number, dtype=torch.long, device=each.picture.device)  # a copy would be waited for
    same = ("hidden_states", "timestep", "pooled_projections", "encoder_hidden_states", "txt_ids", "img_ids")
    blocks, singles = each.net(
        **{name: kwargs[name] for name in same},
        guidance=kwargs.get("guidance") if each.net.config.guidance_embeds else None,
        controlnet_cond=each.picture,
        controlnet_mode=mode,
        conditioning_scale=each.control.weight,
        return_dict=False,
    )
    said: Said = {"controlnet_blocks_repeat": each.net.input_hint_block is not None}
    said |= {} if blocks is None else {"controlnet_block_samples": list(blocks)}
    return said | ({} if singles is None else {"controlnet_single_block_samples": list(singles)})


_KINDS: dict[str, Callable[[Acting, tuple[Any, ...], Mapping[str, Any]], Said]] = {
    "ControlNetModel": _beside_unet,
    "SD3ControlNetModel": _beside_sd3,
    "FluxControlNetModel": _beside_flux,
}


def _added(one: Said, other: Said) -> Said:
    """What two ControlNets say together."""
    both = one | other
    for name in one.keys() & other.keys():
        ours, theirs = one[name], other[name]
        if isinstance(ours, list):
            both[name] = [a + b for a, b in zip(ours, theirs, strict=True)]
        elif isinstance(ours, torch.Tensor):
            both[name] = ours + theirs
    return both
