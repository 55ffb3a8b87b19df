"""A model file dropped on the window: known at once, or one line about what it is and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from tests.ui.conftest import Studio
from tests.weights.headers import write
from tests.weights.hostile import payloads
from tests.weights.layouts import CLIP, VAE, unet

LORA = {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 768)}


def drop(target: QWidget, path: Path) -> bool:
    """Drags the file in and lets it go; whether it was taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    actions, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(QPointF(9, 9).toPoint(), actions, mime, button, keys)
    entered.ignore()
    target.dragEnterEvent(entered)
    if entered.isAccepted():
        target.dropEvent(QDropEvent(QPointF(9, 9), actions, mime, button, keys))
    return entered.isAccepted()


@pytest.mark.parametrize("name", ["cat.safetensors", "Cat.SAFETENSORS", "cat.gguf", "old.ckpt", "old.pt"])
def test_a_canvas_leaves_models_to_the_window(studio: Studio, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    assert not drop(studio.window.panes.stage.canvas, tmp_path / name)
    assert drop(studio.window, tmp_path / name)
    studio.until(lambda: "is empty" in studio.window.panes.stage.messages.text())


def test_a_dropped_lora_is_here(studio: Studio, tmp_path: Path) -> None:
    assert drop(studio.window, write(tmp_path / "cat.safetensors", LORA))
    studio.until(lambda: "cat is here" in studio.window.panes.stage.messages.text())
    assert [card.name for card in studio.parts.models.extras("lora")] == ["cat"]


def test_what_a_dropped_checkpoint_lacks_is_said(studio: Studio, tmp_path: Path) -> None:
    path = write(tmp_path / "mine.safetensors", {**unet(), **CLIP, **VAE})
    assert drop(studio.window, path)
    studio.until(lambda: "configs and tokenizers" in studio.window.panes.stage.messages.text())
    path.unlink()


def test_a_dropped_pickle_stays_closed_and_is_named(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "old.ckpt").write_bytes(payloads(tmp_path / "CANARY")["system"])
    assert drop(studio.window, tmp_path / "old.ckpt")
    studio.until(lambda: "is a pickle" in studio.window.panes.stage.messages.text())
    assert not (tmp_path / "CANARY").exists()
