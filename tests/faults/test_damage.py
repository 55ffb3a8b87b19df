"""A damaged library: the program starts, every picture is there again, and the damaged file is kept."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagegen_desktop.cli import run
from imagegen_desktop.database.failures import Damaged
from imagegen_desktop.domain.errors import DatabaseProblem
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.imaging.encode import encode_png
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe
from imagegen_desktop.providers.base import Capabilities
from imagegen_desktop.services.announce import Announcement, Notice
from imagegen_desktop.services.assemble import Parts
from tests.faults.lives import check_database
from tests.faults.scripted import ScriptedProvider, new_home, opened, wish

PAGE = 4096
Damage: TypeAlias = Callable[[Path], None]


def lived_in(root: Path, backed_up: bool = True) -> Path:
    """A home with three pictures of before the backup, two of after it, and a job that waits."""
    home = new_home(root)
    parts = opened(home)
    try:
        draw(parts, "before", 3)
        parts.queue.add(wish("waits", priority=-5))
        parts.gallery.rate([parts.gallery.page()[0].id], 5)
        if backed_up:
            assert parts.housekeeping.back_up(datetime.now(UTC))
        draw(parts, "after", 2)
    finally:
        parts.close()
    return home


def draw(parts: Parts, prompt: str, count: int) -> None:
    job = parts.queue.add(wish(prompt, count=count, priority=5))
    while parts.queue.get(job.id).state is not JobState.DONE:
        assert parts.runner.work_once()


def start(home: Path) -> Parts:
    """As the window does; where that finds the damage only while reading, the next start puts it right."""
    for _ in range(2):
        said: list[Announcement] = []
        parts = None
        try:
            parts = opened(home)
            parts.announce.subscribe(said.append)
            parts.begin()
            list(parts.gallery.page(limit=1000)), parts.queue.jobs()
            if not damaged([notice for notice in said if isinstance(notice, Notice)]):
                return parts
        except Damaged:
            pass
        if parts is not None:
            parts.close()
    parts = opened(home)
    parts.begin()
    return parts


def damaged(notices: list[Notice]) -> bool:
    return any(re.fullmatch("The library .* is damaged.", notice.text) for notice in notices)


def check(home: Path, pictures: int = 5) -> None:
    parts = start(home)
    try:
        images = parts.gallery.page(limit=1000)
        assert sorted(image.path for image in images) == files(home), "every picture is there, each once"
        assert len(images) == pictures
        assert not any(image.missing for image in images)
        draw(parts, "works again", 1)
    finally:
        parts.close()
    check_database(home / "library.sqlite3")


def files(home: Path) -> list[str]:
    return sorted(file.relative_to(home).as_posix() for file in (home / "images").rglob("*.png"))


def kept(home: Path) -> list[Path]:
    return sorted(home.glob("library-corrupt-*.sqlite3"))


def zero_the_header(library: Path) -> None:
    library.write_bytes(bytes(100) + library.read_bytes()[100:])


def cut_in_half(library: Path) -> None:
    library.write_bytes(library.read_bytes()[: library.stat().st_size // 2])


def fill_with_garbage(library: Path) -> None:
    library.write_bytes(b"garbage!" * 5000)


def empty(library: Path) -> None:
    library.write_bytes(b"")


def rename_a_table(library: Path) -> None:
    library.write_bytes(library.read_bytes().replace(b"CREATE TABLE jobs (", b"CREATE TABLE jobz ("))


def spoil_an_index(library: Path) -> None:
    spoil(library, "sqlite_autoindex_facts_1")


BROKEN: tuple[Damage, ...] = (
    zero_the_header, cut_in_half, fill_with_garbage, empty, rename_a_table, spoil_an_index,
)  # fmt: skip


@pytest.fixture
def home(home: Path) -> Path:
    return lived_in(home)


@pytest.mark.parametrize("damage", BROKEN)
def test_the_window_starts_and_tells_in_numbers_what_came_back(home: Path, damage: Damage) -> None:
    library = home / "library.sqlite3"
    damage(library)
    broken = library.read_bytes()
    parts = opened(home)
    said: list[Announcement] = []
    parts.announce.subscribe(said.append)
    try:
        parts.begin()
        told = [notice for notice in said if isinstance(notice, Notice) and "put right:" in notice.text]
        assert [notice.text for notice in told if "pictures" in notice.text] == [
            "The library was damaged and has been put right: 3 pictures from the backup of "
            f"{datetime.now().astimezone():%Y-%m-%d}, 2 pictures from their files."
        ]
        (aside,) = kept(home)
        assert told[-1].advice == f"The damaged file is kept as {aside.name}."
        assert aside.read_bytes() == broken
        assert [image.rating for image in parts.gallery.page()].count(5) == 1, "what only the library knows"
        assert [job.request.prompt for job in parts.queue.jobs() if job.state is JobState.QUEUED] == ["waits"]
        assert {image.request.prompt for image in parts.gallery.page()} == {"before", "after"}
    finally:
        parts.close()
    check(home)
    assert len(kept(home)) == 1, "nothing is set aside twice"


@pytest.mark.parametrize("damage", BROKEN)
def test_the_command_line_puts_it_right_in_one_line(
    home: Path, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(home / "library.sqlite3")
    assert run(["gallery", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count('"path"') == 5
    assert len(err.splitlines()) == 1
    assert "3 pictures from the backup of" in err
    assert "2 pictures from their files. The damaged file is kept as library-corrupt-" in err
    assert run(["gallery", "list", "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_without_a_backup_everything_comes_from_the_files(tmp_path: Path) -> None:
    home = lived_in(tmp_path / "other", backed_up=False)
    zero_the_header(home / "library.sqlite3")
    check(home)
    assert len(kept(home)) == 1


def test_a_deleted_library_comes_back(home: Path) -> None:
    (home / "library.sqlite3").unlink()
    check(home)
    assert not kept(home)


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_large_library_comes_back_in_a_minute_for_ten_thousand(
    tmp_path: Path, fault_count: int, is_sealed: bool
) -> None:
    count = 20 * fault_count
    folder = tmp_path / "images" / "2026" / "11"
    folder.mkdir(parents=True)
    for number in range(count):
        recipe = Recipe(request=wish(f"picture {number}"), image=f"i{number}", job=f"j{number}")
        data = encode_png(Picture(width=16, height=16, rgb=bytes(768)), recipe)
        # Without its seal a file has to be decoded, as all were before there was one.
        (folder / f"{number}.png").write_bytes(data if is_sealed else data + b"!")
    parts = opened(tmp_path)
    try:
        began = time.monotonic()
        assert len(parts.housekeeping.reconcile().adopted) == count
        took = time.monotonic() - began
        assert parts.gallery.count() == count
    finally:
        parts.close()
    assert took < 2 + 60 * count / 10_000
    print(f"{count} pictures back in {took:.1f} s, {took / count * 1000:.2f} ms each")


def test_a_damaged_backup_is_passed_over(home: Path) -> None:
    newer = home / "backups" / f"library-{datetime.now(UTC) + timedelta(hours=1):%Y%m%dT%H%M%SZ}.sqlite3"
    newer.write_bytes(b"SQLite format 3\0 but not really" * 300)
    fill_with_garbage(home / "library.sqlite3")
    check(home)


def test_a_newer_library_is_left_alone(home: Path) -> None:
    library = home / "library.sqlite3"
    connection = apsw.Connection(str(library))
    connection.pragma("user_version", 99)
    connection.close()
    before = library.read_bytes()
    with pytest.raises(DatabaseProblem, match="newer version"):
        opened(home)
    assert library.read_bytes() == before
    assert not kept(home)


def test_damage_met_while_working_is_said_and_mended_at_the_next_start(home: Path) -> None:
    library = home / "library.sqlite3"
    parts = opened(home)
    try:
        spoil(library, "images")
        with pytest.raises(DatabaseProblem, match="damaged") as caught:
            parts.gallery.page()
        assert "start it again" in caught.value.advice
    finally:
        parts.close()
    check(home)
    assert len(kept(home)) == 1


def spoil(library: Path, table: str) -> None:
    """Overwrites the first page of a table's rows."""
    connection = apsw.Connection(str(library))
    page = next(connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)))[0]
    connection.close()
    data = bytearray(library.read_bytes())
    data[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    library.write_bytes(data)


def test_a_job_done_since_the_backup_is_not_done_again(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    parts = opened(home)
    job = parts.queue.add(wish("once", count=2))
    parts.housekeeping.back_up(datetime.now(UTC))
    draw(parts, "another", 1)
    while parts.runner.work_once():
        pass
    parts.close()
    fill_with_garbage(home / "library.sqlite3")
    provider = ScriptedProvider()
    drawn: list[str] = []
    provider.at_step = (1, drawn.append)
    parts = opened(home, provider)
    try:
        parts.begin()
        while parts.runner.work_once():
            pass
        assert parts.queue.get(job.id).state is JobState.DONE
        assert not drawn
        assert parts.gallery.count() == 3
    finally:
        parts.close()


def test_what_a_job_of_after_the_backup_left_half_done_stays_for_a_day(home: Path) -> None:
    unknown = home / "snapshots" / "lost-0.safetensors"
    fill_with_garbage(home / "library.sqlite3")
    unknown.write_bytes(b"half a picture")
    start(home).close()
    assert unknown.exists()
    note = home / "library.sqlite3-restored"
    note.write_text((datetime.now(UTC) - timedelta(days=1)).isoformat())
    start(home).close()
    assert not unknown.exists()


def test_what_was_binned_since_the_backup_stays_in_the_bin(home: Path) -> None:
    parts = opened(home)
    old = parts.gallery.page()[-1]
    parts.gallery.delete([old.id])
    parts.close()
    fill_with_garbage(home / "library.sqlite3")
    parts = start(home)
    try:
        assert old.id not in {image.id for image in parts.gallery.page()}
        parts.gallery.restore([old.id])
        assert not parts.gallery.get(old.id).missing
        assert parts.gallery.count() == 5
    finally:
        parts.close()


def test_a_picture_moved_to_another_folder_is_found_again(home: Path) -> None:
    parts = opened(home)
    image = parts.gallery.page()[0]
    target = home / "images" / "best" / "a fox.png"
    target.parent.mkdir()
    parts.gallery.file(image).rename(target)
    try:
        parts.begin()
        assert parts.gallery.file(parts.gallery.get(image.id)) == target
        assert not parts.gallery.get(image.id).missing
        assert parts.gallery.count() == 5
    finally:
        parts.close()


class Paid(ScriptedProvider):
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), paid=True)


def test_a_paid_job_that_may_have_been_done_since_the_backup_waits_for_the_artist(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    parts = opened(home)
    job = parts.queue.add(wish("paid"))
    parts.housekeeping.back_up(datetime.now(UTC))
    parts.close()
    fill_with_garbage(home / "library.sqlite3")
    parts = opened(home, Paid())
    try:
        parts.begin()
        assert not parts.runner.work_once()
        held = parts.queue.get(job.id)
        assert held.state is JobState.PARKED
        assert held.error is not None
        assert held.error.kind == "uncertain"
        parts.queue.retry(job.id)
        assert parts.queue.get(job.id).state is JobState.QUEUED
    finally:
        parts.close()


class Interrupted(Paid):
    """Asked about its prices, it lets another process put the library right first."""

    other: Parts | None = None

    def capabilities(self) -> Capabilities:
        other, self.other = self.other, None
        if other is not None:
            other.putting_right.finish()
        return super().capabilities()


def test_two_processes_may_put_the_same_library_right(tmp_path: Path) -> None:
    home = new_home(tmp_path / "home")
    parts = opened(home)
    jobs = parts.queue.add_many([wish(f"paid {number}") for number in range(3)])
    parts.housekeeping.back_up(datetime.now(UTC))
    parts.close()
    fill_with_garbage(home / "library.sqlite3")
    provider = Interrupted()
    first, other = opened(home, provider), opened(home, Paid())
    try:
        provider.other = other
        first.putting_right.finish()
        assert vars(provider)["other"] is None, "it came in between"
        assert {first.queue.get(job.id).state for job in jobs} == {JobState.PARKED}
    finally:
        first.close()
        other.close()


Spoiled = tuple[str, int, bytes]

damages = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 10**9), st.binary(min_size=1, max_size=64)),
        st.tuples(st.just("page"), st.integers(0, 10**9), st.binary(min_size=8, max_size=8)),
        st.tuples(st.just("cut"), st.integers(0, 10**9), st.just(b"")),
        st.tuples(st.just("journal"), st.just(0), st.binary(min_size=32, max_size=64)),
    ),
    min_size=1,
    max_size=16,
)


def spoil_by_chance(library: Path, wishes: list[Spoiled]) -> None:
    data = bytearray(library.read_bytes())
    version = data[60:64]
    for kind, place, what in wishes:
        if kind == "write" and data:
            at = place % len(data)
            data[at : at + len(what)] = what[: len(data) - at]
        elif kind == "page" and data:
            at = place % len(data) // PAGE * PAGE
            data[at : at + PAGE] = (what * (PAGE // 8))[: len(data) - at]
        elif kind == "cut":
            del data[place % (len(data) + 1) :]
        elif kind == "journal":
            library.with_name(library.name + "-wal").write_bytes(what * 300)
    if 0 < int.from_bytes(data[60:64]) <= 10_000 and len(data) > 64:
        data[60:64] = version  # a library of another version is another matter
    library.write_bytes(data)


def test_whatever_the_damage_every_picture_is_there_again(
    tmp_path_factory: pytest.TempPathFactory, fault_count: int
) -> None:
    """As often as asked, each another damage."""
    whole = lived_in(tmp_path_factory.mktemp("whole"))
    replaced = 0

    @settings(
        max_examples=2 * fault_count,
        deadline=None,
        derandomize=fault_count < 50,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(damages)
    def try_one(wishes: list[Spoiled]) -> None:
        nonlocal replaced
        home = tmp_path_factory.mktemp("damaged") / "home"
        shutil.copytree(whole, home)
        spoil_by_chance(home / "library.sqlite3", wishes)
        check(home)
        replaced += len(kept(home))
        shutil.rmtree(home)

    try_one()
    assert replaced
    print(f"{2 * fault_count} damages, {replaced} libraries set aside")
