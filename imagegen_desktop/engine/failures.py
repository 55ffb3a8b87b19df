"""What went wrong, in the artist's words: exceptions of the libraries as `Failed` events."""

from __future__ import annotations

import traceback

import torch

from ..domain.errors import Problem
from ..protocol.messages import Failed

_MEMORY_PHRASES = ("out of memory", "can't allocate memory", "not enough memory", "DefaultCPUAllocator")
_MEMORY_ADVICE = "Try a smaller size, close other programs, or choose a smaller model."


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA says it by type, the CPU allocator only in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in _MEMORY_PHRASES)


def context_is_lost(error: BaseException) -> bool:
    """After a CUDA error other than running out of memory nothing works in this process any more."""
    if is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)


def first_line(error: BaseException) -> str:
    """The first line an exception says, or its type when it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def failed(job: str, error: BaseException) -> Failed:
    detail = "".join(traceback.format_exception(error))
    if isinstance(error, Problem):
        kind, message, advice = error.kind, error.message, error.advice
    elif is_out_of_memory(error):
        kind, message, advice = "out_of_memory", "There is too little memory for this image.", _MEMORY_ADVICE
    else:
        words = f": {first_line(error)}" if str(error) else ""
        kind, message, advice = "engine", f"{type(error).__name__}{words}", ""
    return Failed(job=job, kind=kind, message=message, advice=advice, detail=detail)
