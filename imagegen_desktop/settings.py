"""Every setting, declared once: type, default, unit, label, help. The settings dialog is generated from this."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .domain import devices
from .domain.errors import BadInput, DiskProblem
from .paths import sync_folder

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting. `kind` is str, int, float or bool; `choices` empty means free; limits are inclusive. A text fits
    `pattern` as a whole; `allowed` says so in words."""

    name: str
    kind: type[Value]
    default: Value
    label: str
    help: str
    section: str = "General"
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    pattern: str = ""
    allowed: str = ""


SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            name="theme",
            kind=str,
            default="system",
            choices=("system", "light", "dark"),
            section="Appearance",
            label="Theme",
            help="Follow the system's light or dark look, or choose one.",
        ),
        Setting(
            name="language",
            kind=str,
            default="system",
            choices=("system", "en", "de"),
            section="Appearance",
            label="Language",
            help="Takes effect at the next start.",
        ),
        Setting(
            name="device",
            kind=str,
            default="auto",
            section="Engine",
            label="Device",
            pattern=devices.PATTERN,
            allowed=devices.ALLOWED,
            help="Auto draws on every GPU, or on the processor where there is none. cuda:1 is the second GPU; several "
            "with commas between (cuda:0, cuda:1) draw one picture each at the same time. Takes effect at the next "
            "start.",
        ),
        Setting(
            name="threads",
            kind=int,
            default=0,
            low=0,
            high=256,
            section="Engine",
            label="CPU threads",
            help="0 lets the engine choose.",
        ),
        Setting(
            name="memory",
            kind=str,
            default="auto",
            choices=("auto", "whole", "text apart", "streamed", "8 bit"),
            section="Engine",
            label="Models on the GPU",
            help="Auto takes the quickest way that fits: the whole model, text encoders apart, streamed block by "
            "block. 8 bit halves the denoiser and changes pictures a little.",
        ),
        Setting(
            name="preview_every",
            kind=int,
            default=1,
            low=0,
            high=100,
            section="Engine",
            label="Steps to a preview",
            help="How often the picture being drawn is shown: 1 after every step, 0 never.",
        ),
        Setting(
            name="snapshot_seconds",
            kind=float,
            default=10.0,
            low=0.0,
            high=3600.0,
            unit="s",
            section="Engine",
            label="Snapshot every",
            help="How much drawing time a crash can cost at most; 0 keeps every step.",
        ),
        Setting(
            name="idle_unload_minutes",
            kind=float,
            default=10.0,
            low=0.0,
            high=1440.0,
            unit="min",
            section="Engine",
            label="Give GPU memory back after",
            help="Idle time after which the model is unloaded; 0 never.",
        ),
        Setting(
            name="monthly_limit_dollars",
            kind=float,
            default=0.0,
            low=0.0,
            high=100_000.0,
            unit="$",
            section="Cloud",
            label="Monthly limit",
            help="A provider that would cost more than this in a month waits; 0 sets no limit.",
        ),
        Setting(
            name="writer_endpoint",
            kind=str,
            default="",
            section="Cloud",
            label="Language model's address",
            help="For better prompts: the base URL of a server that speaks like OpenAI (Ollama, LM Studio, vLLM); "
            "empty asks OpenAI.",
        ),
        Setting(
            name="writer_model",
            kind=str,
            default="gpt-6-luna",
            section="Cloud",
            label="Language model",
            help="The model that writes better prompts.",
        ),
        Setting(
            name="cloud_timeout_seconds",
            kind=float,
            default=180.0,
            low=1.0,
            high=3600.0,
            unit="s",
            section="Cloud",
            label="Longest silence",
            help="How long a provider may say nothing before we give up on a request.",
        ),
        Setting(
            name="model",
            kind=str,
            default="",
            section="Creating",
            label="Model",
            help="The model a new picture starts with; empty takes the first.",
        ),
        Setting(
            name="model_folders",
            kind=str,
            default="",
            section="Creating",
            label="More model folders",
            help="Folders that are looked through for models as well, with : between them (on Windows ;).",
        ),
        Setting(
            name="style",
            kind=str,
            default="none",
            section="Creating",
            label="Style",
            help="The style a new picture starts with.",
        ),
    )
}


def environment_name(name: str) -> str:
    return f"IMAGEGEN_DESKTOP_{name.upper()}"


class Settings:
    """Values from settings.toml, each overridable for one run by IMAGEGEN_DESKTOP_<SETTING>.

    A file that cannot be read is set aside as settings.toml.broken, never overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._values = self._load()
        self._overrides = _from_environment()
        self.on_change: Callable[[str], None] = lambda name: None

    def get(self, name: str) -> Value:
        setting = _declared(name)
        return self._overrides.get(name, self._values.get(name, setting.default))

    def text(self, name: str) -> str:
        return str(self.get(name))

    def number(self, name: str) -> float:
        return float(self.get(name))

    def set(self, name: str, value: object) -> None:
        """Checks, keeps and writes a value; raises BadInput or DiskProblem."""
        checked = check(_declared(name), value)
        with self._lock:
            self._write(self._values | {name: checked})
            self._values[name] = checked
        self.on_change(name)

    def override(self, name: str, value: object) -> None:
        """For this run only, like the environment does it."""
        self._overrides[name] = check(_declared(name), value)

    def all(self) -> dict[str, Value]:
        return {name: self.get(name) for name in SETTINGS}

    def _load(self) -> dict[str, Value]:
        try:
            content = self._path.read_bytes()
        except OSError:
            return {}  # no file yet, or a home that cannot be read: whoever uses the home says so
        import tomllib  # only where there is a file: the first paint waits for the settings

        try:
            found = tomllib.loads(content.decode())
        except ValueError:
            self._path.replace(self._path.with_suffix(".toml.broken"))
            return {}
        return {name: value for name, value in found.items() if name in SETTINGS and _fits(SETTINGS[name], value)}

    def _write(self, values: dict[str, Value]) -> None:
        import tomli_w

        temporary = self._path.with_suffix(".toml.part")
        try:
            with temporary.open("wb") as file:
                tomli_w.dump(values, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise DiskProblem(f"The settings could not be written to {self._path}: {error.strerror}.") from error


def check(setting: Setting, value: object) -> Value:
    """`value` as the setting's type; text is parsed, so that a command line and a dialog share it."""
    if setting.kind is bool:
        return _checked_switch(setting, value)
    try:
        typed = setting.kind(value)  # type: ignore[arg-type, call-overload]
    except (TypeError, ValueError):
        raise BadInput(setting.name, value, _allowed(setting)) from None
    if setting.choices and typed not in setting.choices:
        raise BadInput(setting.name, value, _allowed(setting))
    if isinstance(typed, int | float) and not _within(setting, typed):
        raise BadInput(setting.name, value, _allowed(setting))
    if setting.pattern and not re.fullmatch(setting.pattern, str(typed)):
        raise BadInput(setting.name, value, _allowed(setting))
    return typed


def _checked_switch(setting: Setting, value: object) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if str(value).lower() not in known:
        raise BadInput(setting.name, value, "true or false")
    return known[str(value).lower()]


def _within(setting: Setting, value: float) -> bool:
    low = float("-inf") if setting.low is None else setting.low
    high = float("inf") if setting.high is None else setting.high
    return low <= value <= high


def _allowed(setting: Setting) -> str:
    if setting.choices:
        return "one of " + ", ".join(setting.choices)
    if setting.allowed:
        return setting.allowed
    kind = {int: "a whole number", float: "a number"}.get(setting.kind, "text")
    if setting.low is None or setting.high is None:
        return kind
    return f"{kind} from {setting.low:g} to {setting.high:g}"


def _fits(setting: Setting, value: object) -> bool:
    try:
        check(setting, value)
    except BadInput:
        return False
    return True


def _declared(name: str) -> Setting:
    if name not in SETTINGS:
        raise BadInput("setting", name, "one of " + ", ".join(SETTINGS))
    return SETTINGS[name]


def _from_environment() -> dict[str, Value]:
    return {
        name: check(setting, os.environ[environment_name(name)])
        for name, setting in SETTINGS.items()
        if environment_name(name) in os.environ
    }
