"""The thumbnail cache: there when it can be, never in the way when it cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagegen_desktop.database.thumbnails import Thumbnails


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Thumbnails]:
    thumbnails = Thumbnails(tmp_path / "cache" / "thumbnails.sqlite3", "library one")
    yield thumbnails
    thumbnails.close()


def test_what_was_put_is_there_and_the_rest_is_left_out(cache: Thumbnails) -> None:
    cache.put(1, b"one")
    cache.put_many({2: b"two", 2000: b"\0\xff"})
    cache.put(1, b"one again")
    assert cache.get_many([2000, 1, 5]) == {2000: b"\0\xff", 1: b"one again"}
    assert cache.get_many(range(3000)) == {1: b"one again", 2: b"two", 2000: b"\0\xff"}


def test_any_thread_may_ask(cache: Thumbnails) -> None:
    threads = [threading.Thread(target=cache.put, args=(n, b"%d" % n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.get_many(range(8))) == 8


def test_the_numbers_of_another_library_mean_nothing_here(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails.sqlite3"
    for library, expected in (("one", {}), ("one", {1: b"x"}), ("two", {})):
        cache = Thumbnails(path, library)
        assert cache.get_many([1]) == expected
        cache.put(1, b"x")
        cache.close()


def test_a_damaged_cache_is_simply_made_again(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails.sqlite3"
    path.write_bytes(b"garbage" * 1000)
    cache = Thumbnails(path, "one")
    cache.put(1, b"x")
    assert cache.get_many([1]) == {1: b"x"}
    cache.close()
