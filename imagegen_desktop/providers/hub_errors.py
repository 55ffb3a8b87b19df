"""What a hub's refusals mean, in an artist's words."""

from __future__ import annotations

import email.utils
import time

import httpx2

from ..domain.errors import (
    BadAnswer,
    KeyRefused,
    ModelGone,
    NotAllowed,
    NotFound,
    Problem,
    RateLimited,
    Unreachable,
)

_LONGEST_WAIT = 3600.0


def hub_problem(response: httpx2.Response, model_id: str, page: str, has_token: bool) -> Problem:
    """The Problem an answer of the hub stands for."""
    status, code = response.status_code, response.headers.get("x-error-code", "")
    said = response.headers.get("x-error-message", "")
    if code == "GatedRepo":
        return gated(model_id, page, has_token)
    if "disabled" in said or status == 451:
        return ModelGone(f"The hub no longer gives out {model_id}.", "Choose another model.")
    if code == "RevisionNotFound":
        return NotFound(f"{model_id} has no such revision.", f"They are listed at {page}.")
    if code == "EntryNotFound":
        return NotFound(f"A file of {model_id} is no longer there.", f"Look at {page}.")
    if status == 401 and "Invalid" in said:
        return KeyRefused("The hub does not take your token.", "Enter another one: `keys set huggingface`.")
    if code == "RepoNotFound" or status in (401, 404):
        hidden = "" if has_token else " If it is private, enter a token: `keys set huggingface`."
        return NotFound(f"The hub has no model {model_id}.", f"Look at its name, letter by letter.{hidden}")
    if status == 403:
        return NotAllowed(f"The hub does not let you have {model_id}.", f"Look at {page} what it asks for.")
    if status == 429:
        return RateLimited("The hub asks us to wait.", "It goes on by itself, or later.", _seconds(response))
    if status >= 500 or status in (408, 416, 425):
        return Unreachable("The hub is in trouble.", "Try again in a while.", _seconds(response))
    return BadAnswer(f"The hub refuses {model_id} ({status}).", f"Look at {page}.")


def gated(model_id: str, page: str, has_token: bool) -> NotAllowed:
    """The makers want their licence accepted by a person first."""
    token = (
        "then try again with a token of the same account."
        if has_token
        else "then enter a token of your account: `keys set huggingface`."
    )
    problem = NotAllowed(f"{model_id} is given only to those who accept its licence.", f"Do so at {page}, {token}")
    problem.page = page
    return problem


def odd(model_id: str) -> BadAnswer:
    return BadAnswer(
        f"What answers about {model_id} is no model hub.", "Look whether this network asks for a login, or HF_ENDPOINT."
    )


def _seconds(response: httpx2.Response) -> float:
    """How long to wait, as the server says: seconds or a date; 0 when it does not."""
    text = response.headers.get("retry-after", "")
    if text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    when = email.utils.parsedate_tz(text)
    return 0.0 if when is None else max(0.0, min(email.utils.mktime_tz(when) - time.time(), _LONGEST_WAIT))
