"""The library file: transactions, threads, several processes, and what is said when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from imagegen_desktop.database import connection
from imagegen_desktop.database.connection import Library, check_sqlite, open_library
from imagegen_desktop.database.facts import get_fact, library_id, set_fact
from imagegen_desktop.database.failures import Damaged, in_plain_words
from imagegen_desktop.database.jobs import Jobs
from imagegen_desktop.domain.errors import DatabaseProblem, DiskProblem, Problem


def test_every_guard_is_set_on_both_kinds_of_connection(library: Library) -> None:
    wanted = {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000, "trusted_schema": 0,
        "cell_size_check": 1, "mmap_size": 0, "journal_size_limit": 64 * 2**20, "application_id": 0x49474454,
    }  # fmt: skip
    for found in (library.write(lambda db: _pragmas(db, wanted)), library.read(lambda db: _pragmas(db, wanted))):
        assert found == wanted


def _pragmas(db: Any, names: Any) -> dict[str, Any]:
    return {name: db.pragma(name) for name in names}


def test_an_old_sqlite_is_refused() -> None:
    with pytest.raises(DatabaseProblem, match=r"3\.51\.2"):
        check_sqlite((3, 51, 2))
    check_sqlite((3, 51, 3))


def test_readers_cannot_write(library: Library) -> None:
    with pytest.raises(DiskProblem):
        library.read(lambda db: db.execute_sql("DELETE FROM facts"))


def test_a_failed_write_leaves_nothing(library: Library) -> None:
    def half(db: Any) -> None:
        db.execute_sql("INSERT INTO facts VALUES ('half', 'done')")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        library.write(half)
    assert get_fact(library, "half", "nothing") == "nothing"
    set_fact(library, "whole", "yes")
    assert get_fact(library, "whole") == "yes"


def test_writes_of_many_threads_are_all_there(library: Library) -> None:
    def count(db: Any) -> None:
        db.execute_sql("INSERT INTO facts VALUES ('n', '1') ON CONFLICT DO UPDATE SET value = value + 1")

    threads = [threading.Thread(target=lambda: [library.write(count) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get_fact(library, "n") == "40"


def test_a_write_inside_a_write_belongs_to_it(library: Library) -> None:
    def outer(db: Any) -> None:
        set_fact(library, "inner", "1")
        assert get_fact(library, "inner") == "1"
        raise KeyError

    with pytest.raises(KeyError):
        library.write(outer)
    assert get_fact(library, "inner") == ""


def test_changes_of_another_process_are_noticed_and_our_own_are_not(library: Library) -> None:
    set_fact(library, "ours", "1")
    assert not library.changed_elsewhere()
    _in_another_process(library.path, "set_fact(library, 'theirs', '2')")
    assert library.changed_elsewhere()
    assert not library.changed_elsewhere()
    assert get_fact(library, "theirs") == "2"


def test_many_processes_may_make_the_same_library_at_once(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    children = [_start(path, f"set_fact(library, 'from {n}', '1')") for n in range(6)]
    assert [child.wait(30) for child in children] == [0] * 6
    with open_library(path, tmp_path / "backups") as library:
        assert all(get_fact(library, f"from {n}") == "1" for n in range(6))
        assert len(library_id(library)) == 32


def test_close_finishes_what_was_asked_and_ends_every_connection(tmp_path: Path) -> None:
    before = threading.active_count()
    library = open_library(tmp_path / "library.sqlite3", tmp_path / "backups")
    pending = [
        library.write_soon(lambda db, n=n: db.execute_sql("INSERT INTO facts VALUES (?, '')", (f"f{n}",)))
        for n in range(20)
    ]
    library.close()
    assert all(future.done() and not future.exception() for future in pending)
    assert threading.active_count() == before
    library.close()
    with pytest.raises(DatabaseProblem, match="closed"):
        library.write(lambda db: None)
    with pytest.raises(DatabaseProblem, match="closed"):
        library.read(lambda db: None)
    assert not (tmp_path / "library.sqlite3-wal").exists()


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    garbage = b"these are not the bytes of a database" * 100
    path.write_bytes(garbage)
    with open_library(path, tmp_path / "backups") as library:
        set_fact(library, "works", "yes")
    assert [file.read_bytes() for file in tmp_path.glob("library-corrupt-*")] == [garbage]


def test_what_another_process_has_open_is_not_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "library.sqlite3"
    monkeypatch.setattr(connection, "ALONE_SECONDS", 0.1)
    with open_library(path, tmp_path / "backups"):
        Path(f"{path}-wal").unlink()
        path.write_bytes(b"garbage!" * 1000)
        with pytest.raises(DatabaseProblem, match="damaged") as caught:
            open_library(path, tmp_path / "backups")
        assert "start it again" in caught.value.advice
        assert not list(tmp_path.glob("library-corrupt-*"))
    open_library(path, tmp_path / "backups").close()
    assert len(list(tmp_path.glob("library-corrupt-*.sqlite3"))) == 1


def test_many_processes_may_find_the_damage_at_once(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    path.write_bytes(b"garbage!" * 1000)
    children = [_start(path, f"set_fact(library, 'from {n}', '1')") for n in range(6)]
    assert [child.wait(30) for child in children] == [0] * 6
    with open_library(path, tmp_path / "backups") as library:
        assert all(get_fact(library, f"from {n}") == "1" for n in range(6))
    assert len(list(tmp_path.glob("library-corrupt-*"))) == 1


_MANY_STARTS = """
import multiprocessing, sys
from pathlib import Path
from imagegen_desktop.database.connection import open_library

def start(together):
    for number in range(20):
        home = Path(sys.argv[1]) / str(number)
        together.wait(30)
        open_library(home / "library.sqlite3", home / "backups").close()

fork = multiprocessing.get_context("fork")
together = fork.Barrier(8)
children = [fork.Process(target=start, args=[together]) for _ in range(8)]
for child in children:
    child.start()
for child in children:
    child.join()
sys.exit(sum(child.exitcode != 0 for child in children))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork there")
def test_many_processes_may_make_the_library_at_the_same_moment(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", _MANY_STARTS, str(tmp_path)]).returncode == 0


def test_a_write_waits_for_another_program_to_finish(library: Library) -> None:
    other = apsw.Connection(str(library.path))
    other.execute("BEGIN IMMEDIATE; INSERT INTO facts VALUES ('theirs', '1')")
    ours = library.write_soon(lambda db: db.execute_sql("INSERT INTO facts VALUES ('ours', '1')"))
    other.execute("COMMIT")
    ours.result(5)
    other.close()
    assert get_fact(library, "theirs") == get_fact(library, "ours") == "1"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (apsw.FullError("full"), DiskProblem, "full"),
        (apsw.IOError("disk I/O error"), DiskProblem, "fails"),
        (apsw.ReadOnlyError("no"), DiskProblem, "cannot be written"),
        (apsw.BusyError("locked"), DatabaseProblem, "in use by another program"),
        (apsw.CorruptError("malformed"), Damaged, "damaged"),
        (apsw.SQLError("no such table"), DatabaseProblem, "refused"),
    ],
)
def test_each_trouble_has_its_own_words(error: apsw.Error, kind: type[Problem], words: str) -> None:
    problem = in_plain_words(error, Path("home/library.sqlite3"))
    assert type(problem) is kind
    assert words in problem.message
    assert problem.advice


@pytest.mark.skipif(os.name != "posix", reason="limits of a process")
def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    """A file size limit makes SQLite fail to write as a full disk does."""
    path = tmp_path / "library.sqlite3"
    open_library(path, tmp_path / "backups").close()
    _in_another_process(
        path,
        "import resource, signal\n"
        "    from imagegen_desktop.domain.errors import DiskProblem\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    set_fact(library, 'before', '1')\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "    try:\n"
        "        set_fact(library, 'too much', 'x' * 1_000_000)\n"
        "    except DiskProblem:\n"
        "        set_fact(library, 'after', '1')\n",
    )
    with open_library(path, tmp_path / "backups") as library:
        assert [get_fact(library, name) for name in ("before", "too much", "after")] == ["1", "", "1"]


def test_jobs_survive_a_kill_right_after_they_were_accepted(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite3"
    child = _start(
        path,
        "import os\n"
        "    from imagegen_desktop.database.jobs import Jobs\n"
        "    from imagegen_desktop.domain.job import Job, JobState\n"
        "    from imagegen_desktop.domain.request import GenerationRequest\n"
        "    Jobs(library).add([Job(id='a', state=JobState.QUEUED, request=GenerationRequest(prompt='x'))])\n"
        "    os.kill(os.getpid(), 9)\n",
    )
    assert child.wait(30) == -9
    with open_library(path, tmp_path / "backups") as library:
        assert [job.id for job in Jobs(library).list()] == ["a"]


def _start(path: Path, statements: str) -> subprocess.Popen[bytes]:
    program = (
        "from pathlib import Path\n"
        "from imagegen_desktop.database.connection import open_library\n"
        "from imagegen_desktop.database.facts import set_fact\n"
        f"with open_library(Path({str(path)!r}), Path({str(path.parent / 'backups')!r})) as library:\n"
        f"    {statements}\n"
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=Path(__file__).parents[2])


def _in_another_process(path: Path, statements: str) -> None:
    assert _start(path, statements).wait(30) == 0
