"""Every system call of a save fails or kills the process in turn; a file is whole or not there, and we are told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("strace"), reason="strace makes the faults")

WHOLE = b"x" * 100_000
PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from imagegen_desktop.domain.errors import Problem
from imagegen_desktop.storage.local import LocalStorage
sys.stdout.write("ready ")
sys.stdout.flush()
try:
    LocalStorage(Path(sys.argv[1])).save(b"x" * 100_000, "a.png", datetime(2026, 11, 21, tzinfo=UTC))
except Problem as problem:
    sys.exit(f"{problem.kind}: {problem.message} {problem.advice}")
"""


def _save(home: Path, *faults: str) -> tuple[int, str]:
    trace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=write,fsync,renameat2,rename,linkat,mkdir"]
    for fault in faults:
        trace += ["-e", f"inject={fault}"]
    command = [*trace, sys.executable, "-B", "-c", PROGRAM, str(home)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60)
    if "ready" not in done.stdout:
        pytest.skip("strace may not trace here")
    return done.returncode, done.stderr


def _left(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_a_first_failing_fsync_is_made_good_by_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "images/2026/11").mkdir(parents=True)
    assert _save(tmp_path, "fsync:error=EIO:when=1")[0] == 0
    assert _left(tmp_path) == {"a.png": WHOLE}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("fsync:error=EIO:when=1+", "is failing"),
        ("write:error=ENOSPC:when=2", "100,000 bytes are needed"),
        ("write:error=EROFS:when=2", "cannot be written"),
        ("renameat2:error=ENOSPC:when=1", "no space left"),
        ("mkdir:error=EACCES:when=1+", "cannot be written"),
    ],
)
def test_what_the_disk_refuses_is_said_and_nothing_is_left(tmp_path: Path, fault: str, words: str) -> None:
    code, said = _save(tmp_path, fault)
    assert code == 1
    assert "disk: " in said
    assert words in said
    assert str(tmp_path / "images") in said
    assert "Traceback" not in said
    assert _left(tmp_path) == {}


@pytest.mark.parametrize("call", ["write:when=2", "fsync:when=1", "fsync:when=5", "renameat2:when=1"])
def test_a_kill_at_any_call_leaves_a_whole_file_or_none(tmp_path: Path, call: str) -> None:
    name, when = call.split(":")
    code, _ = _save(tmp_path, f"{name}:signal=SIGKILL:{when}")
    assert code != 0
    assert all(data == WHOLE for file, data in _left(tmp_path).items() if not file.endswith(".part"))


def test_a_file_system_without_the_one_step_rename_is_served_too(tmp_path: Path) -> None:
    assert _save(tmp_path, "renameat2:error=EINVAL:when=1+")[0] == 0
    assert _left(tmp_path) == {"a.png": WHOLE}
    without_links = ("renameat2:error=EINVAL:when=1+", "linkat:error=EPERM:when=1+")
    again = tmp_path / "again"
    again.mkdir()
    assert _save(again, *without_links)[0] == 0
    assert _left(again) == {"a.png": WHOLE}
