"""Finds out which program wrote a picture's texts, and has its module read them."""

from __future__ import annotations

from .findings import FoundSettings
from .foreign.a1111 import read_a1111
from .foreign.bounded_json import parsed_object
from .foreign.comfyui import read_comfyui
from .foreign.fooocus import read_fooocus
from .foreign.invokeai import read_dream, read_invokeai, read_invokeai_2
from .foreign.novelai import read_novelai
from .foreign.swarmui import read_swarmui

_COMMENTS = ("parameters", "UserComment", "user_comment", "ImageDescription", "Comment")


def read_foreign(texts: dict[str, str]) -> FoundSettings | None:
    """The settings another program wrote, by the first reader that finds any."""
    software = texts.get("Software", "")
    if "invokeai_metadata" in texts and (found := read_invokeai(texts["invokeai_metadata"])):
        return found
    if software.startswith("NovelAI") and (found := read_novelai(texts)):
        return found
    fooocus = software.startswith("Fooocus") or "fooocus_scheme" in texts
    for key in _COMMENTS:
        if text := texts.get(key):
            found = read_comment(text, fooocus, texts.get("fooocus_scheme") or texts.get("MakerNote", ""))
            if found is not None:
                return found
    prompt, workflow = _graphs(texts)
    if (prompt or workflow) and (found := read_comfyui(prompt, workflow)):
        return found
    if "sd-metadata" in texts and (found := read_invokeai_2(texts["sd-metadata"])):
        return found
    if "Dream" in texts:
        return read_dream(texts["Dream"])
    return None


def read_comment(text: str, fooocus: bool = False, scheme: str = "") -> FoundSettings | None:
    """A text that may be SwarmUI's or Fooocus's JSON, A1111's lines, or hold NovelAI's texts."""
    if text.lstrip().startswith("{"):
        values = parsed_object(text)
        if values is not None and isinstance(values.get("Comment"), str):
            hidden = {name: value for name, value in values.items() if isinstance(value, str)}
            return read_novelai(hidden)
        return read_swarmui(text) or read_fooocus(text)
    if fooocus or scheme in ("a1111", "fooocus"):
        return read_fooocus(text)
    return read_a1111(text)


def _graphs(texts: dict[str, str]) -> tuple[str, str]:
    """ComfyUI's two graphs; its WebP files hide them in camera fields as `prompt:{…}`."""
    graphs = {name: texts.get(name, "") for name in ("prompt", "workflow")}
    for field in ("Model", "Make", "ImageDescription", "UserComment"):
        name, colon, text = texts.get(field, "").partition(":")
        if colon and name.casefold() in graphs and text.lstrip().startswith("{"):
            graphs[name.casefold()] = graphs[name.casefold()] or text
    return graphs["prompt"], graphs["workflow"]
