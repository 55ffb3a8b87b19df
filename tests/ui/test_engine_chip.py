"""The engine chip: one engine as ever, several told apart, those nobody needed left out."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.engine_status import EngineStatus
from imagegen_desktop.ui.theme import Theme
from imagegen_desktop.ui.widgets.engine_chip import EngineChip


def card(number: int, state: str = "ready", used: float = 0.0) -> EngineStatus:
    return EngineStatus(
        number=number,
        state=state,
        device=f"cuda:{number}",
        device_name=f"Card {number}",
        memory_total=80 * 10**9,
        memory_used=int(used * 10**9),
    )


def test_one_engine_is_shown_without_a_number(qtbot: QtBot, theme: Theme) -> None:
    chip = EngineChip(theme)
    qtbot.addWidget(chip)
    chip.show_status(card(0, "busy", 3))
    assert chip.text().startswith("GPU · drawing")
    chip.show_status(EngineStatus(number=1, state="stopped"))
    assert chip.text().startswith("GPU · drawing"), "an engine that nobody needed is not shown"
    assert chip.toolTip() == "Card 0"


def test_each_of_several_is_shown_with_its_memory(qtbot: QtBot, theme: Theme) -> None:
    chip = EngineChip(theme)
    qtbot.addWidget(chip)
    chip.show_status(card(0, "busy", 3))
    chip.show_status(card(1, "ready", 12))
    assert "GPU 0 · drawing · 3.0 GB" in chip.text()
    assert "GPU 1 · ready · 12.0 GB" in chip.text()
    chip.show_status(EngineStatus(number=1, state="restarting", device="cuda:1", message="It crashed."))
    assert "Engine is restarting…" in chip.text()
    assert "Card 0" in chip.toolTip() and "It crashed." in chip.toolTip()


def test_many_are_counted(qtbot: QtBot, theme: Theme) -> None:
    chip = EngineChip(theme)
    qtbot.addWidget(chip)
    for number in range(8):
        chip.show_status(card(number, "busy" if number < 3 else "ready"))
    assert chip.text() == "8 engines · 3 drawing"
    assert len(chip.toolTip().splitlines()) == 8
