"""The tokenizer keeps every word of the world whole and takes any other text."""

import pytest
from starter_training.text_tokens import TEXT_POSITIONS, build_tokenizer, byte_token_count
from starter_world.vocabulary import all_words
from transformers import CLIPTokenizer


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return build_tokenizer(all_words())


def test_every_word_is_one_token(tokenizer: CLIPTokenizer) -> None:
    # CLIP always splits digits from letters.
    words = [word for word in all_words() if word.isalpha()]
    assert [word for word in words if len(tokenizer.tokenize(word)) != 1] == []
    ids = [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(word))[0] for word in words]
    assert len(set(ids)) == len(words)
    assert min(ids) >= byte_token_count() or "a" in words


def test_sentences_come_back(tokenizer: CLIPTokenizer) -> None:
    said = "a red circle left of an orange star, watercolor"
    ids = tokenizer(said).input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ,", ",").strip() == said


def test_unknown_text_becomes_bytes_and_fits(tokenizer: CLIPTokenizer) -> None:
    ids = tokenizer(
        "Éclair zxqw 日本 🙂 " * 20, padding="max_length", max_length=TEXT_POSITIONS, truncation=True
    ).input_ids
    assert len(ids) == TEXT_POSITIONS
    assert max(ids) < len(tokenizer)
    inner = [i for i in ids if i not in (tokenizer.bos_token_id, tokenizer.eos_token_id)]
    assert max(inner) < byte_token_count() + 400


def test_a_saved_tokenizer_reads_alike(tokenizer: CLIPTokenizer, tmp_path) -> None:
    tokenizer.save_pretrained(tmp_path)
    loaded = CLIPTokenizer.from_pretrained(tmp_path)
    said = "a lighthouse at night, watercolor zxq"
    assert loaded(said).input_ids == tokenizer(said).input_ids
    assert loaded.model_max_length == TEXT_POSITIONS
