"""Which files of half-done and finished pictures stay, and which go."""

from __future__ import annotations

import os
from pathlib import Path

from imagegen_desktop.services.snapshots import FINISHED_BYTES, FINISHED_KEPT, Snapshots


def test_the_newest_finished_ones_stay_and_wanted_jobs_keep_theirs(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    for number in range(FINISHED_KEPT + 3):
        place = Path(snapshots.place("job", number))
        place.write_bytes(b"latents")
        os.utime(place, (number + 1, number + 1))
        snapshots.keep("job", number, f"image{number}")
    Path(snapshots.place("wanted", 0)).write_bytes(b"half")
    Path(snapshots.place("forgotten", 0)).write_bytes(b"half")
    snapshots.keep("job", 10_000, "nothing was there")
    snapshots.tidy(lambda job: job == "wanted")
    assert not snapshots.finished("image2")
    assert Path(snapshots.finished("image3")).read_bytes() == b"latents"
    assert snapshots.finished(f"image{FINISHED_KEPT + 2}")
    assert not snapshots.finished("nothing was there")
    assert snapshots.existing("wanted", [0])
    assert not snapshots.existing("forgotten", [0])


def test_large_ones_leave_no_room_for_older_ones(tmp_path: Path) -> None:
    """A second pass's, with the first picture beside the latents."""
    snapshots = Snapshots(tmp_path)
    for number in range(4):
        place = Path(snapshots.place("job", number))
        with place.open("wb") as file:
            file.truncate(FINISHED_BYTES // 3)
        os.utime(place, (number + 1, number + 1))
        snapshots.keep("job", number, f"image{number}")
    snapshots.tidy(lambda job: False)
    assert [number for number in range(4) if snapshots.finished(f"image{number}")] == [1, 2, 3]


def test_what_another_process_took_away_meanwhile_stops_nobody(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "gone.safetensors").symlink_to(tmp_path / "nothing")
    (tmp_path / "job-folder").mkdir()
    Path(snapshots.place("job", 0)).write_bytes(b"half")
    snapshots.tidy(lambda job: False)
    assert not snapshots.existing("job", [0])
