"""A better prompt: by a language model over both interfaces, or by rule; streamed, compared, never in the way."""

from __future__ import annotations

import json
import threading

import pytest

from imagegen_desktop.domain.prompt_advice import PROSE, TAGS, advise
from imagegen_desktop.domain.request import GenerationRequest
from imagegen_desktop.domain.word_diff import ADDED, REMOVED, SAME, Change, word_diff
from imagegen_desktop.services.assemble import Parts
from tests.fake_openai import WORDS, FakeOpenAI


def wish(prompt: str = "a red fox", **changes: object) -> GenerationRequest:
    return GenerationRequest(**({"prompt": prompt, "model": "paper"} | changes))  # type: ignore[arg-type]


def test_openai_streams_a_suggestion_with_its_difference(parts: Parts, openai: FakeOpenAI) -> None:
    heard: list[str] = []
    suggestion = parts.enhancer.suggest(wish(style="watercolor"), heard.append)
    assert suggestion is not None
    assert suggestion.text == WORDS
    assert suggestion.source == "gpt-6-luna at OpenAI"
    assert len(heard) == len(WORDS.split()) and heard[-1].strip() == WORDS
    assert suggestion.changes == (Change(SAME, "a red fox"), Change(ADDED, WORDS.removeprefix("a red fox")))
    asked = openai.seen("/responses")[0].json
    assert (asked["model"], asked["input"], asked["store"], asked["stream"]) == ("gpt-6-luna", "a red fox", False, True)
    assert "commas" in asked["instructions"] and "Watercolor" in asked["instructions"]
    assert parts.ledger.accounts()["openai"].month.known == pytest.approx((100 * 0.10 + 20 * 0.50) / 1e6)


def test_prose_for_models_that_read_prose(parts: Parts, openai: FakeOpenAI) -> None:
    parts.enhancer.suggest(wish(provider="openai", model=None))
    assert "sentences" in openai.seen("/responses")[0].json["instructions"]


def test_any_compatible_server_without_a_key(parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    openai.needs_key = False
    parts.settings.set("writer_endpoint", openai.url)
    parts.settings.set("writer_model", "llama")
    suggestion = parts.enhancer.suggest(wish())
    assert suggestion is not None
    assert (suggestion.text, suggestion.source) == (WORDS, f"llama at {openai.url}")
    [asked] = openai.seen("/chat/completions")
    assert "Authorization" not in asked.headers
    assert asked.json["messages"][1] == {"role": "user", "content": "a red fox"}


@pytest.mark.parametrize("own", [False, True], ids=["responses", "chat completions"])
def test_servers_that_do_not_stream(parts: Parts, openai: FakeOpenAI, own: bool) -> None:
    openai.streams = False
    if own:
        openai.needs_key = False
        parts.settings.set("writer_endpoint", openai.url)
    suggestion = parts.enhancer.suggest(wish())
    assert suggestion is not None and suggestion.text == WORDS


def test_without_a_key_the_rules_help_and_say_so(
    parts: Parts, openai: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    suggestion = parts.enhancer.suggest(wish())
    assert suggestion is not None
    assert suggestion.source == "built in"
    assert suggestion.text.startswith("a red fox, ")
    assert "no key" in suggestion.notes[0]
    assert openai.requests == []


@pytest.mark.parametrize("fault", ["401", "500", "closed", "nonsense", "empty", "error event", "endless"])
def test_a_model_that_fails_is_no_obstacle(parts: Parts, openai: FakeOpenAI, fault: str) -> None:
    openai.fault = fault
    suggestion = parts.enhancer.suggest(wish())
    assert suggestion is not None
    assert suggestion.source == "built in"
    assert "built-in rules" in suggestion.notes[0]


def test_cancel_ends_it_at_once(parts: Parts, openai: FakeOpenAI) -> None:
    gate = openai.gate("words")
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(parts.enhancer.suggest(wish())))
    asking.start()
    assert gate.reached.wait(10)
    parts.enhancer.cancel()
    asking.join(5)
    assert answers == [None]


def test_rules_keep_the_words_the_language_and_what_was_thought_of() -> None:
    tags = advise("a red fox", TAGS)
    assert tags.startswith("a red fox, ") and tags == advise("a red fox", TAGS)
    prose = advise("a red fox", PROSE)
    assert prose.startswith("a red fox. ") and prose.endswith(".")
    german = advise("ein roter Fuchs im Schnee", TAGS)
    assert german.startswith("ein roter Fuchs im Schnee, ") and not any(
        word in german for word in ("light", "mood", "palette", "camera")
    )
    for foreign in ("un renard dans la neige", "赤い狐", "лиса в снегу", "ثعلب أحمر"):
        assert advise(foreign, TAGS) == foreign
    lit = advise("a red fox at golden hour, calm mood, pastel palette, macro lens, wide view", TAGS)
    assert lit == "a red fox at golden hour, calm mood, pastel palette, macro lens, wide view"
    assert "lens" not in advise("a red fox", TAGS, style="watercolor") and "depth" not in advise("x", TAGS, "ink")
    assert advise("a red circle", TAGS, vocabulary={"red", "circle"}) == "a red circle"


def test_a_difference_can_be_put_together_again_both_ways() -> None:
    pairs = [("a red fox", WORDS), ("", "new"), ("old words", ""), ("a  b,c", "a b, c"), ("same", "same")]
    for old, new in pairs:
        changes = word_diff(old, new)
        assert "".join(change.text for change in changes if change.kind != ADDED) == old
        assert "".join(change.text for change in changes if change.kind != REMOVED) == new
    json.dumps([vars(change) for change in word_diff("a", "b")])
