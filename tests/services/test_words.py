"""Wildcards and weights on their way through composing, drawing, saving and searching."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagegen_desktop.domain.errors import BadInput
from imagegen_desktop.domain.job import JobState
from imagegen_desktop.services.assemble import Parts
from tests.services.test_runner import wish


@pytest.fixture
def colours(parts: Parts) -> Path:
    file = parts.home.wildcards / "colours.txt"
    file.write_text("crimson\nturquoise\nochre\nviolet\n")
    return file


def test_every_image_of_a_batch_has_its_seeds_words(parts: Parts, colours: Path) -> None:
    request = parts.compose.complete(wish("a {big|small} __colours__ cat", count=20))
    assert len(request.prompts) == 20
    assert len(set(request.prompts)) > 4
    assert request.negative_prompts == ()
    for index in (0, 7, 19):
        alone = parts.compose.complete(wish("a {big|small} __colours__ cat", seed=5 + index))
        assert alone.prompts == (request.prompts[index],)
        assert request.only(index).full_prompt == request.prompts[index]


def test_plain_words_are_left_alone(parts: Parts) -> None:
    request = parts.compose.complete(wish("a {plain} cat, (red:1.2) [a|b] __nobody__", count=3))
    assert request.prompts == request.negative_prompts == ()
    assert parts.compose.fitted(request).notes == ("no wildcard file is called nobody: it stays as it is",)


def test_template_and_words_are_kept_and_found(parts: Parts, colours: Path) -> None:
    job = parts.runner.run(parts.queue.add(wish("a __colours__ {cat|dog}", count=3), owner=parts.runner.owner))
    assert job.state is JobState.DONE, job.error
    for image in parts.gallery.page():
        assert image.request.prompt == "a __colours__ {cat|dog}"
        [words] = image.request.prompts
        assert words == job.request.prompts[image.index]
        found = parts.gallery.settings_of(parts.gallery.file(image)).as_request()
        assert (found.prompt, found.prompts) == (image.request.prompt, (words,))
        colour = words.split()[1]
        assert image.id in [each.id for each in parts.gallery.page(query=colour)]
        assert image.id in [each.id for each in parts.gallery.page(query="colours")]


def test_an_edited_job_gets_new_words(parts: Parts, colours: Path) -> None:
    job = parts.queue.add(wish("a __colours__ cat"))
    parts.queue_edits.edit([job.id], prompt="a plain cat")
    assert parts.queue.get(job.id).request.prompts == ()
    parts.queue_edits.edit([job.id], prompt="a {tall|short} cat", seed=9)
    again = parts.compose.complete(wish("a {tall|short} cat", seed=9))
    assert parts.queue.get(job.id).request.prompts == again.prompts != ()


def test_files_in_a_circle_are_refused_and_nothing_is_queued(parts: Parts) -> None:
    (parts.home.wildcards / "a.txt").write_text("__b__\n")
    (parts.home.wildcards / "b.txt").write_text("__a__\n")
    with pytest.raises(BadInput, match="a → b → a"):
        parts.queue.add(wish("__a__"))
    assert parts.queue.jobs() == []


def test_a_variation_without_a_seed_gets_one(parts: Parts) -> None:
    request = parts.compose.complete(wish(variation_strength=0.2))
    assert request.variation_seed is not None
    assert parts.compose.complete(request) == request
    with pytest.raises(BadInput):
        parts.compose.complete(wish(variation_seed=4))
    with pytest.raises(BadInput):
        parts.compose.complete(wish(tiling="z"))


def test_the_line_others_read_says_what_was_read(parts: Parts) -> None:
    asked = wish("a {cat|dog}", clip_skip=2, tiling="both", variation_seed=7, variation_strength=0.25)
    parts.runner.run(parts.queue.add(asked, owner=parts.runner.owner))
    [image] = parts.gallery.page()
    text = parts.gallery.file(image).read_bytes()
    for said in (
        b"Clip skip: 2",
        b"Tiling: both",
        b"Variation seed: 7",
        b"Variation seed strength: 0.25",
        b"{cat|dog}",
    ):
        assert said in text
    assert image.request == replace(parts.compose.complete(asked), count=1)
