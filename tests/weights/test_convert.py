"""Pickles become safetensors in a process that can do nothing else; what is no table of tensors is refused."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from imagegen_desktop.domain.errors import BadInput, ModelProblem
from imagegen_desktop.paths import Home
from imagegen_desktop.services.model_files import ModelFiles
from imagegen_desktop.services.model_library import ModelLibrary
from imagegen_desktop.settings import Settings
from imagegen_desktop.weights.convert import worker_command
from imagegen_desktop.weights.inspect import inspect_model
from tests.weights.hostile import payloads, tarred, zipped
from tests.weights.hostile_folders import sound

WEIGHTS = {"conv_first.weight": torch.arange(6.0).reshape(2, 3), "body.0.rdb1.conv1.weight": torch.ones(2).half()}


@pytest.fixture
def library(home: Path) -> ModelLibrary:
    place = Home(home).prepare()
    return ModelLibrary(place.root / "nothing", place.models, Settings(place.settings))


@pytest.fixture
def files(library: ModelLibrary) -> ModelFiles:
    return ModelFiles(library)


def test_a_checkpoint_is_converted_to_the_bit_and_stays(tmp_path: Path, files: ModelFiles) -> None:
    source = tmp_path / "old.ckpt"
    torch.save({"state_dict": WEIGHTS | {"tied": WEIGHTS["conv_first.weight"]}, "epoch": 3}, source)
    before = source.read_bytes()
    (made,) = files.convert(source)
    assert made == tmp_path / "old.safetensors"
    found = load_file(made)
    assert found.keys() == WEIGHTS.keys() | {"tied"}
    assert all(
        torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in WEIGHTS.items()
    )
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["old.ckpt", made.name]


def test_the_old_format_and_an_embedding_are_converted_as_well(tmp_path: Path, files: ModelFiles) -> None:
    torch.save({"string_to_param": {"*": torch.ones(2, 768)}, "name": "mine"}, tmp_path / "mine.pt",
               _use_new_zipfile_serialization=False)  # fmt: skip
    (made,) = files.convert(tmp_path / "mine.pt")
    assert list(load_file(made)) == ["emb_params"]


def test_an_ip_adapter_of_two_tables_is_one_when_converted(tmp_path: Path, files: ModelFiles) -> None:
    halves = {"image_proj": {"proj.weight": torch.ones(8, 4)}, "ip_adapter": {"1.to_k_ip.weight": torch.ones(2, 768)}}
    torch.save(halves, tmp_path / "ip-adapter_sd15.bin")
    (made,) = files.convert(tmp_path / "ip-adapter_sd15.bin")
    found = inspect_model(made)
    assert (found.kind, found.family, found.features) == ("ip-adapter", "sd1", ("projection 4",))


def test_a_pickle_that_calls_itself_safetensors_is_converted_beside_itself(tmp_path: Path, files: ModelFiles) -> None:
    torch.save(WEIGHTS, tmp_path / "it.pt")
    source = (tmp_path / "it.pt").rename(tmp_path / "it.safetensors")
    (made,) = files.convert(source)
    assert made == tmp_path / "it-converted.safetensors"
    assert load_file(made).keys() == WEIGHTS.keys()


@pytest.mark.parametrize(
    ("way", "word"), [("system", "posix.system"), ("stack-global", "no plain table"), ("whole", "posix.system")]
)
def test_what_asks_for_more_than_tensors_is_refused(tmp_path: Path, files: ModelFiles, way: str, word: str) -> None:
    canary = tmp_path / "CANARY"
    if way == "whole":
        torch.save(_Evil(canary), tmp_path / "evil.pt")
    else:
        data = payloads(canary)["protocol-2" if way == "system" else way]
        (tmp_path / "evil.pt").write_bytes(data)
    with pytest.raises(ModelProblem) as caught:
        files.convert(tmp_path / "evil.pt")
    assert word in caught.value.message
    assert not canary.exists()
    assert not (tmp_path / "evil.safetensors").exists()


class _Evil:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> object:
        return os.system, (f"touch {self.canary}",)


def test_a_folder_of_pickles_can_be_opened_afterwards(tmp_path: Path, files: ModelFiles, library: ModelLibrary) -> None:
    folder = sound(tmp_path / "old")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    torch.save(WEIGHTS, folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(BadInput, match="zip"):
        library.opened(folder)
    (made,) = files.convert(folder)
    assert made == folder / "unet" / "diffusion_pytorch_model.safetensors"
    assert library.opened(folder).family == "sd1"


def test_there_has_to_be_something_to_convert(tmp_path: Path, files: ModelFiles) -> None:
    (tmp_path / "old.pt").write_bytes(tarred(b""))
    with pytest.raises(ModelProblem, match="tar archive"):
        files.convert(tmp_path / "old.pt")
    with pytest.raises(BadInput, match="exists"):
        files.convert(tmp_path / "nothing.ckpt")
    (tmp_path / "there.ckpt").write_bytes(zipped(b""))
    (tmp_path / "there.safetensors").write_bytes(b"mine")
    with pytest.raises(BadInput, match=r"without there\.safetensors"):
        files.convert(tmp_path / "there.ckpt")
    assert (tmp_path / "there.safetensors").read_bytes() == b"mine"


PROBES = {
    "reads a secret": "open(secret).read()",
    "lists the home": "__import__('os').listdir(__import__('os').path.dirname(secret))",
    "connects": "__import__('socket').create_connection(('127.0.0.1', port), 1)",
    "sends a datagram": "__import__('socket').socket(2, 2).sendto(b'x', ('127.0.0.1', port))",
    "listens": "__import__('socket').socket().bind(('127.0.0.1', 0))",
    "writes beside": "open(secret + '.new', 'w')",
    "overwrites the file": "open(source, 'r+b')",
    "starts a program": "__import__('subprocess').run(['true'], check=True)",
    "becomes a program": "__import__('os').execv('/bin/true', ['true'])",
    "forks": "__import__('os').fork()",
    "takes 64 GB": "bytearray(64 * 2**30)",
    "fills the disk": "open(folder + '/big', 'wb').truncate(2**40)",
}


@pytest.mark.skipif(sys.platform != "linux", reason="these doors are Linux's")
@pytest.mark.parametrize("probe", PROBES)
def test_nothing_gets_out_of_the_sandbox(tmp_path: Path, probe: str) -> None:
    folder, secret, source = tmp_path / "place", tmp_path / "secret", tmp_path / "file"
    folder.mkdir()
    secret.write_text("mine")
    source.write_bytes(b"file")
    with socket.create_server(("127.0.0.1", 0)) as server:
        places = tuple(map(str, (secret, source, folder)))
        names = f"secret, source, folder, port = {(*places, server.getsockname()[1])!r}"
        script = f"""
import runpy, socket, subprocess
{names}
doors = runpy.run_path({worker_command()[-1]!r})
doors["leave_network"]()
doors["close_doors"](source, folder)
open(source, "rb").read()
open(folder + "/allowed", "wb").write(b"made")
print("closed", flush=True)
{PROBES[probe]}
print("escaped", flush=True)
"""
        done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("closed"), done.stderr
    assert "escaped" not in done.stdout
    assert done.returncode != 0
    assert secret.read_text() == "mine"
    assert source.read_bytes() == b"file"
