"""Files in the home folder: saved whole, never over another, binned and brought back, swept and measured."""

from __future__ import annotations

import hashlib
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen_desktop.domain.errors import BadInput, DiskProblem, NotFound
from imagegen_desktop.storage.base import SavedFile, Storage
from imagegen_desktop.storage.durable import rename_without_overwriting, write_durably
from imagegen_desktop.storage.local import LocalStorage
from imagegen_desktop.storage.names import LONGEST_NAME, tidy_name

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_saved_image_lies_in_its_month(storage: LocalStorage) -> None:
    kept: Storage = storage
    saved = kept.save(b"pixels", "castle.png", NOW)
    assert saved == SavedFile(path="images/2026/11/castle.png", size=6, sha256=hashlib.sha256(b"pixels").hexdigest())
    assert kept.read(saved.path) == b"pixels"
    assert _files(storage.home) == ["images/2026/11/castle.png"]


def test_a_taken_name_is_never_overwritten(storage: LocalStorage) -> None:
    paths = [storage.save(b"%d" % n, "a.png", NOW).path for n in range(3)]
    assert paths == ["images/2026/11/a.png", "images/2026/11/a-2.png", "images/2026/11/a-3.png"]
    assert [storage.read(path) for path in paths] == [b"0", b"1", b"2"]


def test_many_threads_get_many_names(storage: LocalStorage) -> None:
    saved: list[SavedFile] = []
    threads = [
        threading.Thread(target=lambda n=n: saved.append(storage.save(b"%d" % n, "a.png", NOW))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.path for each in saved}) == 8
    assert sorted(storage.read(each.path) for each in saved) == [b"%d" % n for n in range(8)]
    assert len(_files(storage.home)) == 8


def test_the_link_at_a_name_is_not_followed(storage: LocalStorage, tmp_path: Path) -> None:
    folder = tmp_path / "images/2026/11"
    folder.mkdir(parents=True)
    canary = tmp_path / "canary"
    canary.write_bytes(b"safe")
    for name in ("a.png", "a.png.part"):
        (folder / name).symlink_to(canary)
    assert storage.save(b"new", "a.png", NOW).path == "images/2026/11/a-2.png"
    assert canary.read_bytes() == b"safe"


def test_output_files_are_only_overwritten_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out" / "x.png"
    write_durably(path, b"one")
    with pytest.raises(BadInput, match="output file"):
        write_durably(path, b"two")
    assert path.read_bytes() == b"one"
    write_durably(path, b"two", overwrite=True)
    assert path.read_bytes() == b"two"
    assert _files(tmp_path) == ["out/x.png"]


def test_sources_are_kept_once_and_mended(storage: LocalStorage) -> None:
    first = storage.keep_source(b"png")
    assert first == storage.keep_source(b"png")
    path = storage.source_path(first.sha256)
    assert path == storage.home / first.path
    path.write_bytes(b"bad")
    storage.keep_source(b"png")
    assert path.read_bytes() == b"png"
    with pytest.raises(NotFound):
        storage.source_path("../../etc/passwd")


def test_the_bin_and_back(storage: LocalStorage) -> None:
    path = storage.save(b"1", "a.png", NOW).path
    storage.move_to_bin(path)
    assert _files(storage.home) == [f"bin/{path}"]
    with pytest.raises(NotFound):
        storage.read(path)
    assert storage.save(b"2", "a.png", NOW).path != path  # both must fit into the bin
    storage.restore_from_bin(path)
    assert storage.read(path) == b"1"
    with pytest.raises(NotFound):
        storage.restore_from_bin(path)
    with pytest.raises(NotFound):
        storage.move_to_bin("images/none.png")


def test_bringing_back_never_overwrites(storage: LocalStorage) -> None:
    path = storage.save(b"1", "a.png", NOW).path
    storage.move_to_bin(path)
    write_durably(storage.home / path, b"another")
    with pytest.raises(DiskProblem, match="already a file"):
        storage.restore_from_bin(path)
    assert storage.read(path) == b"another"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "images/../../x", "", "a\0b", "."])
def test_no_path_leads_out_of_the_home_folder(storage: LocalStorage, path: str) -> None:
    for act in (storage.read, storage.move_to_bin, storage.restore_from_bin):
        with pytest.raises(NotFound):
            act(path)


def test_sweeping_takes_what_nobody_writes_any_more(storage: LocalStorage) -> None:
    import fcntl

    folder = storage.home / "images/2026/11"
    folder.mkdir(parents=True)
    old = (NOW - timedelta(hours=1)).timestamp()
    for name in ("dead.png.part", "alive.png.part", "young.png.part", "whole.png"):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (old, old))
    os.utime(folder / "young.png.part", (NOW.timestamp(), NOW.timestamp()))
    with (folder / "alive.png.part").open("rb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        assert storage.sweep(NOW) == ["bin/images/2026/11/dead.png.part"]
    assert storage.sweep(NOW) == ["bin/images/2026/11/alive.png.part"]
    assert _files(folder) == ["whole.png", "young.png.part"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(storage: LocalStorage) -> None:
    storage.home.chmod(0o500)
    with pytest.raises(DiskProblem, match=str(storage.home)):
        storage.save(b"x", "a.png", NOW)
    storage.home.chmod(0o700)


def test_a_folder_that_is_a_file_is_named(storage: LocalStorage) -> None:
    (storage.home / "images").write_bytes(b"")
    with pytest.raises(DiskProblem, match="images"):
        storage.save(b"x", "a.png", NOW)


def test_renaming_never_overwrites_even_without_the_one_step_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one_step in (True, False):
        if not one_step:
            monkeypatch.setattr("sys.platform", "freebsd14")
        source, target = tmp_path / "source", tmp_path / "target"
        source.write_bytes(b"new")
        target.write_bytes(b"old")
        assert not rename_without_overwriting(source, target)
        assert (source.read_bytes(), target.read_bytes()) == (b"new", b"old")
        target.unlink()
        assert rename_without_overwriting(source, target)
        assert (source.exists(), target.read_bytes()) == (False, b"new")


@given(st.text(max_size=300))
@example("..")
@example("CON.png")
@example("a/../../b.png")
@example("name. . .png. .")
@example("\ud800.png")
@example("x" * 500 + "\U0001f3f0.png")
@example("." + "e" * 400)
def test_any_text_becomes_a_harmless_name(text: str) -> None:
    name = tidy_name(text)
    assert name == os.path.basename(name) != ""
    assert name not in (".", "..")
    assert len(name.encode()) <= LONGEST_NAME + 12
    assert not set(name) & set('/\\:*?"<>|\0\n\r')
    assert name == name.strip(" .")
    assert name.split(".")[0].upper() not in {"CON", "NUL", "AUX", "PRN", "COM1"}
