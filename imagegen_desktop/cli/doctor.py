"""`doctor`: what this machine can do, what is wrong with it, and the exact remedy."""

from __future__ import annotations

import argparse
import ctypes.util
import importlib.metadata
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from ..domain import devices
from ..domain.errors import Problem
from ..paths import home
from ..protocol.messages import Start
from ..providers.engine_process import EngineProcess
from ..services.assemble import assemble
from ..settings import Settings
from . import output

_ENGINE_SECONDS = 120.0
_LEAST_FREE = 2 * 2**30

#: The oldest versions without a known hole that a stranger's file could use.
_FLOORS = {
    "torch": (2, 10),
    "diffusers": (0, 42, 1),
    "Pillow": (13, 0, 0),
    "safetensors": (0, 8, 0),
    "apsw": (3, 51, 3),
}
_QT_LIBRARIES = {
    "EGL": "libegl1",
    "GL": "libgl1",
    "xkbcommon": "libxkbcommon0",
    "fontconfig": "libfontconfig1",
    "dbus-1": "libdbus-1-3",
    "xcb-cursor": "libxcb-cursor0",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `state`: ok, warning or broken."""

    name: str
    state: str
    text: str
    remedy: str = ""


def doctor(options: argparse.Namespace) -> int:
    """Looks at everything and prints it; 1 when something is broken."""
    findings = []
    for check in _CHECKS:
        for finding in check():
            findings.append(finding)
            if not options.json:
                _say(finding)
    if options.json:
        output.print_json([asdict(finding) for finding in findings])
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", "ok", version)


def _versions() -> Iterator[Finding]:
    for name, floor in _FLOORS.items():
        oldest = ".".join(map(str, floor))
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "broken", "is not installed", "Install the program again.")
            continue
        numbers = tuple(int(part) for part in found.split("+")[0].split(".")[: len(floor)] if part.isdigit())
        if numbers < floor:
            yield Finding(name, "broken", f"{found} is too old", f"Install {name} {oldest} or newer.")
        else:
            yield Finding(name, "ok", found)


def _window() -> Iterator[Finding]:
    if sys.platform != "linux":
        return
    missing = [package for library, package in _QT_LIBRARIES.items() if ctypes.util.find_library(library) is None]
    if missing:
        remedy = "sudo apt-get install " + " ".join(missing)
        yield Finding("Window", "broken", f"{len(missing)} system libraries of Qt are missing", remedy)
    else:
        yield Finding("Window", "ok", "Qt finds its system libraries")


def _home() -> Iterator[Finding]:
    place = home()
    try:
        place.prepare()
    except Problem as problem:
        yield Finding("Home", "broken", problem.message, problem.advice)
        return
    free = shutil.disk_usage(place.root).free
    state = "ok" if free >= _LEAST_FREE else "warning"
    remedy = "" if state == "ok" else "Free some space; a model alone needs several gigabytes."
    yield Finding("Home", state, f"{place.root}, {free / 2**30:.1f} GB free", remedy)
    yield from _library()


def _library() -> Iterator[Finding]:
    try:
        parts = assemble(home(), engine=False)
    except Problem as problem:
        yield Finding("Library", "broken", problem.message, problem.advice)
        return
    try:
        yield Finding(
            "Library", "ok", f"{parts.gallery.count()} images, {len(parts.queue.jobs(finished=0))} waiting jobs"
        )
        names = [card.name for card in parts.models.all()]
        yield Finding(
            "Models", "ok" if names else "warning", ", ".join(names) or "none", "" if names else "models add PATH"
        )
        for name, reason in parts.models.broken().items():
            yield Finding(f"Model {name}", "broken", reason.message, reason.advice)
    finally:
        parts.close()


def _engines() -> Iterator[Finding]:
    try:
        wanted = devices.listed(Settings(home().settings).text("device"))
    except Problem as problem:
        yield Finding("Engine", "broken", problem.message)
        return
    for number, device in enumerate(wanted):
        yield from _engine_on(device, with_gpus=number == 0)


def _engine_on(device: str, with_gpus: bool) -> Iterator[Finding]:
    """What an engine for this device says; all GPUs there are, when the first is asked."""
    engine = EngineProcess(Start(device=device))
    started = time.monotonic()
    try:
        engine.start()
        status = engine.wait_until_ready(_ENGINE_SECONDS)
        if status.state not in ("ready", "busy"):
            last = engine.last_words().strip().splitlines()[-1:]
            remedy = "Install the program again." if device == "auto" else "Change the setting device."
            yield Finding("Engine", "broken", f"does not start: {status.message} {' '.join(last)}".strip(), remedy)
            return
        yield Finding(
            "Engine", "ok", f"ready after {time.monotonic() - started:.1f} s on {status.device_name or status.device}"
        )
        if with_gpus:
            yield from _gpus(status.cards)
    finally:
        engine.close()


def _gpus(cards: tuple[str, ...]) -> Iterator[Finding]:
    for number, name in enumerate(cards):
        yield Finding(f"GPU {number}", "ok", f"{name}, cuda:{number}")
    if cards:
        return
    if shutil.which("nvidia-smi") is None:
        yield Finding("GPU", "warning", "none found; pictures are drawn on the processor", "Large models need a GPU.")
    elif "+cpu" in importlib.metadata.version("torch"):
        yield Finding(
            "GPU",
            "broken",
            "there is one, but this torch was built for the processor only",
            "pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu130",
        )
    else:
        yield Finding(
            "GPU", "broken", "there is one, but torch cannot use it", "Update the NVIDIA driver, then restart."
        )


def _say(finding: Finding) -> None:
    mark = {"ok": "✓", "warning": "!", "broken": "✗"}[finding.state]
    output.say(f"{mark} {finding.name:12} {finding.text}")
    if finding.remedy and finding.state != "ok":
        output.say(f"  {'':12} → {finding.remedy}")


_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (_python, _versions, _window, _home, _engines)
