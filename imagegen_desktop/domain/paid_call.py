"""PaidCall: one request that may cost money, remembered from before it leaves until its picture is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CallState(StrEnum):
    """submitting: it may have left · accepted: the provider named it · answered: its result is with us ·
    refused: not made, not charged · cancelled: left by wish, perhaps charged · abandoned: nobody will ever know."""

    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


#: Its outcome is not known yet.
OPEN = frozenset({CallState.SUBMITTING, CallState.ACCEPTED})


@dataclass(frozen=True, kw_only=True)
class PaidCall:
    """`nonce` is ours, `provider_id` the provider's. Money in US dollars; `cost` None while it is not known."""

    nonce: str
    job: str
    index: int
    provider: str
    model: str
    estimate: float
    state: CallState = CallState.SUBMITTING
    provider_id: str = ""
    cost: float | None = None
    began: str = ""
    ended: str = ""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Money of a span of time: what is known, and what may have been charged beside it."""

    known: float = 0.0
    perhaps: float = 0.0

    @property
    def most(self) -> float:
        return self.known + self.perhaps
