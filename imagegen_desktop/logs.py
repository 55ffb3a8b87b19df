"""Structured logs: JSON lines, rotated, with keys and control characters taken out. Prompts are never logged."""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_SECRETS = re.compile(
    r"(sk-[A-Za-z0-9_-]{8,}|r8_[A-Za-z0-9]{8,}|hf_[A-Za-z0-9]{8,}|AKIA[A-Z0-9]{12,}|Bearer\s+\S+|X-Amz-Signature=\S+)"
)
_SECRET_VARIABLES = ("OPENAI_API_KEY", "REPLICATE_API_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY")
_TALKATIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "openai")
_MEGABYTE = 2**20

#: Keys met in this run; whatever is logged, they are not in it.
_HIDDEN: set[str] = set()


def hide(secret: str) -> None:
    """From now on this text is taken out of every log line."""
    if len(secret) >= 8:
        _HIDDEN.add(secret)


def set_up(folder: Path, name: str = "imagegen-desktop") -> None:
    """Sends every log line of this process to `folder`/`name`.log: 10 files of 10 MB at most."""
    handler = logging.handlers.RotatingFileHandler(
        folder / f"{name}.log", maxBytes=10 * _MEGABYTE, backupCount=9, encoding="utf-8", delay=True
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
            foreign_pre_chain=_CHAIN,
        )
    )
    root = logging.getLogger()
    for before in root.handlers:
        if isinstance(before, logging.handlers.RotatingFileHandler):
            before.close()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name_of_library in _TALKATIVE:
        logging.getLogger(name_of_library).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_CHAIN, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


_CHAIN: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: replaces everything that looks like a key, or is one we know."""
    known = [os.environ[name] for name in _SECRET_VARIABLES if len(os.environ.get(name, "")) >= 8] + list(_HIDDEN)
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _without_secrets(value, known)
    return event


def _without_secrets(text: str, known: list[str]) -> str:
    for secret in known:
        text = text.replace(secret, "[key]")
    return _SECRETS.sub("[key]", text)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found
