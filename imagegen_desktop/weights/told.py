"""What a single file says about itself in words. Anybody may have written them: they are shown, and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping

_LONGEST_SHOWN, _LONGEST_TOLD = 200, 4000

_TITLE = ("modelspec.title", "general.name")
_LICENCE = ("modelspec.license", "general.license", "general.license.name")

#: What the card for people says → where trainers (https://github.com/Stability-AI/ModelSpec) and GGUF files have it.
_CARD = {
    "Title": _TITLE,
    "By": ("modelspec.author", "general.author", "general.organization"),
    "Licence": _LICENCE,
    "Licence text": ("general.license.link",),
    "Date": ("modelspec.date",),
    "Description": ("modelspec.description", "general.description"),
    "Use": ("modelspec.usage_hint",),
    "Trigger phrase": ("modelspec.trigger_phrase",),
    "Made from": ("modelspec.merged_from", "general.base_model.0.name"),
    "Tags": ("modelspec.tags",),
    "Page": ("general.url", "general.repo_url", "general.source.url"),
}


def title(metadata: Mapping[str, str]) -> str:
    return shown(_first(metadata, _TITLE))


def licence(metadata: Mapping[str, str]) -> str:
    return shown(_first(metadata, _LICENCE))


def about(metadata: Mapping[str, str]) -> str:
    """A card for people, one fact a paragraph; empty for a file that says nothing beside its title."""
    facts = {name: _told(_first(metadata, keys)) for name, keys in _CARD.items()}
    said = {name: text for name, text in facts.items() if text}
    return "\n".join(f"{name}: {text}" for name, text in said.items()) if said.keys() - {"Title"} else ""


def shown(text: str) -> str:
    """A stranger's words made fit for showing: printable, in one line, and not too many."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_SHOWN]).strip()


def _told(text: str) -> str:
    """The same, of as many lines as they have."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text[:_LONGEST_TOLD]).strip()


def _first(metadata: Mapping[str, str], keys: tuple[str, ...]) -> str:
    return next((metadata[key] for key in keys if metadata.get(key, "").strip()), "")
