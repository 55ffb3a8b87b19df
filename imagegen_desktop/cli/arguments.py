"""What can be typed: verbs, options and their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from ..domain.checks import check_number, check_whole
from ..domain.enlarging import MAX_FACTOR, MAX_HIRES_FACTOR
from ..domain.errors import BadInput
from ..domain.model_card import EXTRAS, MODEL, PREPARED_BY
from ..domain.outpainting import sides_from
from ..domain.request import MAX_CLIP_SKIP, MAX_COUNT, MAX_GUIDANCE, MAX_SEED, MAX_SIDE, MAX_STEPS, TILINGS
from . import (
    added,
    branch,
    doctor,
    download,
    gallery,
    generate,
    keys,
    library,
    models,
    providers,
    queue,
    sheet,
    upscale,
)

Verb = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are BadInput, one line each."""

    def error(self, message: str) -> NoReturn:
        argument, _, rest = message.partition(": ")
        if rest:
            raise BadInput(argument.removeprefix("argument "), "this", rest)
        raise BadInput("command line", message, f"see {self.prog} --help")


def parser() -> Parser:
    """The whole grammar of the command line."""
    top = Parser(prog="imagegen-desktop", description="Draws pictures from words, on this computer.")
    verbs = top.add_subparsers(required=True, metavar="VERB")
    _verb(verbs, "generate", generate.generate, "draw a picture now", _request_options, _output_options)
    _upscale_verb(verbs)
    _sheet_verb(verbs)
    _branch_verb(verbs)
    _decode_verb(verbs)
    _queue_verbs(verbs)
    _gallery_verbs(verbs)
    inspect = _verb(verbs, "inspect", library.inspect, "the settings found in an image")
    inspect.add_argument("file", metavar="FILE", type=Path)
    _library_verbs(verbs)
    _provider_verbs(verbs)
    _verb(verbs, "doctor", doctor.doctor, "what this machine can do, and what is wrong")
    return top


def _verb(
    verbs: Any, name: str, function: Verb, help_text: str, *options: Callable[[argparse.ArgumentParser], None]
) -> Any:
    made = verbs.add_parser(name, help=help_text, description=help_text)
    made.add_argument("--json", action="store_true", help="machine-readable output")
    made.set_defaults(verb=function)
    for add in options:
        add(made)
    return made


def _group(verbs: Any, name: str, help_text: str) -> Any:
    return verbs.add_parser(name, help=help_text).add_subparsers(required=True, metavar="VERB")


def _request_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("prompt", metavar="PROMPT")
    verb.add_argument(
        "--outpaint",
        type=sides_from,
        metavar="left=N,right=N",
        help="extend --image by so many pixels left, top, right, bottom",
    )
    _change_options(verb)


def _change_options(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("--negative", metavar="TEXT", dest="negative_prompt", help="what should not be in the picture")
    add("--style", metavar="NAME", help="a style preset; none adds nothing")
    add("--model", metavar="NAME_OR_PATH")
    add("--provider", metavar="NAME")
    add("--width", type=_whole("width", 8, MAX_SIDE), metavar="W")
    add("--height", type=_whole("height", 8, MAX_SIDE), metavar="H")
    add("--steps", type=_whole("steps", 1, MAX_STEPS), metavar="N")
    add("--guidance", type=_number("guidance", 0.0, MAX_GUIDANCE), metavar="G")
    add("--sampler", metavar="NAME")
    add("--seed", type=_whole("seed", 0, MAX_SEED), metavar="S")
    add("--count", type=_whole("count", 1, MAX_COUNT), metavar="N")
    add("--image", type=Path, metavar="FILE", help="start from this picture")
    add("--strength", type=_number("strength", 0.0, 1.0), metavar="X", help="0 keeps the picture, 1 forgets it")
    add("--mask", type=Path, metavar="FILE", help="white where to paint")
    add(
        "--hires-factor", type=_number("hires factor", 1.05, MAX_HIRES_FACTOR), metavar="F", help="draw over it, larger"
    )
    add(
        "--hires-strength",
        type=_number("hires strength", 0.01, 1.0),
        metavar="X",
        help="how much the second pass changes",
    )
    add("--upscaler", metavar="NAME", help="who enlarges before the second pass: a network of the library, or Lanczos")
    add("--clip-skip", type=_whole("clip skip", 1, MAX_CLIP_SKIP), metavar="N", help="1 the last layer, 2 one less …")
    add("--tiling", type=_tiling, metavar="x|y|both", help="edges that meet without a seam")
    add("--variation-seed", type=_whole("variation seed", 0, MAX_SEED), metavar="S")
    add("--variation-strength", type=_number("variation strength", 0.0, 1.0), metavar="X", help="0 this seed, 1 that")
    added.add_options(verb)
    add("--quality", metavar="NAME", help="for models behind a provider: low, medium, high …")
    add("--background", metavar="NAME", help="for models behind a provider: opaque or transparent")
    add("--device", type=_device, metavar="cpu|cuda[:i]")
    add("--no-cache", action="store_true", help="draw again what was drawn before")
    add("--priority", type=_whole("priority", -1000, 1000), metavar="N")


def _upscale_verb(verbs: Any) -> None:
    verb = _verb(verbs, "upscale", upscale.upscale, "make a picture larger")
    verb.add_argument("file", metavar="FILE", type=Path)
    verb.add_argument("--factor", type=_number("factor", 1.0, MAX_FACTOR), required=True, metavar="F")
    verb.add_argument("--upscaler", metavar="NAME", help="a network of the library, or Lanczos")
    verb.add_argument("--device", type=_device, metavar="cpu|cuda[:i]")
    _writing_options(verb)


def _output_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--enhance", action="store_true", help="let a language model better the prompt first")
    _writing_options(verb)
    verb.add_argument(
        "--snapshot-every", type=_snapshot_interval, metavar="SECONDS|step", help="how much a crash can cost at most"
    )


def _writing_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("-o", "--output", metavar="FILE_OR_FOLDER", help="also write the picture here; {n} counts")
    verb.add_argument("--overwrite", action="store_true", help="replace what is there")


def _sheet_verb(verbs: Any) -> None:
    sheet_verb = _verb(
        verbs, "sheet", sheet.sheet, "many seeds for a few steps; `sheet finish ID…` finishes the chosen"
    )
    sheet_verb.add_argument("prompt", metavar="PROMPT | finish")
    sheet_verb.add_argument("ids", metavar="ID", nargs="*")
    sheet_verb.add_argument("--seeds", type=_whole("seeds", 1, 1000), metavar="N")
    sheet_verb.add_argument("--until", type=_whole("until", 1, MAX_STEPS), metavar="K")
    _change_options(sheet_verb)


def _branch_verb(verbs: Any) -> None:
    verb = _verb(verbs, "branch", branch.branch, "go on from a step of a picture with other words", _output_options)
    verb.add_argument("id", metavar="ID")
    verb.add_argument("--step", type=_whole("step", 1, MAX_STEPS), required=True, metavar="K")
    verb.add_argument("--prompt", metavar="TEXT")
    _change_options(verb)


def _decode_verb(verbs: Any) -> None:
    text = "a finished picture once more from its latents, with another VAE or the model's own"
    verb = _verb(verbs, "decode-again", branch.decode_again, text, _writing_options)
    verb.add_argument("id", metavar="ID")
    verb.add_argument("--vae", metavar="NAME")
    verb.add_argument("--device", type=_device, metavar="cpu|cuda[:i]")


def _queue_verbs(verbs: Any) -> None:
    group = _group(verbs, "queue", "the persistent queue, without a window")
    _verb(group, "add", queue.add, "queue a picture", _request_options)
    _verb(group, "list", queue.list_jobs, "all jobs")
    run = _verb(group, "run", queue.run, "draw what waits")
    run.add_argument("--until-empty", action="store_true", help="end when nothing waits any more")
    for name, function, text in (
        ("cancel", queue.cancel, "cancel a job"),
        ("retry", queue.retry, "queue a failed or cancelled job again"),
    ):
        _verb(group, name, function, text).add_argument("id", metavar="ID")
    for name, function, text in (
        ("pause", queue.pause, "pause a job, or the whole queue"),
        ("resume", queue.resume, "go on with a job, or the whole queue"),
    ):
        _verb(group, name, function, text).add_argument("id", metavar="ID", nargs="?")
    move = _verb(group, "move", queue.move, "give a waiting job another place")
    move.add_argument("id", metavar="ID")
    move.add_argument("--to", type=_whole("to", 0, 10**6), required=True, metavar="N", help="0 is the first to run")
    edit = _verb(group, "edit", queue.edit, "change a job that does not run")
    edit.add_argument("id", metavar="ID")
    edit.add_argument("--prompt", metavar="TEXT")
    _change_options(edit)
    clear = _verb(group, "clear", queue.clear, "take finished jobs off the list")
    clear.add_argument("--finished", action="store_true", required=True)


def _gallery_verbs(verbs: Any) -> None:
    group = _group(verbs, "gallery", "the finished pictures")
    for name, function, text in (
        ("list", gallery.list_images, "the newest pictures"),
        ("search", gallery.search, "pictures whose words match"),
    ):
        verb = _verb(group, name, function, text)
        verb.add_argument("--limit", type=_whole("limit", 1, 1_000_000), default=100, metavar="N")
        if name == "search":
            verb.add_argument("query", metavar="QUERY")
    _verb(group, "show", gallery.show, "one picture's settings").add_argument("id", metavar="ID")
    for name, function, text in (
        ("delete", gallery.delete, "put pictures into the bin"),
        ("restore", gallery.restore, "bring pictures back from the bin"),
    ):
        _verb(group, name, function, text).add_argument("ids", metavar="ID", nargs="+")
    _verb(group, "verify", gallery.verify, "compare every picture with its file")
    _verb(group, "rebuild", gallery.rebuild, "read all image files into the library anew")


def _library_verbs(verbs: Any) -> None:
    _verb(_group(verbs, "styles", "style presets"), "list", library.list_styles, "all presets")
    group = _group(verbs, "models", "the models on this machine")
    listing = _verb(group, "list", models.list_all, "all models, and what is used together with them")
    listing.add_argument("filter", metavar="TEXT", nargs="?", help="only those with this in name, title or family")
    listing.add_argument("--kind", choices=(MODEL, *EXTRAS, "broken"), help="only those of one kind")
    for name, function, text in (
        ("add", models.add, "make a model file or folder known"),
        ("inspect", models.inspect, "what a file or folder is"),
        ("convert", models.convert, "make safetensors of a pickle, in a sandbox"),
    ):
        _verb(group, name, function, text).add_argument("path", type=Path, metavar="PATH")
    check = _verb(group, "verify", models.verify, "compare models with their recorded checksums")
    check.add_argument("name", metavar="NAME", nargs="?")
    _verb(group, "remove", models.remove, "put a model into the bin").add_argument("name", metavar="NAME")
    fetch = _verb(group, "download", download.download, "fetch a model from the hub; the same call goes on with it")
    fetch.add_argument("id", metavar="ID", help="OWNER/NAME, or the address of its page")
    fetch.add_argument("--revision", metavar="R", help="a branch, tag or commit; the newest without it")
    fetch.add_argument("--file", metavar="NAME", help="one file of a model that has several")
    kit = _verb(group, "kit", download.kit, "fetch, once, what single files of a family need beside their weights")
    kit.add_argument("family", metavar="FAMILY")
    preparation = _verb(
        group, "preparation", download.preparation, "fetch, once, what makes depths or poses of pictures"
    )
    preparation.add_argument("name", metavar="NAME", help=" or ".join(PREPARED_BY))
    settings = _group(verbs, "settings", "what can be set")
    _verb(settings, "list", library.list_settings, "all settings")
    _verb(settings, "get", library.get_setting, "one setting").add_argument("name", metavar="NAME")
    change = _verb(settings, "set", library.set_setting, "change a setting")
    change.add_argument("name", metavar="NAME")
    change.add_argument("value", metavar="VALUE")


def _provider_verbs(verbs: Any) -> None:
    shown = _verb(verbs, "providers", providers.providers, "who can draw, what each can do and has cost")
    shown.add_argument("--check", action="store_true", help="ask each whether it answers; costs nothing")
    better = _verb(verbs, "enhance", providers.enhance, "a better prompt for a text")
    better.add_argument("text", metavar="TEXT")
    for option in ("--style", "--provider", "--model"):
        better.add_argument(option, metavar="NAME")
    group = _group(verbs, "keys", "API keys, in the system's keyring")
    change = _verb(group, "set", keys.set_key, "keep a key; it is typed or piped in")
    change.add_argument("name", metavar="NAME")
    change.add_argument("--file", action="store_true", help="in a file locked with a passphrase instead")
    _verb(group, "test", keys.test_key, "ask the provider whether it takes the key").add_argument(
        "name", metavar="NAME"
    )
    _verb(group, "remove", keys.remove_key, "forget a key").add_argument("name", metavar="NAME")


def _whole(name: str, low: int, high: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        try:
            value: object = int(text)
        except ValueError:
            value = text
        return check_whole(name, value, low, high)

    return convert


def _number(name: str, low: float, high: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        try:
            value: object = float(text)
        except ValueError:
            value = text
        return check_number(name, value, low, high)

    return convert


def _tiling(text: str) -> str:
    if text in TILINGS:
        return text
    raise BadInput("tiling", text, "one of " + ", ".join(TILINGS))


def _device(text: str) -> str:
    kind, _, index = text.partition(":")
    if text in ("auto", "cpu", "cuda") or (kind == "cuda" and index.isdigit()):
        return text
    raise BadInput("device", text, "cpu, cuda or cuda:0, cuda:1 …")


def _snapshot_interval(text: str) -> float:
    return 0.0 if text == "step" else _number("snapshot-every", 0.1, 3600.0)(text)
