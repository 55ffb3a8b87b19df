"""LoRAs, another VAE and ControlNets on the prompt pane."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QProgressBar, QPushButton, QSlider, QToolButton
from safetensors.numpy import save_file

from imagegen_desktop.domain.request import Control, GenerationRequest, LoraWeight, SourceImage
from imagegen_desktop.services import image_encoders
from imagegen_desktop.services.announce import ModelsChanged
from imagegen_desktop.services.estimators import missing, offered
from imagegen_desktop.ui.panes.control_row import ControlRow
from imagegen_desktop.ui.panes.image_prompt_row import ImagePromptRow
from imagegen_desktop.ui.panes.lora_row import LoraRow
from imagegen_desktop.ui.panes.picture_row import PictureRow, PictureWell
from tests.fake_hub import FakeHub, weights_of
from tests.pictures import png
from tests.ui.conftest import Opened, Studio
from tests.weights.headers import write


def put_lora(home: Path, name: str, words: str = "") -> None:
    side = numpy.zeros((4, 8), numpy.float32)
    tensors = {
        "lora_unet_down_blocks_0_attn.lora_down.weight": side,
        "lora_unet_down_blocks_0_attn.lora_up.weight": side.T.copy(),
    }
    (home / "models").mkdir(parents=True, exist_ok=True)
    save_file(tensors, home / "models" / f"{name}.safetensors", {"modelspec.trigger_phrase": words} if words else None)


def put_controlnet(home: Path) -> None:
    weights = {"controlnet_cond_embedding.conv_in.weight": numpy.zeros((2, 3, 3, 3), numpy.float32)}
    save_file(weights, home / "models" / "shapes.safetensors")


@pytest.fixture
def stocked(home: Path, open_studio: Opened) -> Studio:
    put_lora(home, "ink", "ink drawing")
    put_lora(home, "wash")
    put_controlnet(home)
    studio = open_studio()
    button = studio.find(QToolButton, "addLoraButton")
    studio.until(button.isEnabled)
    return studio


def add_lora(studio: Studio, name: str) -> LoraRow:
    menu = studio.find(QToolButton, "addLoraButton").menu()
    next(action for action in menu.actions() if action.text() == name).trigger()
    return next(row for row in studio.window.findChildren(LoraRow) if row.name == name)


def test_loras_of_the_library_are_added_weighed_and_taken_off(stocked: Studio) -> None:
    pane = stocked.window.panes.prompt
    ink, wash = add_lora(stocked, "ink"), add_lora(stocked, "wash")
    ink.findChild(QSlider).setValue(80)
    assert pane.request().loras == (LoraWeight(name="ink", weight=0.8), LoraWeight(name="wash"))
    wash.findChild(QToolButton).click()
    assert pane.request().loras == (LoraWeight(name="ink", weight=0.8),)


def test_a_trigger_word_goes_into_the_prompt_once(stocked: Studio) -> None:
    words = stocked.find(QPlainTextEdit, "promptEdit")
    words.setPlainText("a fox")
    chip = next(chip for chip in add_lora(stocked, "ink").findChildren(QPushButton) if chip.text() == "ink drawing")
    chip.click()
    chip.click()
    assert words.toPlainText() == "a fox, ink drawing"


def test_what_made_another_picture_comes_back_and_what_is_gone_says_so(stocked: Studio) -> None:
    made = GenerationRequest(prompt="x", loras=(LoraWeight(name="ink", weight=0.5), LoraWeight(name="lost")))
    pane = stocked.window.panes.prompt
    pane.show_request(made)
    assert pane.request().loras == (LoraWeight(name="ink", weight=0.5),)
    lost = next(row for row in stocked.window.findChildren(LoraRow) if row.name == "lost")
    assert not lost.findChild(QSlider).isEnabled()
    assert lost.findChild(QSlider).toolTip() == "lost is not in the library."


def test_a_controlnet_acts_when_it_has_a_picture(stocked: Studio) -> None:
    pane = stocked.window.panes.prompt
    stocked.find(QToolButton, "addControlButton").click()
    row = stocked.window.findChild(ControlRow)
    assert pane.request().controls == ()
    picture = QImage(64, 48, QImage.Format.Format_RGB888)
    picture.fill(0x336699)
    row.picture_dropped.emit(picture)
    stocked.until(lambda: bool(pane.request().controls))
    control = pane.request().controls[0]
    assert (control.model, control.image.width, control.image.height) == ("shapes", 64, 48)
    kinds = row.findChild(QComboBox, "preparationCombo")
    kinds.setCurrentIndex(kinds.findData("canny"))
    assert pane.request().controls[0].preparation == "canny"


def test_a_row_may_go_while_its_picture_is_read(stocked: Studio) -> None:
    asked, read = threading.Event(), threading.Event()
    keep = stocked.parts.sources.keep

    def slowly(picture: Path | bytes) -> SourceImage:
        asked.set()
        assert read.wait(10)
        return keep(picture)

    stocked.parts.sources.keep = slowly  # type: ignore[method-assign,assignment]
    stocked.find(QToolButton, "addControlButton").click()
    row = stocked.window.findChild(ControlRow)
    picture = QImage(64, 48, QImage.Format.Format_RGB888)
    row.picture_dropped.emit(picture)
    assert asked.wait(10)
    gone: list[bool] = []
    row.destroyed.connect(lambda: gone.append(True))
    row.findChild(QToolButton, "removePictureButton").click()
    del row
    stocked.until(lambda: bool(gone))
    read.set()
    stocked.find(QToolButton, "addControlButton").click()
    other = stocked.window.findChild(ControlRow)
    other.picture_dropped.emit(picture)
    stocked.until(lambda: bool(stocked.window.panes.prompt.request().controls))
    assert stocked.faults == []


def put_ip_adapter(home: Path) -> None:
    tensors = {"image_proj.proj.weight": (96, 24), "ip_adapter.1.to_k_ip.weight": (8, 24)}
    write(home / "models" / "styles.safetensors", tensors)
    lonely = {"image_proj.proj.weight": (96, 1024), "ip_adapter.1.to_k_ip.weight": (8, 24)}
    write(home / "models" / "lonely.safetensors", lonely)
    wide = {"image_proj.proj.weight": (96, 24), "ip_adapter.1.to_k_ip.weight": (8, 2048)}
    write(home / "models" / "another.safetensors", wide)
    encoder = {"vision_model.embeddings.class_embedding": (32,), "visual_projection.weight": (24, 32)}
    write(home / "models" / "encoder.safetensors", encoder)


def test_a_picture_says_what_to_draw_through_an_ip_adapter_that_can_be_used(home: Path, open_studio: Opened) -> None:
    put_lora(home, "ink")
    put_ip_adapter(home)
    studio = open_studio()
    pane, button = studio.window.panes.prompt, studio.find(QToolButton, "addImagePromptButton")
    studio.until(button.isEnabled)
    button.click()
    row = studio.window.findChild(ImagePromptRow)
    picture = QImage(48, 64, QImage.Format.Format_RGB888)
    picture.fill(0x993366)
    row.picture_dropped.emit(picture)
    studio.until(lambda: bool(pane.request().image_prompts))
    said = pane.request().image_prompts[0]
    assert (said.model, said.image.width, said.weight, said.start, said.end) == ("styles", 48, 1.0, 0.0, 1.0)
    combo = row.findChild(QComboBox, "imagePromptCombo")
    combo.setCurrentIndex(combo.findData("lonely"))
    assert pane.request().image_prompts == ()
    assert "lonely looks at pictures through a CLIP ViT-H image encoder" in combo.toolTip()
    combo.setCurrentIndex(combo.findData("another"))
    assert pane.request().image_prompts == ()
    assert combo.toolTip() == "another was made for another kind of model."
    made = GenerationRequest(prompt="x", image_prompts=(replace(said, weight=0.4, end=0.5),))
    pane.show_request(made)
    assert pane.request().image_prompts == made.image_prompts
    shown = studio.window.findChildren(ImagePromptRow)[-1]
    shown.findChild(QToolButton, "removePictureButton").click()
    assert pane.request().image_prompts == ()


def test_a_missing_image_encoder_is_fetched_where_it_is_named(
    home: Path, open_studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely = {"image_proj.proj.weight": (96, 1024), "ip_adapter.1.to_k_ip.weight": (8, 24)}
    write(home / "models" / "lonely.safetensors", lonely)
    config = {"architectures": ["CLIPVisionModelWithProjection"], "projection_dim": 1024, "hidden_size": 1280}
    with FakeHub() as hub:
        for _, network in image_encoders.offered():
            files = {"config.json": json.dumps(config).encode(), "model.safetensors": weights_of(bytes(200_000))}
            hub.add(network.id, files)
        monkeypatch.setenv("HF_ENDPOINT", hub.origin)
        studio = open_studio()
        pane, button = studio.window.panes.prompt, studio.find(QToolButton, "addImagePromptButton")
        studio.until(button.isEnabled)
        button.click()
        row = studio.window.findChild(ImagePromptRow)
        row.picture_dropped.emit(QImage(48, 64, QImage.Format.Format_RGB888))
        studio.until(lambda: "Needs CLIP ViT-H: 2.5 GB, licence Apache-2.0" in words(row))
        assert hub.requests == []
        assert pane.request().image_prompts == ()
        fetching(row).click()
        studio.until(lambda: bool(pane.request().image_prompts))
        assert pane.request().image_prompts[0].model == "lonely"
        studio.until(row.needed.isHidden)


def test_a_network_that_is_not_here_stays_unchosen_until_it_comes(home: Path, stocked: Studio) -> None:
    pane = stocked.window.panes.prompt
    picture = stocked.parts.sources.keep(png(64, 64))
    made = GenerationRequest(prompt="x", controls=(Control(model="lost", image=picture),))
    pane.show_request(made)
    row = stocked.window.findChildren(ControlRow)[-1]
    combo = row.findChild(QComboBox, "controlCombo")
    assert pane.request().controls == ()
    assert combo.toolTip() == "lost is not in the library."
    weights = {"controlnet_cond_embedding.conv_in.weight": numpy.zeros((2, 3, 3, 3), numpy.float32)}
    save_file(weights, home / "models" / "lost.safetensors")
    stocked.parts.models.refresh()
    stocked.parts.announce.publish(ModelsChanged())
    stocked.until(lambda: pane.request().controls == made.controls)


def test_without_any_the_buttons_say_why(studio: Studio) -> None:
    for name in ("addLoraButton", "addControlButton", "addImagePromptButton"):
        button = studio.find(QToolButton, name)
        studio.until(lambda button=button: "drop its file on the window" in button.toolTip())
        assert not button.isEnabled()


def test_a_lora_dropped_on_the_window_can_be_added_at_once(studio: Studio, tmp_path: Path) -> None:
    put_lora(tmp_path, "fresh")
    studio.window.model_dropped.emit(tmp_path / "models" / "fresh.safetensors")
    button = studio.find(QToolButton, "addLoraButton")
    studio.until(button.isEnabled)
    assert add_lora(studio, "fresh").value() == LoraWeight(name="fresh")


def controlled(studio: Studio, preparation: str) -> ControlRow:
    """A row of a ControlNet with that choice made."""
    button = studio.find(QToolButton, "addControlButton")
    studio.until(button.isEnabled)
    button.click()
    row = studio.window.findChildren(ControlRow)[-1]
    choose_preparation(row, preparation)
    return row


def choose_preparation(row: ControlRow, preparation: str) -> None:
    kinds = row.findChild(QComboBox, "preparationCombo")
    kinds.setCurrentIndex(kinds.findData(preparation))


def fetching(row: PictureRow) -> QPushButton:
    return row.needed.findChild(QPushButton, "fetchNetworksButton")


def words(row: PictureRow) -> str:
    return "" if row.needed.isHidden() else row.needed.findChild(QLabel).text()


def test_what_a_pose_needs_is_offered_fetched_and_shown_in_place(
    home: Path, open_studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_controlnet(home)
    with FakeHub() as hub:
        for each in offered().values():
            kind = {"depth-estimator": "DepthAnythingForDepthEstimation", "person-detector": "RTDetrForObjectDetection"}
            config = {"architectures": [kind.get(each.kind, "VitPoseForPoseEstimation")]}
            files = {"config.json": json.dumps(config).encode(), "preprocessor_config.json": b"{}"}
            hub.add(each.id, files | {"model.safetensors": weights_of(bytes(200_000))})
        monkeypatch.setenv("HF_ENDPOINT", hub.origin)
        studio = open_studio()
        row = controlled(studio, "pose")
        studio.until(lambda: "RT-DETR, ViTPose: 516 MB, licence Apache-2.0" in words(row))
        assert hub.requests == []
        hub.longest, gate = 65_536, hub.gate("flowing")
        fetching(row).click()
        assert gate.reached.wait(10)
        bar = row.needed.findChild(QProgressBar)
        studio.until(lambda: not bar.isHidden() and " of 400 kB" in words(row))
        assert fetching(row).isHidden()
        choose_preparation(row, "canny")
        studio.until(row.needed.isHidden)
        gate.opened.set()
        hub.longest = 1 << 60
        choose_preparation(row, "pose")
        studio.until(lambda: not missing(studio.parts.models, "pose"))
        studio.until(row.needed.isHidden)
        choose_preparation(row, "depth")
        studio.until(lambda: "Depth Anything" in words(row) and fetching(row).isEnabled())


def test_without_a_network_the_offer_says_so_in_place(
    home: Path, open_studio: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_controlnet(home)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    studio = open_studio()
    row = controlled(studio, "depth")
    studio.until(lambda: "Needs Depth Anything" in words(row))
    fetching(row).click()
    studio.until(lambda: fetching(row).text() == "Try again")
    assert "127.0.0.1" in words(row)


def test_a_look_says_when_it_is_not_what_the_network_is_shown(home: Path, open_studio: Opened, tmp_path: Path) -> None:
    put_controlnet(home)
    studio = open_studio()
    row = controlled(studio, "depth")
    (tmp_path / "hills.png").write_bytes(png(64, 64))
    row.show_source(studio.parts.sources.keep(tmp_path / "hills.png"))
    shown = [label for label in row.findChildren(QLabel) if label.parent() is row.findChild(PictureWell)]
    studio.until(lambda: [label.text() for label in shown if not label.isHidden()] == ["seen when drawn"])
    choose_preparation(row, "canny")
    studio.until(lambda: all(label.isHidden() for label in shown))
