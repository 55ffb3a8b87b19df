"""The models window: getting a model from a hub, what is here, what is broken, and taking one away with undo."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
)

from imagegen_desktop.paths import resources
from imagegen_desktop.services.recommended import Machine, best_of, read_recommended
from imagegen_desktop.ui.getting import first_offer
from tests.fake_hub import FakeHub, pipeline_files, weights_of
from tests.ui.conftest import Opened, Studio
from tests.weights.headers import write

ID = "paper-makers/fresh"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub() as server:
        server.add(ID, pipeline_files())
        monkeypatch.setenv("HF_ENDPOINT", server.origin)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield server


def dialog_of(studio: Studio) -> QDialog:
    studio.window.actions_["models"].trigger()
    return studio.find(QDialog, "modelsDialog")


def button(dialog: QDialog, text: str) -> QAbstractButton | None:
    return next((one for one in dialog.findChildren(QAbstractButton) if one.text() == text and one.isEnabled()), None)


def says(dialog: QDialog, words: str) -> bool:
    return any(words in label.text() for label in dialog.findChildren(QLabel) if not label.isHidden())


def press(studio: Studio, dialog: QDialog, text: str) -> None:
    studio.until(lambda: button(dialog, text) is not None)
    found = button(dialog, text)
    assert found is not None
    found.click()


def look_up(studio: Studio, dialog: QDialog, text: str) -> None:
    edit = dialog.findChild(QLineEdit, "modelIdEdit")
    assert edit is not None
    edit.setText(text)
    press(studio, dialog, "Look it up")


def fetch(dialog: QDialog) -> QPushButton:
    found = dialog.findChild(QPushButton, "fetchModelButton")
    assert found is not None
    return found


def test_a_model_is_looked_at_fetched_and_offered_at_once(studio: Studio, hub: FakeHub) -> None:
    dialog = dialog_of(studio)
    look_up(studio, dialog, ID)
    studio.until(lambda: fetch(dialog).isEnabled())
    assert fetch(dialog).text().startswith("Download 2")
    assert says(dialog, "Licence: openrail++")
    assert hub.sent == 0
    fetch(dialog).click()
    combo = studio.find(QComboBox, "modelCombo")
    studio.until(lambda: combo.findText("fresh") >= 0)
    studio.until(lambda: says(dialog, "fresh is here."))
    press(studio, dialog, "Use it")
    studio.until(lambda: studio.window.top_bar.model() == "fresh")


def test_what_is_used_with_a_model_is_not_offered_in_its_place(studio: Studio, hub: FakeHub, tmp_path: Path) -> None:
    shapes = {"lora_unet_x.lora_down.weight": (8, 32), "lora_unet_x.lora_up.weight": (32, 8)}
    hub.add("paper-makers/ink", {"ink.safetensors": write(tmp_path / "ink.safetensors", shapes).read_bytes()})
    dialog = dialog_of(studio)
    look_up(studio, dialog, "paper-makers/ink")
    studio.until(lambda: fetch(dialog).isEnabled())
    fetch(dialog).click()
    studio.until(lambda: says(dialog, "ink.safetensors is here."))
    assert [card.kind for card in studio.parts.models.everything() if card.name == "ink"] == ["lora"]
    assert button(dialog, "Use it") is None


def test_a_download_is_paused_gone_on_with_and_cancelled(studio: Studio, hub: FakeHub) -> None:
    dialog = dialog_of(studio)
    hub.longest = 65_536
    gate = hub.gate("flowing")
    look_up(studio, dialog, ID)
    studio.until(lambda: fetch(dialog).isEnabled())
    fetch(dialog).click()
    assert gate.reached.wait(10)
    press(studio, dialog, "Pause")
    studio.until(lambda: says(dialog, " · paused"))
    gate.opened.set()
    assert dialog.findChildren(QProgressBar)[0].value() > 0
    cancel = next(one for one in dialog.findChildren(QAbstractButton) if one.accessibleName().startswith("Cancel the"))
    cancel.click()
    studio.until(lambda: studio.parts.downloads.all() == [])
    studio.until(lambda: button(dialog, "Go on") is None)


@pytest.mark.parametrize(("text", "words"), [("nobody/nothing", "has no model"), ("gated/paper", "accept its licence")])
def test_what_the_hub_refuses_is_said_in_place(studio: Studio, hub: FakeHub, text: str, words: str) -> None:
    hub.add("gated/paper", pipeline_files(), gated="auto")
    dialog = dialog_of(studio)
    look_up(studio, dialog, text)
    studio.until(lambda: says(dialog, words))


def test_a_model_is_put_into_the_bin_and_comes_back(studio: Studio, hub: FakeHub) -> None:
    parts = studio.parts
    done = parts.downloads.wait(parts.downloads.start(parts.downloads.look(ID)).key)
    card = next(card for card in parts.models.everything() if card.name == "fresh")
    combo = studio.find(QComboBox, "modelCombo")
    studio.until(lambda: combo.findText("fresh") >= 0)
    dialog = dialog_of(studio)
    studio.until(lambda: says(dialog, "fresh"))
    dialog.here.remove_requested.emit(card)  # type: ignore[attr-defined]
    studio.until(lambda: combo.findText("fresh") < 0)
    studio.until(studio.window.actions_["undo"].isEnabled)
    studio.window.actions_["undo"].trigger()
    studio.until(lambda: combo.findText("fresh") >= 0)
    assert done.path == card.path


def test_what_an_ip_adapter_lacks_is_fetched_from_its_row(home: Path, open_studio: Opened, hub: FakeHub) -> None:
    lonely = {"image_proj.proj.weight": (96, 1024), "ip_adapter.1.to_k_ip.weight": (8, 24)}
    write(home / "models" / "lonely.safetensors", lonely)
    config = {"architectures": ["CLIPVisionModelWithProjection"], "projection_dim": 1024, "hidden_size": 1280}
    files = {"config.json": json.dumps(config).encode(), "model.safetensors": weights_of(bytes(200_000))}
    hub.add("InvokeAI/ip_adapter_sd_image_encoder", files)
    studio = open_studio()
    dialog = dialog_of(studio)
    press(studio, dialog, "Fetch what is missing")
    studio.until(lambda: not studio.parts.models.extra("ip-adapter", "lonely").missing)
    studio.until(lambda: button(dialog, "Fetch what is missing") is None)


def test_a_checksum_is_shown_and_can_be_copied(studio: Studio, hub: FakeHub) -> None:
    parts, dialog = studio.parts, dialog_of(studio)
    parts.downloads.wait(parts.downloads.start(parts.downloads.look(ID)).key)
    card = next(card for card in parts.models.everything() if card.name == "fresh")
    studio.until(lambda: says(dialog, "fresh is here."))
    dialog.here.checksum_wanted.emit(card)  # type: ignore[attr-defined]
    wanted = hashlib.sha256(hub.repositories[ID].files["unet/diffusion_pytorch_model.safetensors"]).hexdigest()
    studio.until(lambda: says(dialog, wanted))


def test_what_cannot_be_opened_says_why(studio: Studio) -> None:
    broken = studio.parts.home.models / "torn.safetensors"
    broken.write_bytes(b"\xff" * 64)
    studio.parts.models.refresh()
    dialog = dialog_of(studio)
    studio.until(lambda: says(dialog, "Cannot be opened") and says(dialog, "torn"))


def test_every_row_of_a_large_library_is_shown(studio: Studio) -> None:
    dialog = dialog_of(studio)
    card = studio.parts.models.all()[0]
    studio.until(lambda: says(dialog, card.path))
    dialog.here.show_models([card] * 100, {}, "", frozenset())  # type: ignore[attr-defined]
    studio.until(lambda: sum(label.text() == card.path for label in dialog.findChildren(QLabel)) >= 100)


def test_the_first_canvas_offers_a_better_model_and_leads_to_it(studio: Studio) -> None:
    better = studio.find(QPushButton, "betterModelButton")
    assert better.isHidden()  # there is a model of the artist's own
    studio.window.panes.stage.welcome.show_better("Stable Diffusion XL")
    assert "Stable Diffusion XL" in better.text() and not better.isHidden()
    better.click()
    dialog = studio.find(QDialog, "modelsDialog")
    edit = dialog.findChild(QLineEdit, "modelIdEdit")
    assert edit is not None
    studio.until(edit.isVisible)


def test_only_who_has_our_model_alone_is_offered_a_better_one() -> None:
    models = read_recommended(resources() / "models" / "recommended.toml")
    card = Machine(memory_bytes=12 * 10**9, has_gpu=True)
    assert first_offer((models, card, True)) == "Stable Diffusion XL"
    assert first_offer((models, card, False)) == ""
    assert first_offer((models, Machine(memory_bytes=0, has_gpu=False), True)) == ""


def test_the_recommended_fit_the_machine() -> None:
    models = read_recommended(resources() / "models" / "recommended.toml")
    gb = 10**9
    wanted = {
        Machine(memory_bytes=4 * gb, has_gpu=False): None,
        Machine(memory_bytes=16 * gb, has_gpu=False): "sd1",
        Machine(memory_bytes=8 * gb, has_gpu=True): "sdxl",
        Machine(memory_bytes=16 * gb, has_gpu=True): "zimage",
        Machine(memory_bytes=80 * gb, has_gpu=True): "qwen",
    }
    for machine, family in wanted.items():
        best = best_of(models, machine)
        assert (best.family if best is not None else None) == family
    assert all(not model.gated or "account" in model.about for model in models)


def test_what_a_file_says_of_its_licence_and_its_making_is_shown(home: Path, open_studio: Opened) -> None:
    told = {"modelspec.license": "CC-BY-4.0", "modelspec.author": "Ana"}
    write(home / "models" / "ink.safetensors", {"x.lora_down.weight": (8, 32)}, told)
    studio = open_studio()
    dialog = dialog_of(studio)
    studio.until(lambda: says(dialog, "CC-BY-4.0"))
    card = next(text for text in dialog.findChildren(QPlainTextEdit) if text.accessibleName() == "Model card of ink")
    assert card.toPlainText() == "By: Ana\nLicence: CC-BY-4.0"
