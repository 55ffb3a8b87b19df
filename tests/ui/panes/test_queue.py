"""The queue's rows and cards: order, dragging, progress, errors with their remedy."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from imagegen_desktop.domain.job import Job, JobError, JobState
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.protocol.messages import Started, Step
from imagegen_desktop.ui.panes.queue import QueuePane
from imagegen_desktop.ui.panes.queue_card import QueueCard
from imagegen_desktop.ui.panes.queue_items import JOB, PACE, QueueItems
from imagegen_desktop.ui.theme import Theme


def job(name: str, state: JobState = JobState.QUEUED, count: int = 1) -> Job:
    request = GenerationRequest(prompt=f"picture {name}", width=64, height=64, steps=10, guidance=4.0, count=count)
    return Job(id=name, state=state, request=request)


@pytest.fixture
def items(qtbot: QtBot, theme: Theme) -> QueueItems:
    return QueueItems(theme)


def test_rows_are_the_jobs_in_order(items: QueueItems, qtmodeltester: ModelTester) -> None:
    items.show_jobs([job("a", JobState.RUNNING), job("b"), job("c", JobState.DONE)])
    qtmodeltester.check(items)
    assert [items.index(row).data(JOB).id for row in range(items.rowCount())] == ["a", "b", "c"]


def test_only_waiting_jobs_can_be_dragged(items: QueueItems) -> None:
    items.show_jobs([job("a", JobState.RUNNING), job("b"), job("c", JobState.PAUSED), job("d", JobState.DONE)])
    draggable = [bool(items.index(row).flags() & Qt.ItemFlag.ItemIsDragEnabled) for row in range(4)]
    assert draggable == [False, True, True, False]


@pytest.mark.parametrize(("dragged", "row", "place"), [("c", 1, 0), ("b", 3, 1), ("b", -1, 2), ("d", 2, 1)])
def test_a_drop_wishes_a_place_among_the_waiting(
    items: QueueItems, qtbot: QtBot, dragged: str, row: int, place: int
) -> None:
    items.show_jobs([job("a", JobState.RUNNING), job("b"), job("c"), job("d")])
    mime = items.mimeData([items.index(items.row_of(dragged))])
    with qtbot.waitSignal(items.move_requested) as wish:
        items.dropMimeData(mime, Qt.DropAction.MoveAction, row, 0, QModelIndex())
    assert wish.args == [dragged, place]


def test_a_running_job_has_a_pace_until_it_ends(items: QueueItems) -> None:
    running = job("a", JobState.RUNNING, count=2)
    items.show_jobs([running])
    items.show_event("a", Started(job="a", index=0, steps=10))
    items.show_event("a", Step(job="a", index=0, step=5, steps=10, seconds=0.1))
    assert items.index(0).data(PACE).share == pytest.approx(0.25)
    items.show_jobs([replace(running, state=JobState.DONE)])
    assert items.index(0).data(PACE) is None


def test_a_card_grows_with_what_went_wrong_and_its_button_retries(qtbot: QtBot, theme: Theme) -> None:
    pane = QueuePane(theme)
    qtbot.addWidget(pane)
    pane.resize(300, 400)
    pane.show()
    error = JobError(kind="out_of_memory", message="Needs 9.1 GB, 7.8 GB are free.", advice="Try a smaller size.")
    pane.show_jobs([job("a"), replace(job("b", JobState.FAILED), error=error)])
    view = pane.findChild(QAbstractItemView, "queueView")
    plain, failed = (view.visualRect(view.model().index(row, 0)) for row in range(2))
    assert failed.height() > plain.height() + 40
    with qtbot.waitSignal(pane.retry_requested) as wish:
        spot = failed.bottomLeft()
        spot.setX(60)
        spot.setY(failed.bottom() - 24)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert wish.args == ["b"]


@pytest.mark.parametrize("wrong", [False, True], ids=["well", "in trouble"])
@pytest.mark.parametrize("state", JobState)
def test_no_part_of_a_card_lies_over_another(qtbot: QtBot, theme: Theme, state: JobState, wrong: bool) -> None:
    pane = QueuePane(theme)
    qtbot.addWidget(pane)
    pane.resize(300, 400)
    error = JobError(kind="engine_died", message="The engine was killed.", advice="The job is tried again.")
    shown = replace(job("a", state), error=error if wrong else None)
    pane.show_jobs([shown])
    view = pane.findChild(QAbstractItemView, "queueView")
    cards = view.itemDelegate()
    assert isinstance(cards, QueueCard)
    rects = cards.rects(view.visualRect(view.model().index(0, 0)), shown)
    parts = {name: rect for name, rect in vars(rects).items() if name != "card" and not rect.isEmpty()}
    assert ("error" in parts) == wrong
    for one, other in itertools.combinations(parts, 2):
        assert not parts[one].intersects(parts[other]), f"{one} lies over {other}"
    assert all(rects.card.contains(rect) for rect in parts.values())


def test_delete_cancels_what_is_selected(qtbot: QtBot, theme: Theme) -> None:
    pane = QueuePane(theme)
    qtbot.addWidget(pane)
    pane.show_jobs([job("a"), job("b", JobState.DONE)])
    view = pane.findChild(QAbstractItemView, "queueView")
    view.selectAll()
    with qtbot.waitSignal(pane.cancel_requested) as wish:
        qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert wish.args == [["a"]]
