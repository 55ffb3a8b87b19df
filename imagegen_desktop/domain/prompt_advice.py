"""What a painter would add to a few words: composition, light, palette, mood, camera; by rule, without any network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass

TAGS, PROSE = "tags", "prose"


@dataclass(frozen=True)
class Aspect:
    """`known` are word stems that show the artist has thought of it; `choices` what could be added."""

    name: str
    known: tuple[str, ...]
    choices: tuple[str, ...]


_ENGLISH = (
    Aspect(
        "composition",
        (
            "composition",
            "close-up",
            "closeup",
            "portrait",
            "wide",
            "centered",
            "thirds",
            "foreground",
            "framing",
            "view",
        ),
        ("rule of thirds", "centered composition", "layered foreground and background", "wide view"),
    ),
    Aspect(
        "light",
        ("light", "lit", "sun", "moon", "glow", "shadow", "golden hour", "dawn", "dusk", "night", "neon", "lamp"),
        ("soft morning light", "golden hour light", "gentle side light", "diffuse overcast light"),
    ),
    Aspect(
        "palette",
        ("colo", "palette", "monochrome", "pastel", "black and white", "red and", "blue and", "warm", "cool", "vivid"),
        ("muted earth tones", "warm and cool contrast", "limited palette", "soft pastel palette"),
    ),
    Aspect(
        "mood",
        ("mood", "calm", "quiet", "dramatic", "joyful", "melanchol", "serene", "mysterious", "tense", "dreamy", "cosy"),
        ("calm mood", "quiet mystery", "serene atmosphere", "a sense of wonder"),
    ),
    Aspect(
        "camera",
        ("lens", "mm", "depth of field", "bokeh", "macro", "aerial", "low angle", "eye level", "camera", "photograph"),
        ("shallow depth of field", "seen at eye level", "low angle", "50 mm lens"),
    ),
)

_GERMAN = (
    Aspect(
        "composition",
        ("komposition", "nahaufnahme", "porträt", "weitwinkel", "vordergrund", "ansicht", "blick", "mittig"),
        ("Drittelregel", "mittige Komposition", "gestaffelter Vorder- und Hintergrund", "weiter Blick"),
    ),
    Aspect(
        "light",
        ("licht", "sonn", "mond", "leucht", "schatten", "dämmer", "nacht", "neon", "lampe"),
        ("weiches Morgenlicht", "Licht der goldenen Stunde", "sanftes Seitenlicht", "diffuses Licht"),
    ),
    Aspect(
        "palette",
        ("farb", "palette", "schwarzweiß", "pastell", "warm", "kühl", "einfarbig"),
        ("gedämpfte Erdtöne", "warm-kalter Kontrast", "begrenzte Palette", "zarte Pastelltöne"),
    ),
    Aspect(
        "mood",
        ("stimmung", "ruhig", "still", "dramatisch", "fröhlich", "melanchol", "geheimnis", "verträumt", "gemütlich"),
        ("ruhige Stimmung", "stilles Geheimnis", "heitere Atmosphäre", "ein Gefühl des Staunens"),
    ),
    Aspect(
        "camera",
        ("objektiv", "mm", "tiefenschärfe", "makro", "luftbild", "froschperspektive", "augenhöhe", "kamera", "foto"),
        ("geringe Tiefenschärfe", "auf Augenhöhe", "aus niedriger Perspektive", "50-mm-Objektiv"),
    ),
)

_GERMAN_WORDS = frozenset(
    ("ein", "eine", "einen", "einem", "einer", "der", "die", "das", "den", "dem", "und", "mit", "im", "am", "auf",
     "über", "unter", "vor", "ist", "sind", "von", "zu", "bei", "nacht")
)  # fmt: skip
_DRAWN = ("watercolor", "pencil", "pixel", "anime", "flat", "ink", "oil", "charcoal", "linocut", "comic", "paint")


def advise(text: str, wording: str, style: str = "", vocabulary: Collection[str] = ()) -> str:
    """The text with what it does not say yet about each aspect; the artist's words stay, in their order.

    With a `vocabulary` only words of it are added. A language nobody here speaks is left alone.
    """
    plain = text.strip().rstrip(".,; ")
    aspects = aspects_for(plain)
    if not plain or aspects is None:
        return text
    lower = plain.lower()
    added = []
    for aspect in aspects:
        if any(word in lower for word in aspect.known) or (aspect.name == "camera" and _is_drawn(style, lower)):
            continue
        choices = [choice for choice in aspect.choices if _is_known(choice, vocabulary)]
        if choices:
            added.append(choices[_number(f"{lower}|{style}|{aspect.name}") % len(choices)])
    if not added:
        return text
    if wording == TAGS:
        return ", ".join([plain, *added])
    sentence = ", ".join(added)
    return f"{plain}. {sentence[0].upper()}{sentence[1:]}."


def aspects_for(text: str) -> tuple[Aspect, ...] | None:
    """The aspects in the text's own language; None for a language that is neither English nor German."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    if any(not character.isascii() and character not in "äöüßéèêàçñ’“”–—…" for character in text.lower()):
        return None
    if _GERMAN_WORDS & set(words) or any(character in text.lower() for character in "äöüß"):
        return _GERMAN
    foreign = {
        "un",
        "une",
        "el",
        "la",
        "los",
        "las",
        "il",
        "le",
        "les",
        "avec",
        "con",
        "dans",
        "uma",
        "um",
        "een",
        "het",
    }
    return None if foreign & set(words) else _ENGLISH


def _is_drawn(style: str, text: str) -> bool:
    return any(word in style.lower() or word in text for word in _DRAWN)


def _is_known(choice: str, vocabulary: Collection[str]) -> bool:
    return not vocabulary or all(word in vocabulary for word in re.findall(r"[a-z]+", choice.lower()))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4])
