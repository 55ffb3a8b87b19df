"""`models download`, `kit` and `preparation`: from the hub, what is known said first; Ctrl-C leaves it resumable."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from ..domain.download import Download, DownloadState
from ..domain.errors import problem_from_dict
from ..services import estimators
from ..services.announce import Announcement, DownloadChanged
from ..services.assemble import Parts
from ..services.downloads import HubOffer
from . import output, session

EXIT_INTERRUPTED = 130
_UNIT = 10**6


def download(options: argparse.Namespace) -> int:
    """Fetches a model and prints where it lies, or one JSON object a line."""
    with session.parts() as parts:
        offer = parts.downloads.look(options.id, options.revision, options.file)
        return _fetch(parts, offer, options.json)


def preparation(options: argparse.Namespace) -> int:
    """Fetches the networks that a preparation needs and the library has none of, each as `download` does it."""
    with session.parts() as parts:
        for network in estimators.missing(parts.models, options.name):
            status = _fetch(parts, parts.downloads.look(network.id), options.json)
            if status:
                return status
        if not options.json:
            output.warn(f"{options.name} can be made of pictures now, without a network")
    return 0


def _fetch(parts: Parts, offer: HubOffer, as_json: bool) -> int:
    _say_offer(offer, as_json)
    if offer.installed is not None:
        return _say_end(_installed(offer), as_json)
    reporter = _Reporter(as_json)
    unsubscribe = parts.announce.subscribe(reporter.hear)
    key = offer.journal.key
    try:
        parts.downloads.start(offer)
        with session.pausing_when_interrupted(parts, lambda: parts.downloads.pause(key)):
            ended = parts.downloads.wait(key)
    finally:
        unsubscribe()
        reporter.clear()
    return _say_end(ended, as_json)


def kit(options: argparse.Namespace) -> int:
    """Fetches the configs and tokenizers that single files of a family need, and prints where they lie."""
    with session.parts() as parts:
        place = parts.kits.fetch(options.family)
    if options.json:
        output.print_json({"family": options.family, "path": str(place)})
    else:
        output.say(str(place))
    return 0


class _Reporter:
    """Progress as a bar on stderr, or as events."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._bar = output.ProgressBar()
        self._printing = threading.Lock()

    def hear(self, news: Announcement) -> None:
        if not isinstance(news, DownloadChanged) or news.download.state is not DownloadState.RUNNING:
            return
        now = news.download
        with self._printing:
            if self._json:
                output.print_json({"event": "progress", **_row(now), "note": now.note})
            elif now.note:
                self._bar.phase(now.note.rstrip("."))
            else:
                self._bar.show(f"{now.title}, MB", now.received // _UNIT, now.size // _UNIT, now.seconds_left)

    def clear(self) -> None:
        self._bar.clear()


def _say_offer(offer: HubOffer, as_json: bool) -> None:
    model, size = offer.journal.model, offer.journal.selection.size
    if as_json:
        row = {"id": model.id, "revision": model.revision, "licence": model.licence, "gated": model.gated}
        names = [file.path for file in offer.journal.selection.files]
        output.print_json({"event": "model", **row, "size": size, "missing": offer.missing_bytes, "files": names})
        return
    licence = model.licence or "not said"
    output.warn(f"{model.id}: {size / 10**9:.2f} GB, licence: {licence} ({model.page})")


def _say_end(ended: Download, as_json: bool) -> int:
    if as_json:
        output.print_json({"event": ended.state.value, **_row(ended)})
    elif ended.state is DownloadState.DONE:
        output.say(ended.path)
    if ended.state is DownloadState.DONE:
        return 0
    if ended.error is not None:
        raise problem_from_dict(ended.error)
    if not as_json:
        output.warn("paused; the same call goes on")
    return EXIT_INTERRUPTED


def _installed(offer: HubOffer) -> Download:
    """What is here already, as if it had just come."""
    journal = offer.journal
    size = journal.selection.size
    return Download(
        key=journal.key,
        id=journal.model.id,
        title=journal.name,
        revision=journal.model.revision,
        state=DownloadState.DONE,
        size=size,
        received=size,
        path=str(offer.installed),
    )


def _row(download: Download) -> dict[str, Any]:
    return {
        "id": download.id,
        "revision": download.revision,
        "received": download.received,
        "size": download.size,
        "speed": round(download.speed),
        "path": download.path,
        "error": download.error,
    }
