"""The model library: found anywhere, remembered, completed by kits, checked against recorded checksums, binned."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from imagegen_desktop.cli import run
from imagegen_desktop.domain.errors import BadInput, ModelProblem, NotFound
from imagegen_desktop.paths import Home
from imagegen_desktop.services import model_library
from imagegen_desktop.services.model_files import ModelFiles
from imagegen_desktop.services.model_library import ModelLibrary
from imagegen_desktop.settings import Settings
from tests.weights.conftest import no_large_file_stays  # noqa: F401  a fixture
from tests.weights.headers import write
from tests.weights.hostile_folders import sound
from tests.weights.layouts import CLIP, VAE, flux, unet

LORA = {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 768)}
CHECKPOINT = {**unet(), **CLIP, **VAE}


@pytest.fixture
def place(home: Path) -> Home:
    return Home(home).prepare()


@pytest.fixture
def library(place: Home) -> ModelLibrary:
    return opened(place)


def opened(place: Home) -> ModelLibrary:
    return ModelLibrary(place.root / "shipped" / "models", place.models, Settings(place.settings))


def kit(folder: Path) -> Path:
    """Configs and a tokenizer, no weights."""
    sound(folder)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"tokenizer": ["transformers", "CLIPTokenizer"], "text_encoder": ["transformers", "CLIPTextModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    for name in ("tokenizer/tokenizer.json", "text_encoder/config.json"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("{}")
    return folder


def test_things_are_found_wherever_they_lie_and_by_what_they_are(place: Home, library: ModelLibrary) -> None:
    write(place.models / "Stable-diffusion" / "odd" / "cat.safetensors", LORA)
    sound(place.models / "Lora" / "a model")
    write(place.models / "words.safetensors", {"emb_params": (2, 768)})
    assert [card.name for card in library.all()] == ["a model"]
    assert [card.name for card in library.extras("lora")] == ["cat"]
    assert library.extra("lora", "CAT").family == "sd1"
    assert library.extra("embedding", "words").triggers == ("words",)
    with pytest.raises(BadInput, match="known are cat"):
        library.extra("lora", "dog")
    with pytest.raises(BadInput, match="together with a model"):
        library.get(str(place.models / "words.safetensors"))


def test_a_single_file_waits_for_its_kit(place: Home, library: ModelLibrary) -> None:
    write(place.models / "mine.safetensors", CHECKPOINT)
    with pytest.raises(ModelProblem, match="configs and tokenizers are not on this computer"):
        library.get("mine")
    assert library.all() == []
    made = kit(place.models / "kits" / "sd1")
    library.refresh()
    assert library.get("mine").kit == str(made)
    (made / "tokenizer" / "tokenizer.json").unlink()
    library.refresh()
    assert library.all() == []


def test_a_bare_transformer_borrows_from_a_folder_of_its_family(place: Home, library: ModelLibrary) -> None:
    write(place.models / "flux1-kontext-q8.safetensors", flux())
    with pytest.raises(ModelProblem, match="needs its text encoders and autoencoder"):
        library.get("flux1-kontext-q8")
    folder = place.models / "flux1-dev"
    for name, content in {
        "model_index.json": {"_class_name": "FluxPipeline"},
        "transformer/config.json": {"guidance_embeds": True},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    library.refresh()
    assert library.get("flux1-kontext-q8").kit == str(folder)


def test_other_folders_are_looked_through_as_well(place: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one" / "a.safetensors", LORA)
    write(tmp_path / "two" / "a.safetensors", LORA)
    monkeypatch.setenv("IMAGEGEN_DESKTOP_MODEL_FOLDERS", f"{tmp_path / 'one'}{os.pathsep}{tmp_path / 'two'}")
    assert [card.name for card in opened(place).extras("lora")] == ["a", "a.safetensors"]


def test_a_file_is_added_by_a_link_and_removed_without_touching_it(place: Home, tmp_path: Path) -> None:
    outside = write(tmp_path / "cat.safetensors", LORA)
    assert run(["models", "add", str(outside)]) == 0
    assert [card.name for card in opened(place).extras("lora")] == ["cat"]
    assert run(["models", "remove", "cat"]) == 0
    assert opened(place).extras("lora") == []
    assert outside.exists()
    assert run(["models", "remove", "cat"]) == 3


def test_what_comes_goes_or_is_copied_to_its_end_is_noticed(
    place: Home, library: ModelLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_library, "LOOK_AGAIN_SECONDS", 0.0)
    assert library.everything() == []
    whole = write(place.models / "deep" / "cat.safetensors", LORA).read_bytes()
    assert [card.name for card in library.everything()] == ["cat"]
    copied = place.models / "dog.safetensors"
    with copied.open("wb") as file:
        file.write(whole[:50])
        file.flush()
        assert set(library.broken()) == {"dog"}
        file.write(whole[50:])
    assert [card.name for card in library.everything()] == ["cat", "dog"]
    copied.unlink()
    assert [card.name for card in library.everything()] == ["cat"]


def test_a_thousand_files_are_remembered(place: Home) -> None:
    for number in range(1000):
        write(place.models / f"{number:04}.safetensors", LORA)
    assert len(opened(place).extras("lora")) == 1000
    start = time.process_time()
    again = opened(place)
    assert len(again.extras("lora")) == 1000
    assert time.process_time() - start < 1
    write(place.models / "0007.safetensors", {"emb_params": (2, 768)})
    assert [card.name for card in opened(place).extras("embedding")] == ["0007"]


def test_what_was_remembered_badly_is_looked_at_again(place: Home) -> None:
    write(place.models / "cat.safetensors", LORA)
    for nonsense in ("", "[]", '{"layout":"x"}', "[" * 100_000):
        (place.root / "cache" / "models.json").write_text(nonsense)
        assert [card.name for card in opened(place).everything()] == ["cat"]


def test_verifying_finds_one_flipped_bit_doubles_and_what_is_broken(place: Home, library: ModelLibrary) -> None:
    path = write(place.models / "cat.safetensors", LORA)
    write(place.models / "same.safetensors", LORA)
    (place.models / "cut.safetensors").write_bytes(path.read_bytes()[:-1])
    files = ModelFiles(library)
    found = {verdict.name: verdict for verdict in files.verify()}
    assert {name: verdict.state for name, verdict in found.items()} == {
        "cat": "recorded",
        "same": "recorded",
        "cut": "broken",
    }
    assert found["same"].same_as == "cat"
    assert [verdict.state for verdict in files.verify("cat")] == ["ok"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    (changed,) = files.verify("cat")
    assert (changed.state, changed.detail) == ("changed", "not as recorded: cat.safetensors")
    assert files.verify("cat")[0].state == "changed"
    with pytest.raises(NotFound, match="dog"):
        files.verify("dog")


def test_verifying_names_parts_that_did_not_come(place: Home, library: ModelLibrary) -> None:
    folder = sound(place.models / "half")
    (verdict,) = ModelFiles(library).verify("half")
    assert (verdict.state, verdict.detail) == ("broken", "half has no weights for vae.")
    write(folder / "vae" / "diffusion_pytorch_model.safetensors", {"decoder.conv_in.weight": (8, 4, 3, 3)})
    assert ModelFiles(library).verify("half")[0].state == "recorded"


def test_the_command_line_lists_inspects_and_verifies(
    place: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place.models / "cat.safetensors", LORA)
    (place.models / "bad.ckpt").write_bytes(b"\x80\x02}.")
    assert run(["models", "list", "--json", "--kind", "lora"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["cat"]
    assert run(["models", "list", "--kind", "broken"]) == 0
    assert "pickle" in capsys.readouterr().out
    assert run(["models", "inspect", str(place.models / "cat.safetensors"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["kind"], row["family"], row["rank"]) == ("lora", "sd1", 4)
    assert run(["models", "inspect", str(place.models / "bad.ckpt")]) == 2
    assert "models convert" not in capsys.readouterr().out
    assert run(["models", "inspect", str(tmp_path / "nothing")]) == 2
    assert run(["models", "verify", "cat"]) == 0
    assert run(["models", "verify", "dog"]) == 3
    assert run(["models", "verify"]) == 1
    assert run(["models", "convert", str(place.models / "cat.safetensors")]) == 2
    assert "needs no conversion" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="counted by Linux")
def test_ten_gigabytes_are_named_from_their_header(
    place: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = {f"model.diffusion_model.double_blocks.{n}.img_mlp.0.weight": (12288, 3072) for n in range(140)}
    path = write(tmp_path / "flux1-dev.safetensors", {**flux(prefix="model.diffusion_model."), **wide})
    assert path.stat().st_size > 10 * 10**9
    before = bytes_read()
    assert run(["models", "inspect", str(path), "--json"]) == 0
    assert bytes_read() - before < 30 * 10**6
    assert json.loads(capsys.readouterr().out)["family"] == "flux"


def bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))
