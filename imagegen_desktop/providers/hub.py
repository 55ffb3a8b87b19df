"""Hub: what Hugging Face, or a mirror of it, says about a model, and the bytes of its files from any position."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from ..domain.errors import BadAnswer, Problem, Unreachable
from ..domain.hub_model import HubFile, HubModel
from .addresses import Addresses, ForbiddenAddress
from .cloud import Surroundings
from .connection import TooLarge, client
from .endpoints import checked_endpoint, is_loopback
from .exchange import asked
from .hub_errors import hub_problem, odd

ENDPOINT = "https://huggingface.co"
CREDENTIAL = "huggingface"
MOST_REDIRECTS = 5

_HOSTS = ("huggingface.co", "hf.co")
_MOST_ANSWER = 32 * 2**20
_MOST_FILE = 2**42
_SILENCE_SECONDS = 30.0
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Body:
    """Bytes of a file from `start` on; `etag` names this version of it where the server gives one."""

    start: int
    etag: str
    chunks: AsyncIterator[bytes]


class Hub:
    """Asks with the artist's token, which goes to the hub's own host and nowhere else."""

    def __init__(self, surroundings: Surroundings, silence_seconds: float = _SILENCE_SECONDS) -> None:
        self._surroundings = surroundings
        self._seconds = silence_seconds

    @property
    def endpoint(self) -> str:
        return checked_endpoint(self._surroundings.endpoint(CREDENTIAL) or ENDPOINT, "HF_ENDPOINT")

    def model(self, model_id: str, revision: str = "") -> HubModel:
        """The model at the commit its revision (the main one for "") stands for now; raises a Problem."""
        path = f"/api/models/{model_id}/revision/{quote(revision or 'main', safe='')}?blobs=true"
        answer = asked(self._json(path, model_id))
        try:
            return _model(answer, self.page(model_id))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise odd(model_id) from None

    def json(self, model: HubModel, file: HubFile) -> dict[str, Any]:
        """A small JSON file of the model."""
        answer = asked(self._json(_path(model, file), model.id))
        if not isinstance(answer, dict):
            raise odd(model.id)
        return answer

    def page(self, model_id: str) -> str:
        """Where people read about the model and accept its licence."""
        return f"{self.endpoint}/{model_id}"

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[httpx2.AsyncClient]:
        """Connections for one download."""
        async with client(self._seconds, most_bytes=_MOST_FILE) as http:
            yield http

    @asynccontextmanager
    async def open(
        self, http: httpx2.AsyncClient, model: HubModel, file: HubFile, start: int = 0, etag: str = ""
    ) -> AsyncIterator[Body]:
        """The file from `start`, or from 0 when the server would not give a part or it is another version by now.
        Raises Unreachable and RateLimited when trying again may help, else another Problem."""
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and etag and not etag.startswith("W/"):
            headers["If-Range"] = etag
        async with self._sent(http, _path(model, file), model.id, headers) as response:
            yield _body(response, model, file, start)

    async def _json(self, path: str, model_id: str) -> Any:
        async with (
            client(self._seconds, most_bytes=_MOST_ANSWER) as http,
            self._sent(http, path, model_id, {}) as response,
        ):
            try:
                return json.loads(await response.aread())
            except (ValueError, RecursionError):
                raise odd(model_id) from None

    @asynccontextmanager
    async def _sent(
        self, http: httpx2.AsyncClient, path: str, model_id: str, headers: dict[str, str]
    ) -> AsyncIterator[httpx2.Response]:
        """A good answer, through redirects; what goes wrong until its body is read is a Problem."""
        try:
            response = await self._followed(http, path, model_id, headers)
            try:
                yield response
            finally:
                await response.aclose()
        except Problem:
            raise
        except ForbiddenAddress as error:
            raise BadAnswer(
                f"The hub points to {error}, where no models lie.", "Look whether this network asks for a login."
            ) from None
        except TooLarge:
            raise odd(model_id) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unreachable(self.endpoint) from error

    async def _followed(
        self, http: httpx2.AsyncClient, path: str, model_id: str, headers: dict[str, str]
    ) -> httpx2.Response:
        endpoint, token = self.endpoint, self._surroundings.key(CREDENTIAL)
        own, url = _origin(endpoint), endpoint + path
        addresses = _addresses(endpoint)
        for _ in range(MOST_REDIRECTS + 1):
            mine = {"Authorization": f"Bearer {token}"} if token and _origin(url) == own else {}
            try:
                request = await addresses.request(http, url, headers | mine)
            except OSError as error:
                raise _unreachable(endpoint) from error
            response = await http.send(request, stream=True)
            if response.is_success:
                return response
            try:
                if not response.is_redirect:
                    raise hub_problem(response, model_id, self.page(model_id), bool(token))
                url = urljoin(url, response.headers.get("location", ""))
            finally:
                await response.aclose()
        raise BadAnswer("The hub sends us in a circle.", "Try again later.")


def _addresses(endpoint: str) -> Addresses:
    """A mirror the artist set may lie in their own network; one on this machine may point anywhere on it."""
    host = urlsplit(endpoint).hostname or ""

    def own(origin: str) -> bool:
        if is_loopback(host):
            return is_loopback(urlsplit(origin).hostname or "")
        return endpoint != ENDPOINT and _origin(origin) == _origin(endpoint)

    return Addresses((*_HOSTS, host), own)


def _path(model: HubModel, file: HubFile) -> str:
    return f"/{model.id}/resolve/{model.revision}/{quote(file.path)}"


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _unreachable(endpoint: str) -> Unreachable:
    return Unreachable(f"{urlsplit(endpoint).hostname} cannot be reached.", "Look at the network and try again.")


def _body(response: httpx2.Response, model: HubModel, file: HubFile, start: int) -> Body:
    """Checks that these are bytes of that file: a login page of some network is none."""
    length = response.headers.get("content-length")
    begins, total = 0, length
    if response.status_code == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
        begins, total = (int(found[1]), found[2]) if found else (-1, None)
    if begins not in (0, start) or (total not in (None, "*") and total != str(file.size)):
        raise Unreachable(
            f"Something else answers in place of {file.path} of {model.id}.",
            "Look whether this network asks for a login, then try again.",
        )
    return Body(start=begins, etag=response.headers.get("etag", ""), chunks=response.aiter_raw())


def _model(answer: dict[str, Any], page: str) -> HubModel:
    card = answer.get("cardData") or {}
    tags = [str(tag).removeprefix("license:") for tag in answer.get("tags") or () if str(tag).startswith("license:")]
    licence = card.get("license_name") or card.get("license") or next(iter(tags), "")
    revision = answer["sha"]
    if not _COMMIT.fullmatch(revision):
        raise ValueError(revision)
    return HubModel(
        id=str(answer["id"]),
        revision=revision,
        page=page,
        files=tuple(_file(sibling) for sibling in answer["siblings"]),
        licence=", ".join(map(str, licence)) if isinstance(licence, list) else str(licence),
        gated=bool(answer.get("gated")),
    )


def _file(sibling: dict[str, Any]) -> HubFile:
    large = sibling.get("lfs") or {}
    sha256, blob = str(large.get("sha256", "")), str(sibling.get("blobId") or "")
    return HubFile(
        path=str(sibling["rfilename"]),
        size=int(large.get("size", sibling.get("size", 0))),
        sha256=sha256 if _SHA256.fullmatch(sha256) else "",
        blob=blob if not large and _COMMIT.fullmatch(blob) else "",
    )
