"""What our engine is measured against: the bare diffusers pipeline in a process of its own.

python tests/benchmarks/bare.py MODEL     prints `ready`, then seconds for each JSON request read from stdin
"""

from __future__ import annotations

import json
import sys
import time

import torch
from diffusers import StableDiffusionPipeline


def main() -> None:
    torch.set_num_threads(1)
    pipeline = StableDiffusionPipeline.from_pretrained(sys.argv[1], local_files_only=True, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    print("ready", flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        began = time.perf_counter()
        generator = torch.Generator("cpu").manual_seed(wish.pop("seed"))
        torch.manual_seed(0)
        pipeline(**wish, generator=generator)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
