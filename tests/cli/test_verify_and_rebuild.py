"""`gallery verify` finds whatever does not match, `gallery rebuild` makes the library anew from the files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
import pytest
from PIL import Image

from imagegen_desktop.cli import output, run
from imagegen_desktop.domain.image import GeneratedImage
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.assemble import Parts
from tests.faults.lives import check_database
from tests.faults.scripted import new_home, opened, wish

Change = Callable[[Path], object]


@pytest.fixture
def drawn(home: Path) -> dict[str, GeneratedImage]:
    """A home with four pictures by their prompts: one rated, one tagged, one in the bin."""
    parts = opened(new_home(home))
    try:
        for prompt in ("a fox", "a hare", "an owl", "a newt"):
            draw(parts, prompt)
        ids = {image.request.prompt: image.id for image in parts.gallery.page()}
        parts.gallery.rate([ids["a fox"]], 5)
        parts.gallery.tag([ids["a hare"]], add=["best of", "winter"])
        parts.gallery.delete([ids["a newt"]])
        return {prompt: parts.gallery.get(image) for prompt, image in ids.items()}
    finally:
        parts.close()


def draw(parts: Parts, prompt: str) -> None:
    job = parts.queue.add(wish(prompt))
    while parts.queue.get(job.id).state is not JobState.DONE:
        assert parts.runner.work_once()


def now_there(home: Path) -> dict[str, GeneratedImage]:
    parts = opened(home)
    try:
        return {image.request.prompt: image for image in parts.gallery.page()}
    finally:
        parts.close()


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def forget(home: Path) -> None:
    """As if there had never been a library."""
    for leftover in home.glob("library.sqlite3*"):
        leftover.unlink()
    shutil.rmtree(home / "backups", ignore_errors=True)


def test_a_whole_library_is_whole(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, "gallery", "verify") == (0, [])
    assert run(["gallery", "verify"]) == 0
    assert capsys.readouterr().out == "3 pictures, each with its whole file\n"
    code, found = answer(capsys, "gallery", "rebuild")
    assert (code, found["pictures"], found["complete"]) == (0, 3, True)
    assert not any(found[name] for name in ("adopted", "moved", "corrected", "missing", "damaged", "strangers"))
    assert set(now_there(home).values()) == {image for image in drawn.values() if not image.deleted}


def test_a_deleted_library_comes_back_from_its_files(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str]
) -> None:
    forget(home)
    code, faults = answer(capsys, "gallery", "verify")
    assert code == 1
    assert {fault["problem"] for fault in faults} == {"is not in the library"}
    assert {fault["path"] for fault in faults} == {
        str(home / image.path) for image in drawn.values() if not image.deleted
    }
    code, found = answer(capsys, "gallery", "rebuild")
    assert (code, found["pictures"], len(found["adopted"])) == (0, 3, 3)
    assert answer(capsys, "gallery", "verify") == (0, [])
    for prompt, image in now_there(home).items():
        forgotten = {"rating": 0, "tags": (), "seconds": 0.0, "number": image.number}
        assert image == replace(drawn[prompt], **forgotten)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    ["prompt = 'a cat'", "request = replace(request, 'fox', 'cat')", "width = 7", "file_size = 3", "model = 'other'"],
)
def test_a_row_that_says_something_else_than_its_file_is_corrected(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str], change: str
) -> None:
    connection = apsw.Connection(str(home / "library.sqlite3"))
    connection.execute(f"UPDATE images SET {change} WHERE id = ?", (drawn["a fox"].id,))
    connection.close()
    code, faults = answer(capsys, "gallery", "verify")
    assert code == 1
    assert [(fault["id"], fault["problem"]) for fault in faults] == [
        (drawn["a fox"].id, "is whole, but the library says otherwise")
    ]
    code, found = answer(capsys, "gallery", "rebuild")
    assert (code, found["corrected"]) == (0, [drawn["a fox"].path])
    image = now_there(home)["a fox"]
    assert (image.rating, image.number, image.width) == (5, drawn["a fox"].number, 16)
    assert image.pixels_sha256 == drawn["a fox"].pixels_sha256
    code, listed = answer(capsys, "gallery", "search", "fox")
    assert [row["id"] for row in listed] == [image.id]
    assert answer(capsys, "gallery", "verify") == (0, [])


def break_the_seal(file: Path) -> None:
    """Another program's comment in it; pixels and settings stay."""
    data, chunk = file.read_bytes(), b"tEXta\0b"
    whole_chunk = b"\0\0\0\x03" + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    file.write_bytes(data[:-12] + whole_chunk + data[-12:])


def flip_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    at = data.index(b"IDAT") + 12
    data[at] ^= 1
    file.write_bytes(data)


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def swap(file: Path) -> None:
    other = next(each for each in sorted(file.parent.iterdir()) if each != file)
    file.write_bytes(other.read_bytes())


def strip_the_settings(file: Path) -> None:
    with Image.open(file) as picture:
        picture.load()
        Image.frombytes("RGB", picture.size, picture.convert("RGB").tobytes()).save(file)


def move(file: Path) -> None:
    (file.parent / "best").mkdir()
    file.rename(file.parent / "best" / "fox.png")


def copy(file: Path) -> None:
    shutil.copy(file, file.with_name("copy.png"))


def bring_a_stranger(file: Path) -> None:
    Image.new("RGB", (9, 9)).save(file.with_name("stranger.png"))


def bring_what_is_no_picture(file: Path) -> None:
    file.with_name("text.png").write_text("no picture")
    file.with_name("folder.png").mkdir()


IS_GONE, DAMAGED, OTHERWISE = "is gone", "is damaged", "is whole, but the library says otherwise"
ELSEWHERE, SECOND = "lies elsewhere in the library", "is a second file of a picture"
STRANGER = "is no picture of this program"


@pytest.mark.parametrize(
    ("change", "problems", "broken", "after"),
    [
        (Path.unlink, [IS_GONE], True, [IS_GONE]),
        (flip_a_byte, [DAMAGED], True, [DAMAGED]),
        (cut_off, [DAMAGED], True, [DAMAGED]),
        (swap, [DAMAGED], True, [DAMAGED]),
        (strip_the_settings, [OTHERWISE], True, []),
        (break_the_seal, [OTHERWISE], True, []),
        (move, [ELSEWHERE], True, []),
        (copy, [SECOND], False, [SECOND]),
        (bring_a_stranger, [STRANGER], False, [STRANGER]),
        (bring_what_is_no_picture, [STRANGER, STRANGER], False, [STRANGER, STRANGER]),
    ],
)
def test_whatever_does_not_match_is_found_and_what_can_be_is_mended(
    home: Path,
    drawn: dict[str, GeneratedImage],
    capsys: pytest.CaptureFixture[str],
    change: Change,
    problems: list[str],
    broken: bool,
    after: list[str],
) -> None:
    fox = home / drawn["a fox"].path
    change(fox)
    before = {file: file.read_bytes() for file in (home / "images").rglob("*") if file.is_file()}
    code, faults = answer(capsys, "gallery", "verify")
    assert [fault["problem"] for fault in faults] == problems
    assert code == (1 if broken else 0)
    assert run(["gallery", "verify"]) == code
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(problems)
    assert all(fault["path"] in line for fault, line in zip(faults, lines, strict=True))
    code, _ = answer(capsys, "gallery", "rebuild")
    assert code == (1 if DAMAGED in after else 0)
    code, faults = answer(capsys, "gallery", "verify")
    assert [fault["problem"] for fault in faults] == after
    image = now_there(home)["a fox"]
    assert (image.id, image.rating) == (drawn["a fox"].id, 5), "what only the library knows stays"
    assert {file: file.read_bytes() for file in before} == before, "no file is ever touched"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes with names there")
def test_a_pipe_among_the_pictures_stops_nobody(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(home / "images" / "pipe.png")
    parts = opened(home)
    try:
        parts.begin()
        assert parts.gallery.count() == 3
    finally:
        parts.close()
    code, faults = answer(capsys, "gallery", "verify")
    assert (code, [fault["problem"] for fault in faults]) == (0, [STRANGER])


def test_what_lies_in_the_bin_is_compared_too(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str]
) -> None:
    binned = home / "bin" / drawn["a newt"].path
    flip_a_byte(binned)
    code, faults = answer(capsys, "gallery", "verify")
    assert (code, [(fault["id"], fault["problem"]) for fault in faults]) == (1, [(drawn["a newt"].id, DAMAGED)])
    binned.unlink()
    code, faults = answer(capsys, "gallery", "verify")
    assert (code, [(fault["state"], fault["problem"]) for fault in faults]) == (0, [("warning", IS_GONE)])


def test_an_interrupted_rebuild_leaves_a_whole_library_and_the_next_one_does_the_rest(
    home: Path, drawn: dict[str, GeneratedImage], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(home)
    with monkeypatch.context() as patched:

        def interrupt(bar: output.ProgressBar, label: str, done: int, total: int) -> None:
            assert (label, total) == ("Reading pictures", 3)
            if done == 1:
                os.kill(os.getpid(), signal.SIGINT)

        patched.setattr(output.ProgressBar, "show", interrupt)
        code, found = answer(capsys, "gallery", "rebuild")
    assert code == 130
    assert not found["complete"]
    assert 1 <= found["pictures"] == len(found["adopted"]) < 3
    check_database(home / "library.sqlite3")
    code, found = answer(capsys, "gallery", "rebuild")
    assert (code, found["pictures"], found["complete"]) == (0, 3, True)
    assert answer(capsys, "gallery", "verify") == (0, [])
