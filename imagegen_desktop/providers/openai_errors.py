"""What OpenAI's errors mean for an artist: the kind of problem, plain words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import openai

from ..domain.errors import (
    BadAnswer,
    KeyRefused,
    ModelGone,
    NotAllowed,
    OutOfCredit,
    ProviderProblem,
    RateLimited,
    Refused,
    Uncertain,
    Unreachable,
)
from .connection import FAILURES as TRANSPORT_FAILURES
from .connection import TooLarge, never_left
from .words import PATIENCE, request_number, retry_after, their_words

NAME = "OpenAI"
UNCERTAIN_ADVICE = (
    "It may have been charged; look at platform.openai.com/usage. It is not sent again unless you retry it."
)

_REFUSALS = {"moderation_blocked", "content_policy_violation"}
_NO_MONEY = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
}


#: Whatever the client may raise while a request is under way.
FAILURES = (openai.OpenAIError, *TRANSPORT_FAILURES)


def problem_of(error: Exception, key: str, request_id: str = "") -> ProviderProblem:
    """The Problem behind whatever the client raised while a request was under way."""
    if isinstance(error, openai.APIStatusError):
        body = error.body if isinstance(error.body, Mapping) else {}
        number = request_number(error.request_id)
        return problem_of_answer(error.status_code, body, key, error.response.headers, number)
    if isinstance(error, TooLarge) or _has_cause(error, TooLarge):
        return BadAnswer(f"{NAME} sent more than any picture needs.", "Retry later; it may have been charged.")
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
        if never_left(error):
            return Unreachable(f"{NAME} cannot be reached.", "Check the network connection or the proxy.")
        return Uncertain(f"The connection to {NAME} broke before the answer was complete.", UNCERTAIN_ADVICE)
    said = _numbered(f"{NAME} sent an answer nobody can read.", request_id)
    return BadAnswer(said, "Retry later; it may have been charged.")


def problem_of_answer(
    status: int, error: Mapping[str, Any], key: str, headers: Mapping[str, str], request_id: str
) -> ProviderProblem:
    """The Problem a complete error answer stands for; `error` is its inner object."""
    code, kind = str(error.get("code") or ""), str(error.get("type") or "")
    said = _numbered(their_words(error.get("message"), key), request_id)
    if code in _REFUSALS or kind == "image_generation_user_error" or status == 451:
        return Refused(f"{NAME} refused this prompt: {said}", "Change the prompt; nothing was charged.")
    if kind == "insufficient_quota" or code in _NO_MONEY:
        return OutOfCredit(
            f"The {NAME} account has no credit left.",
            "Add some at platform.openai.com/settings/organization/billing, then resume.",
        )
    if status == 401:
        return KeyRefused(f"{NAME} does not take the API key.", "Enter a valid one: `keys set openai`, or in Settings.")
    if status == 403:
        return NotAllowed(
            f"{NAME} does not let this account use the model: {said}",
            "Verify the organization at platform.openai.com/settings/organization/general.",
        )
    if status == 404 or code == "model_not_found" or "has been deprecated" in said:
        return ModelGone(f"{NAME} no longer has this model: {said}", "Choose gpt-image-2.6-flare instead.")
    return _by_status(status, said, request_id, retry_after(headers))


def _by_status(status: int, said: str, request_id: str, seconds: float) -> ProviderProblem:
    if status == 429:
        return RateLimited(f"{NAME} asks for fewer requests at a time.", PATIENCE, seconds)
    if status == 503:
        return RateLimited(f"{NAME} is overloaded.", PATIENCE, seconds)
    if status in (408, 502, 504) or status > 504:
        return Uncertain(_numbered(f"{NAME} did not answer in time (status {status}).", request_id), UNCERTAIN_ADVICE)
    if status >= 500:
        return ProviderProblem(f"{NAME} had an error of its own: {said}", "Retry later.")
    return ProviderProblem(f"{NAME} did not accept the request: {said}", "Change the request.")


def _numbered(text: str, request_id: str) -> str:
    """With the number under which the provider's support finds the request."""
    return f"{text} (request {request_id})" if request_id else text


def _has_cause(error: BaseException, kind: type[BaseException]) -> bool:
    cause = error.__cause__ or error.__context__
    return cause is not None and (isinstance(cause, kind) or _has_cause(cause, kind))
