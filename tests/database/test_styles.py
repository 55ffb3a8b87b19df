"""The artist's own presets and small facts."""

from __future__ import annotations

import pytest

from imagegen_desktop.database.connection import Library
from imagegen_desktop.database.facts import get_fact, set_fact
from imagegen_desktop.database.styles import Styles
from imagegen_desktop.domain.errors import BadInput, NotFound
from imagegen_desktop.domain.style import StylePreset


def test_presets_are_kept_replaced_and_removed(library: Library) -> None:
    styles = Styles(library)
    ink = StylePreset(name="Ink", title="Ink", prompt="{prompt}, ink", negative_prompt="colour", guidance=6.5, steps=12)
    styles.save(ink)
    styles.save(StylePreset(name="chalk"))
    assert styles.list() == (StylePreset(name="chalk"), ink)
    styles.save(StylePreset(name="ink", prompt="ink {prompt}"))
    assert [style.prompt for style in styles.list()] == ["{prompt}", "ink {prompt}"]
    styles.remove("INK")
    assert [style.name for style in styles.list()] == ["chalk"]
    with pytest.raises(NotFound):
        styles.remove("ink")
    with pytest.raises(BadInput):
        styles.save(StylePreset(name="bad", prompt="no place for the prompt"))


def test_facts_are_remembered_by_name(library: Library) -> None:
    assert get_fact(library, "queue paused", "no") == "no"
    set_fact(library, "queue paused", "yes")
    set_fact(library, "queue paused", "\U0001f512")
    assert get_fact(library, "queue paused") == "\U0001f512"
