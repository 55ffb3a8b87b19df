"""Wildcard files as artists keep them: text and YAML, in folders, changed while the program runs."""

from __future__ import annotations

import os
from pathlib import Path

from imagegen_desktop.storage.wildcard_files import WildcardFiles


def test_lists_come_from_text_and_yaml_files_in_folders(tmp_path: Path) -> None:
    (tmp_path / "animals").mkdir()
    (tmp_path / "colours.txt").write_text("\ufeffred\n\n# a comment\n  blue  \n", "utf-8")
    (tmp_path / "animals" / "cats.TXT").write_text("lynx\n")
    (tmp_path / "more.yaml").write_text("animals:\n  cats: [tiger, 7]\n  dogs:\n    - poodle\nplain: word\n")
    (tmp_path / "picture.png").write_bytes(b"\0")
    assert WildcardFiles(tmp_path).tables() == {
        "colours": ["red", "blue"],
        "animals/cats": ["lynx", "tiger", "7"],
        "animals/dogs": ["poodle"],
        "plain": ["word"],
    }


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    files = WildcardFiles(tmp_path)
    assert files.tables() == {}
    file = tmp_path / "a.txt"
    file.write_text("one")
    assert files.tables() == {"a": ["one"]}
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    assert files.tables() == {"a": ["two"]}


def test_a_broken_or_huge_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [b\n")
    (tmp_path / "code.yaml").write_text("a: !!python/object/apply:os.system [touch pwned]\n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe word\n")
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(2**30)
    assert list(WildcardFiles(tmp_path).tables()) == ["bytes", "huge"]
    assert WildcardFiles(tmp_path).tables()["huge"] == []
