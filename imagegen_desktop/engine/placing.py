"""Carrying out a memory plan: where a pipeline's parts lie while it runs."""

from __future__ import annotations

import functools
from typing import Any

import torch

from .device import Device
from .memory_plan import EIGHT_BIT, STREAMED, WHOLE, Need, Plan, plan_for
from .pipelines import PipelineFamily

#: Bytes beside the weights for each pixel and channel of precision: measured shapes of attention and convolution
#: differ by family; these are the larger ones, so that a plan errs towards fitting.
_STEP_BYTES, _DECODE_BYTES = 512, 1536
_EIGHT = torch.float8_e4m3fn


def need_of(pipeline: Any, family: PipelineFamily, pixels: int) -> Need:
    """What a loaded pipeline needs on a card to draw a picture of that many pixels."""
    denoiser = getattr(pipeline, family.denoiser)
    texts = [part for name in family.text_encoders if (part := getattr(pipeline, name, None)) is not None]
    width = next(pipeline.vae.parameters()).element_size()  # a denoiser's weights may be narrower than its numbers
    # SDXL's pipelines decode in single precision where the autoencoder asks for that.
    exact = hasattr(pipeline, "upcast_vae") and pipeline.vae.config.get("force_upcast")
    return Need(
        denoiser=_bytes(denoiser),
        text=sum(_bytes(part) for part in texts),
        vae=_bytes(pipeline.vae),
        block=max(_largest_block(part) for part in (denoiser, *texts)),
        stepping=pixels * _STEP_BYTES * width // 2,
        decoding=pixels * _DECODE_BYTES * (4 if exact else width) // 2,
    )


def placed(pipeline: Any, family: PipelineFamily, device: Device, wanted: str, pixels: int) -> tuple[Any, Plan]:
    """The pipeline, its parts where the plan for it has them, and the plan.

    A processor has one memory: everything lies there, whatever is wanted.
    """
    need = need_of(pipeline, family, pixels)
    if not device.is_cuda:
        return pipeline.to(device.torch), Plan(way=WHOLE, peak=need.weights)
    plan = plan_for(need, device.memory()[1], wanted)
    place(pipeline, family, device.torch, plan)
    return pipeline, plan


def place(pipeline: Any, family: PipelineFamily, device: torch.device, plan: Plan) -> None:
    if plan.way == WHOLE:
        pipeline.to(device)
    elif plan.way == STREAMED:
        pipeline.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=device.type == "cuda",
            # Small, read again for every tile, and brought to another precision by some pipelines, which the copies
            # that a stream brings would not follow.
            exclude_modules=["vae"],
        )
    else:
        if plan.way == EIGHT_BIT:
            eight_bits(getattr(pipeline, family.denoiser))
        _text_apart(pipeline, family, device)
    if plan.tiled:
        pipeline.vae.enable_tiling()


def eight_bits(denoiser: Any) -> None:
    """Its weights kept in 8 bits and computed with in the precision they had."""
    precision = denoiser.dtype
    denoiser.enable_layerwise_casting(storage_dtype=_EIGHT, compute_dtype=precision)
    for part in denoiser.modules():
        if isinstance(getattr(part, "weight", None), torch.Tensor) and part.weight.dtype == _EIGHT:
            part.compute_dtype = precision  # what peft gives a LoRA on it; else that would be rounded as well


def _text_apart(pipeline: Any, family: PipelineFamily, device: torch.device) -> None:
    """Every part comes to the card when it is first used; text encoders go again when their words are read."""
    from accelerate import cpu_offload_with_hook

    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            _, hook = cpu_offload_with_hook(part, device)
            if name in family.text_encoders:
                part.register_forward_hook(functools.partial(_leave, hook))


def _leave(hook: Any, *_: Any) -> None:
    hook.offload()


def _bytes(part: Any) -> int:
    return sum(tensor.nbytes for tensors in (part.parameters(), part.buffers()) for tensor in tensors)


def _largest_block(part: Any) -> int:
    """Of all numbered blocks, or the largest single layer where there are none."""
    lists = [module for module in part.modules() if isinstance(module, torch.nn.ModuleList)]
    return max((_bytes(block) for blocks in lists for block in blocks), default=_bytes(part))
