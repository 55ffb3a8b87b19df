"""A model hub on this machine: models at a commit, large files on another host, and every way a download can break."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from tests import canary
from tests.loopback import Handler, Loopback, Seen

TOKEN = canary.HUGGINGFACE
LARGE = 10_000
_BLOCK = 16_384


def weights_of(data: bytes) -> bytes:
    """A sound safetensors file with one tensor of these bytes."""
    header = {"noise": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def pipeline_files(size: int = 200_000, seed: int = 0) -> dict[str, bytes]:
    """A pipeline as hubs keep it, with much beside it that nobody needs; its weights are noise of `size` bytes."""
    noise = random.Random(seed)
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "feature_extractor": [None, None],
    }
    weights = "diffusion_pytorch_model"
    return {
        "model_index.json": json.dumps(index).encode(),
        "README.md": b"# Paper\nA model of paper.\n",
        "unet/config.json": json.dumps({"sample_size": 8, "cross_attention_dim": 768}).encode(),
        f"unet/{weights}.safetensors": weights_of(noise.randbytes(size)),
        f"unet/{weights}.fp16.safetensors": weights_of(noise.randbytes(size // 2)),
        f"unet/{weights}.bin": b"pickle" * 100,
        "unet/pipeline.py": b"import os",
        "vae/config.json": json.dumps({"block_out_channels": [8, 8, 8, 8]}).encode(),
        f"vae/{weights}.safetensors": weights_of(noise.randbytes(size // 4)),
        f"vae/{weights}.msgpack": b"flax",
        "scheduler/scheduler_config.json": json.dumps({"_class_name": "PNDMScheduler"}).encode(),
        "paper-v1.safetensors": weights_of(noise.randbytes(size)),
        "paper-v1.ckpt": b"pickle",
        ".gitattributes": b"*.safetensors filter=lfs",
    }


#: What is needed of it, in full precision.
NEEDED = (
    "model_index.json",
    "README.md",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "scheduler/scheduler_config.json",
)


@dataclass
class Repository:
    """A model: its files at its one commit."""

    files: dict[str, bytes]
    gated: str = ""
    licence: str = "openrail++"
    commit: str = field(init=False)

    def __post_init__(self) -> None:
        names = "".join(f"{name}{hashlib.sha1(data).hexdigest()}" for name, data in sorted(self.files.items()))
        self.commit = hashlib.sha1(names.encode()).hexdigest()


class FakeHub(Loopback):
    """`cuts` end the connection at these positions of a large file, each once. `flips` change a bit at a position
    of what is sent, each once; `troubles` answer in place of large files, each once. `sent` counts bytes of large
    files, `longest` how many of one answer go out before the gate "flowing"."""

    keys = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self.reset()

    def reset(self) -> None:
        super().reset()
        self.repositories: dict[str, Repository] = {}
        self.cuts: list[int] = []
        self.flips: list[int] = []
        self.troubles: list[Callable[[Handler], None]] = []
        self.ignores_range = False
        self.always_flips = False
        self.version = "1"
        self.evil_redirect = ""
        self.sent = 0
        self.longest = 1 << 60

    def add(self, name: str, files: dict[str, bytes], **said: Any) -> Repository:
        self.repositories[name] = Repository(files, **said)
        return self.repositories[name]

    def answer(self, handler: Handler, seen: Seen) -> None:
        path = unquote(urlsplit(seen.path).path)
        if path.startswith("/cdn/"):
            return self._large(handler, seen, path.removeprefix("/cdn/"))
        token = seen.headers.get("Authorization", "")
        if token not in ("", f"Bearer {TOKEN}"):
            return _refuse(handler, 401, "", "Invalid credentials in Authorization header")
        parts = path.removeprefix("/api/models").strip("/").split("/")
        repository = self.repositories.get("/".join(parts[:2]))
        if repository is None:
            return _refuse(handler, 401 if not token else 404, "RepoNotFound")
        if parts[3] not in ("main", "v1", repository.commit):
            return _refuse(handler, 404, "RevisionNotFound")
        if path.startswith("/api/models/"):
            return handler.send_json(200, self._said("/".join(parts[:2]), repository))
        if repository.gated and not token:
            return _refuse(handler, 401, "GatedRepo")
        return self._resolve(handler, repository, "/".join(parts[4:]))

    def _said(self, name: str, repository: Repository) -> dict[str, Any]:
        siblings = []
        for path, data in repository.files.items():
            row: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": _blob(data)}
            if len(data) >= LARGE:
                row["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            siblings.append(row)
        return {
            "id": name,
            "sha": repository.commit,
            "gated": repository.gated or False,
            "cardData": {"license": repository.licence},
            "siblings": siblings,
        }

    def _resolve(self, handler: Handler, repository: Repository, path: str) -> None:
        data = repository.files.get(path)
        if data is None:
            return _refuse(handler, 404, "EntryNotFound")
        if len(data) < LARGE:
            return handler.send_bytes(200, data, "text/plain", {"ETag": f'"{_blob(data)}"'})
        # Another host than the one that gets the token, as hubs do it.
        target = self.evil_redirect or f"http://localhost:{self.server_port}/cdn/{hashlib.sha256(data).hexdigest()}"
        return handler.send_bytes(302, b"", headers={"Location": target})

    def _large(self, handler: Handler, seen: Seen, sha256: str) -> None:
        if self.troubles:
            return self.troubles.pop(0)(handler)
        every = (data for repository in self.repositories.values() for data in repository.files.values())
        data = next(data for data in every if hashlib.sha256(data).hexdigest() == sha256)
        etag, start = f'"{self.version}-{sha256[:8]}"', 0
        wanted = seen.headers.get("Range")
        if wanted and not self.ignores_range and seen.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(data):
                return handler.send_bytes(416, b"")
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(data) - start))
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("ETag", etag)
        handler.end_headers()
        return self._flow(handler, data, start)

    def _flow(self, handler: Handler, data: bytes, position: int) -> None:
        began = position
        while position < len(data):
            if position - began >= self.longest:
                self.pass_gate("flowing")
            cut = next((cut for cut in self.cuts if position <= cut < position + _BLOCK and cut < len(data)), None)
            block = bytearray(data[position : position + _BLOCK if cut is None else cut])
            for flip in [flip for flip in self.flips if position <= flip < position + len(block)]:
                self.flips.remove(flip)
                block[flip - position] ^= 1
            if self.always_flips and block:
                block[0] ^= 1
            handler.wfile.write(block)
            self.sent += len(block)
            position += len(block)
            if cut is not None:
                self.cuts.remove(cut)
                handler.drop()


def _blob(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


def _refuse(handler: Handler, status: int, code: str, said: str = "") -> None:
    handler.send_bytes(status, b"no", "text/plain", {"X-Error-Code": code, "X-Error-Message": said})
