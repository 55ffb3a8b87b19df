"""The power is cut while the program lives: what it had acknowledged is on the disk when the light is back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import defaultdict
from pathlib import Path

import psutil
import pytest

from tests.faults.lives import Lives, Said, check, warm
from tests.faults.mounted import Disk
from tests.faults.scripted import new_home

pytestmark = pytest.mark.slow


def live_until(lives: Lives, home: Path, disk: Disk, lines: int, later: float) -> Said:
    """Stops a life dead `later` seconds after it said so many lines, and cuts the power of its disk."""
    said: Said = defaultdict(list)
    process = 0

    def remember(thread: str, number: int) -> None:
        nonlocal process
        process = process or number

    for heard, (word, *rest) in enumerate(lives.hear(home, "life", remember), 1):
        said[word].append(rest)
        if heard == lines:
            time.sleep(later)  # the moment is left to chance, that is the test
            if word != "end":
                stop(process)
                disk.cut_the_power()
                with contextlib.suppress(ProcessLookupError):  # it had just ended
                    os.kill(process, signal.SIGKILL)
    if not said["end"]:
        return said
    disk.cut_the_power()
    return said


def stop(process: int) -> None:
    """Nothing it does may reach the disk once the power is gone, not even its own error handling."""
    try:
        os.kill(process, signal.SIGSTOP)
        while psutil.Process(process).status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            time.sleep(0.0005)
    except (ProcessLookupError, psutil.NoSuchProcess):
        pass  # it had just ended


def test_power_cuts_lose_nothing_that_was_promised(tmp_path: Path, fault_count: int) -> None:
    """`--faults 5` cuts the power 3 times, `--faults 100` 100 times."""
    chance = random.Random(3)
    cuts = max(3, fault_count if fault_count > 5 else 0)
    images = promises = 0
    with warm(tmp_path) as lives:
        for number in range(cuts):
            disk = Disk(tmp_path / f"disk{number}")
            disk.make()
            try:
                home = new_home(disk.folder / "home")
                os.sync()  # the model lay there long before
                said = live_until(lives, home, disk, chance.randint(2, 14), chance.uniform(0.0, 0.02))
                disk.unmount()
                disk.mount()
                check(home, said)
                images += len(said["image"])
                promises += len(said["did"])
            finally:
                disk.unmount()
                disk.remove()
    print(f"{cuts} power cuts, {promises} steps and {images} images acknowledged, 0 lost")
