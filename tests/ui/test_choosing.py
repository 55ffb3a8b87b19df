"""Choosing who draws: what the chosen model cannot do is said, what it costs is shown, what is wrong is mended."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
)

from imagegen_desktop.domain.model_card import ModelCard
from imagegen_desktop.domain.request import GenerationRequest, SourceImage
from imagegen_desktop.providers.base import Provider
from imagegen_desktop.ui.offer import offer_of_card
from tests.ui.conftest import Opened, Studio
from tests.ui.scripted import ScriptedProvider
from tests.ui.scripted_cloud import FLAT, ScriptedCloud
from tests.ui.test_window import draw, gallery_rows


@pytest.fixture
def cloud() -> ScriptedCloud:
    return ScriptedCloud()


@pytest.fixture
def makers(provider: ScriptedProvider, cloud: ScriptedCloud) -> dict[str, Provider]:
    return {"local": provider, "openai": cloud}


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def choose(studio: Studio, combo: str, data: str) -> None:
    """As a person does it: the list's entry is activated."""
    found = studio.find(QComboBox, combo)
    found.setCurrentIndex(found.findData(data))
    found.activated.emit(found.currentIndex())


def test_the_models_are_those_of_the_provider(studio: Studio) -> None:
    models = studio.find(QComboBox, "modelCombo")
    choose(studio, "providerCombo", "openai")
    assert [models.itemText(row) for row in range(models.count())] == ["Flat", "Rich"]
    choose(studio, "modelCombo", "rich")
    choose(studio, "providerCombo", "local")
    assert models.currentText() == "Paper"
    choose(studio, "providerCombo", "openai")
    assert models.currentText() == "Rich"


def test_what_the_model_cannot_do_is_grey_and_says_why(studio: Studio) -> None:
    controls = {
        "seedEdit": QLineEdit, "negativePromptEdit": QPlainTextEdit, "stepsSpin": QSpinBox,
        "guidanceSpin": QDoubleSpinBox, "samplerCombo": QComboBox, "widthSpin": QSpinBox,
    }  # fmt: skip
    choose(studio, "providerCombo", "openai")
    for name, kind in controls.items():
        control = studio.find(kind, name)
        assert not control.isEnabled(), name
        assert control.toolTip() and control.toolTip() == control.accessibleDescription(), name
    choose(studio, "modelCombo", "rich")
    assert [studio.find(kind, name).isEnabled() for name, kind in controls.items()] == [
        True, True, True, False, False, True,
    ]  # fmt: skip
    assert studio.find(QSpinBox, "stepsSpin").maximum() == 12
    choose(studio, "providerCombo", "local")
    assert all(studio.find(kind, name).isEnabled() for name, kind in controls.items())
    assert studio.find(QSpinBox, "stepsSpin").maximum() == 1000
    assert studio.find(QLineEdit, "seedEdit").toolTip().startswith("Empty")


def test_a_model_with_few_sizes_lists_them(studio: Studio, cloud: ScriptedCloud) -> None:
    choose(studio, "providerCombo", "openai")
    sizes = studio.find(QComboBox, "sizeCombo")
    assert [sizes.itemText(row) for row in range(sizes.count())] == ["1024 × 1024", "1536 × 1024", "1024 × 1536"]
    sizes.setCurrentIndex(1)
    sizes.activated.emit(1)
    studio.find(QComboBox, "qualityCombo").setCurrentIndex(2)
    draw(studio, "a lake")
    studio.until(lambda: gallery_rows(studio) == 1)
    request = cloud.assignments[0].job.request
    assert (request.width, request.height, request.quality) == (1536, 1024, "high")
    assert (request.model, request.seed, request.steps, request.sampler) == (FLAT.name, None, None, None)


def test_the_forecast_shows_money(studio: Studio) -> None:
    choose(studio, "providerCombo", "openai")
    studio.find(QPlainTextEdit, "promptEdit").setPlainText("a lake")
    studio.find(QSpinBox, "countSpin").setValue(2)
    line = studio.find(QLabel, "forecastLine")
    studio.until(lambda: line.text() == "about $0.080")
    draw(studio, "a lake")
    studio.until(lambda: line.text() == "about $0.080 · $0.080 today, $0.080 this month")


def test_without_a_key_the_window_says_so_in_place(studio: Studio) -> None:
    health = studio.window.panes.prompt.health
    assert health.text() == ""
    choose(studio, "providerCombo", "openai")
    studio.until(lambda: health.text() == "Cloud needs a key.")
    studio.parts.desk.set_key("openai", "sk-good")
    studio.until(lambda: health.text() == "")
    choose(studio, "providerCombo", "local")


def test_a_refused_key_holds_the_provider_and_offers_the_keys(studio: Studio, cloud: ScriptedCloud) -> None:
    studio.parts.desk.set_key("openai", "sk-old")
    cloud.refusing = True
    choose(studio, "providerCombo", "openai")
    draw(studio, "a lake")
    health = studio.window.panes.prompt.health
    studio.until(lambda: health.text().startswith("Cloud waits: The key is not taken."))
    remedy = next(button for button in health.findChildren(QAbstractButton) if button.text())
    assert remedy.text() == "Enter a key…"
    assert studio.window.panes.stage.messages.text() == "", "what is said in place is not said again"


def test_trouble_with_a_provider_that_is_not_chosen_is_said_on_the_stage(studio: Studio, cloud: ScriptedCloud) -> None:
    studio.parts.desk.set_key("openai", "sk-old")
    cloud.refusing = True
    studio.parts.queue.add(GenerationRequest(prompt="a lake", provider="openai"))
    said = studio.window.panes.stage.messages
    studio.until(lambda: said.text().startswith("Cloud waits: The key is not taken."))
    assert studio.window.panes.prompt.health.text() == ""


def test_the_provider_is_remembered(open_studio: Opened) -> None:
    first = open_studio()
    choose(first, "providerCombo", "openai")
    choose(first, "modelCombo", "rich")
    first.window.close()
    second = open_studio()
    assert second.find(QComboBox, "providerCombo").currentData() == "openai"
    assert second.window.top_bar.model() == "rich"
    choose(second, "providerCombo", "local")


def test_a_size_the_next_model_cannot_make_goes_to_the_nearest(studio: Studio) -> None:
    studio.find(QSpinBox, "widthSpin").setValue(1496)
    studio.find(QSpinBox, "heightSpin").setValue(1000)
    choose(studio, "providerCombo", "openai")
    assert studio.find(QSpinBox, "widthSpin").value() == 1536
    assert studio.find(QSpinBox, "heightSpin").value() == 1024


def test_strength_means_nothing_to_a_model_that_only_looks_at_the_picture(studio: Studio) -> None:
    pane, slider = studio.window.panes.prompt, studio.find(QSlider, "strengthSlider")
    card = ModelCard(name="kontext", path="/kontext", family="flux-kontext", size_bytes=1, width=64, height=64, steps=4)
    pane.show_offer(offer_of_card(card))
    pane.show_source(SourceImage(sha256="0" * 64, width=64, height=64))
    assert not slider.isEnabled()
    assert slider.toolTip() == "kontext looks at the picture and draws a new one; strength counts inside a mask."
    assert pane.request().strength is None
    pane.show_masked(True)
    assert slider.isEnabled()
    assert pane.request().strength == 1.0
    pane.show_masked(False)
    pane.show_offer(offer_of_card(replace(card, family="sd1")))
    assert slider.isEnabled()
    assert pane.request().strength == 0.6
