"""The recipe inside our own files: lossless, after a trip through any format, and readable by other programs."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from imagegen_desktop.domain.errors import BadInput, NotFound
from imagegen_desktop.domain.families import DIFFUSION_SAMPLERS, MODEL_DEFAULT_SAMPLER
from imagegen_desktop.domain.request import (
    PREPARATIONS,
    Control,
    GenerationRequest,
    ImagePrompt,
    LoraWeight,
    SourceImage,
    validate,
)
from imagegen_desktop.imaging.containers import texts_of
from imagegen_desktop.imaging.encode import encode_jpeg, encode_png, encode_webp
from imagegen_desktop.imaging.foreign.a1111 import read_a1111
from imagegen_desktop.imaging.metadata import read_recipe, read_settings
from imagegen_desktop.imaging.picture import Picture
from imagegen_desktop.imaging.recipe import Recipe, parameters_text

DOT = Picture(width=1, height=1, rgb=b"\1\2\3")

HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe1\0\x40Exif\0\0II*\0",
    b"RIFF\0\0\0\0WEBPEXIF\x40\0\0\0MM\0*",
)
keys = st.sampled_from(["version", "request", "index", "parents", "environment", "prompt", "loras", "image"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
sizes = st.integers(1, 1024).map(lambda n: n * 8)
sources = st.builds(SourceImage, sha256=st.just("ab" * 32), width=sizes, height=sizes, name=words)
requests = st.builds(
    GenerationRequest,
    prompt=words.map(lambda text: text + "x"), negative_prompt=words, style=words, style_prompt=words,
    style_negative=words, model=st.none() | words, width=st.none() | st.just(512),
    height=st.none() | sizes.filter(lambda n: n < 8000),
    steps=st.none() | st.integers(1, 1000), guidance=st.none() | st.floats(0, 100),
    sampler=st.none() | st.sampled_from((MODEL_DEFAULT_SAMPLER, *DIFFUSION_SAMPLERS)),
    seed=st.none() | st.integers(0, 2**64 - 1), image=sources, strength=st.none() | st.floats(0, 1),
    mask=st.none() | sources,
    loras=st.lists(
        st.builds(LoraWeight, name=words, weight=st.floats(-10, 10), text_weight=st.none() | st.floats(-10, 10)),
        max_size=3,
    ).map(tuple),
    embeddings=st.lists(words, max_size=2).map(tuple), vae=st.none() | words,
    controls=st.lists(
        st.builds(
            Control, model=words, image=sources, weight=st.floats(0, 2), start=st.floats(0, 0.5),
            end=st.floats(0.5, 1), preparation=st.sampled_from(PREPARATIONS),
        ),
        max_size=2,
    ).map(tuple),
    image_prompts=st.lists(
        st.builds(
            ImagePrompt, model=words, image=sources, weight=st.floats(0, 2), start=st.floats(0, 0.5),
            end=st.floats(0.5, 1),
        ),
        max_size=2,
    ).map(tuple),
).map(validate)  # fmt: skip
recipes = st.builds(
    Recipe,
    request=requests, image=words, job=words, index=st.integers(0, 9999), model_hash=words, app_version=words,
    created=words, resumed_at=st.none() | st.integers(0, 1000), parents=st.lists(words, max_size=2).map(tuple),
    notes=st.lists(words, max_size=2).map(tuple), environment=st.dictionaries(words, words, max_size=2),
    hashes=st.dictionaries(words, words, max_size=2),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(recipes)
def test_our_own_recipe_comes_back_from_every_format(recipe: Recipe) -> None:
    for data in (encode_png(DOT, recipe), encode_jpeg(DOT, recipe), encode_webp(DOT, recipe)):
        assert read_recipe(data) == recipe
        found = read_settings(data)
        assert found.source == "imagegen-desktop"
        assert found.as_request() == recipe.request
        assert GenerationRequest.from_dict(json.loads(json.dumps(found.to_dict()["request"]))) == recipe.request


@settings(deadline=None)
@given(recipes)
def test_a_recipe_is_the_same_bytes_each_time(recipe: Recipe) -> None:
    assert encode_png(DOT, recipe) == encode_png(DOT, recipe)


def test_the_text_other_programs_read() -> None:
    request = GenerationRequest(
        prompt="a castle", negative_prompt="fog", style_prompt="{prompt}, oil", style_negative="blurry",
        model="dream, v2", width=512, height=768, steps=20, guidance=7.5, sampler="DPM++ 2M Karras", seed=2**64 - 1,
    )  # fmt: skip
    recipe = Recipe(request=request, model_hash="0123456789abcdef", app_version="1.0")
    expected = (
        "a castle, oil\nNegative prompt: fog, blurry\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.5, Seed: 18446744073709551615, "
        'Size: 512x768, Model hash: 0123456789, Model: "dream, v2", Version: imagegen-desktop 1.0'
    )
    assert parameters_text(recipe) == expected
    with Image.open(io.BytesIO(encode_png(DOT, recipe))) as image:
        assert image.text["parameters"] == expected  # type: ignore[attr-defined]
        assert "trainedAlgorithmicMedia" in image.text["XML:com.adobe.xmp"]  # type: ignore[attr-defined]
    for data in (encode_jpeg(DOT, recipe), encode_webp(DOT, recipe)):
        assert b"trainedAlgorithmicMedia" in data
        assert texts_of(data)["UserComment"] == expected
        with Image.open(io.BytesIO(data)) as image:
            assert image.getexif().get_ifd(0x8769)[0x9286] == b"UNICODE\0" + expected.encode("utf-16-be")


def test_what_is_not_there_is_not_written() -> None:
    text = parameters_text(Recipe(request=GenerationRequest(prompt="日本", sampler=MODEL_DEFAULT_SAMPLER, seed=1)))
    assert text == "日本\nSeed: 1, Version: imagegen-desktop"
    picture_to_picture = GenerationRequest(prompt="x", image=SourceImage(sha256="", width=8, height=8), strength=0.4)
    assert "Denoising strength: 0.4" in parameters_text(Recipe(request=picture_to_picture))


def test_a_recipe_too_long_for_a_jpeg_still_makes_a_jpeg() -> None:
    middle = Recipe(request=GenerationRequest(prompt="word " * 6000, seed=1))
    assert read_recipe(encode_jpeg(DOT, middle)) == middle
    longest = Recipe(request=GenerationRequest(prompt="word " * 19_000, seed=1))
    with pytest.raises(NotFound):
        read_settings(encode_jpeg(DOT, longest))
    assert read_recipe(encode_webp(DOT, longest)) == read_recipe(encode_png(DOT, longest)) == longest


def test_no_settings_and_no_picture_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no settings"):
        read_settings(encode_png(DOT))
    with pytest.raises(BadInput, match="something else"):
        read_settings(b"not a picture")
    path = tmp_path / "x.png"
    path.write_bytes(encode_png(DOT, Recipe(request=GenerationRequest(prompt="x"), image="i")))
    assert read_recipe(path).image == "i"
    with pytest.raises(BadInput, match="exists"):
        read_settings(tmp_path / "none.png")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_chunks_of_every_kind_are_read_also_after_the_pixels() -> None:
    png = encode_png(DOT)
    end = png.index(b"IEND") - 4
    chunks = (
        _chunk(b"tEXt", b"latin\0caf\xe9"),
        _chunk(b"tEXt", "utf8\0日本\nzwei".encode()),
        _chunk(b"zTXt", b"zipped\0\0" + zlib.compress(b"deflated")),
        _chunk(b"iTXt", b"plain\0\0\0de\0Titel\0" + "grün".encode()),
        _chunk(b"iTXt", b"packed\0\1\0\0\0" + zlib.compress("grün".encode())),
        _chunk(b"comf", b'prompt\0{"1": 2}'),
        _chunk(b"zTXt", b"broken\0\0nonsense"),
        _chunk(b"tEXt", b"no zero byte"),
    )
    assert texts_of(png[:end] + b"".join(chunks) + png[end:]) == {
        "latin": "café", "utf8": "日本\nzwei", "zipped": "deflated", "plain": "grün", "packed": "grün",
        "prompt": '{"1": 2}', "broken": "",
    }  # fmt: skip


def test_a_bomb_of_text_stays_small() -> None:
    png = encode_png(DOT)
    end = png.index(b"IEND") - 4
    bomb = _chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(200_000_000), 9))
    assert len(texts_of(png[:end] + bomb + png[end:]).get("bomb", "")) <= 4 * 2**20


@pytest.mark.parametrize("prefix", [b"UNICODE\0", b"ASCII\0\0\0", b""])
@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_user_comments_in_every_dress(prefix: bytes, order: str) -> None:
    text = "a castle, 城\nSteps: 20"
    exif = Image.Exif()
    exif[0x0131] = "any program"
    exif.get_ifd(0x8769)[0x9286] = prefix + text.encode(order if prefix == b"UNICODE\0" else "utf-8")
    for kind in ("JPEG", "WEBP", "PNG"):
        out = io.BytesIO()
        Image.new("RGB", (1, 1)).save(out, kind, exif=exif)
        assert texts_of(out.getvalue())["UserComment"] == text


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(HEADS))
@example(b"", b"\xff\xd8\xff")
def test_no_bytes_break_the_reader(tail: bytes, head: bytes) -> None:
    texts_of(head + tail)
    with pytest.raises(NotFound):
        read_settings(head + tail)


@given(json_values)
@example({"version": 1, "request": {"prompt": "x", "loras": [3]}})
@example({"version": 1, "request": {"prompt": "x", "image": {"sha256": 1}}})
@example({"version": 2, "request": {"prompt": "x"}})
def test_a_damaged_recipe_is_bad_input_and_nothing_else(values: Any) -> None:
    try:
        Recipe.from_json(json.dumps(values))
    except BadInput:
        pass


def test_what_was_added_is_told_as_others_read_it() -> None:
    request = GenerationRequest(
        prompt="a cat", model="base", seed=1, steps=2, guidance=3.0, embeddings=("easy",), vae="soft",
        loras=(LoraWeight(name="ink", weight=0.8), LoraWeight(name="line", weight=0.5, text_weight=0.25)),
    )  # fmt: skip
    hashes = {"lora:ink": "a" * 12, "lora:line": "b" * 12, "embedding:easy": "c" * 10, "vae:soft": "d" * 10}
    text = parameters_text(Recipe(request=request, hashes=hashes))
    assert text.splitlines()[0] == "a cat <lora:ink:0.8> <lora:line:0.25:0.5>"
    assert 'Lora hashes: "ink: aaaaaaaaaaaa, line: bbbbbbbbbbbb"' in text
    assert 'TI hashes: "easy: cccccccccc"' in text
    assert "VAE hash: dddddddddd, VAE: soft" in text
    found = read_a1111(text)
    assert found is not None
    assert found.request["loras"] == [{"name": "ink", "weight": 0.8}, {"name": "line", "weight": 0.5}]
    assert (found.request["prompt"], found.request["vae"]) == ("a cat", "soft")
    assert not {"Lora hashes", "TI hashes", "VAE"} & set(found.ignored)
