"""Money: an estimate before, the provider's own count after, totals by day and month, and the artist's limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ..database.jobs import stamp
from ..database.paid_calls import PaidCalls
from ..domain.errors import SpendingLimit
from ..domain.job import Job
from ..domain.paid_call import CallState, PaidCall, Spent
from ..domain.prices import estimate
from ..domain.request import GenerationRequest
from ..providers.base import Provider
from ..settings import Settings

#: How many early looks at a picture are asked for, where there are any.
PARTIAL_IMAGES = 2


@dataclass(frozen=True, kw_only=True)
class Account:
    """What one provider cost, in dollars."""

    today: Spent
    month: Spent


class Ledger:
    """Every call that may cost money passes here before it leaves."""

    def __init__(self, calls: PaidCalls, settings: Settings, providers: Mapping[str, Provider]) -> None:
        self._calls = calls
        self._settings = settings
        self._providers = providers

    def estimate(self, request: GenerationRequest) -> float | None:
        """About what a completed request will cost with all its images; None for what is free or has no price."""
        provider = self._providers.get(request.provider)
        if provider is None or not provider.capabilities().paid:
            return None
        one = estimate(request, PARTIAL_IMAGES if self._settings.number("preview_every") else 0)
        return None if one is None else one * request.count

    def line(self, request: GenerationRequest) -> str | None:
        """The estimate as a person says it: about $0.21."""
        dollars = self.estimate(request)
        return None if dollars is None else f"about {money(dollars)}"

    def begin(self, job: Job, index: int, nonce: str) -> None:
        """Remembers a call that is about to leave; raises SpendingLimit instead when it would pass the limit,
        and IllegalMove when the job is no longer ours."""
        request = job.request
        price = (self.estimate(request) or 0.0) / request.count
        call = PaidCall(
            nonce=nonce,
            job=job.id,
            index=index,
            provider=request.provider,
            model=request.model or "",
            estimate=price,
            began=stamp(datetime.now(UTC)),
        )
        limit = self._settings.number("monthly_limit_dollars")
        spent = self._calls.begin(call, limit, _month_start(), job.owner)
        if spent is not None:
            raise SpendingLimit(
                f"{money(spent.most)} of this month's {money(limit)} are spent; a picture takes about {money(price)}.",
                "Raise `monthly_limit_dollars` in the settings, or wait for the next month.",
            )

    def accepted(self, nonce: str, provider_id: str) -> None:
        self._calls.change(nonce, CallState.ACCEPTED, provider_id=provider_id)

    def ended(self, nonce: str, state: CallState, cost: float | None = None) -> None:
        self._calls.change(nonce, state, cost=cost, ended=stamp(datetime.now(UTC)))

    def end_open(self, job: str, state: CallState) -> None:
        """What is still open of a job ends this way."""
        for call in self._calls.open_of([job]):
            self.ended(call.nonce, state)

    def note_expense(self, provider: str, model: str, cost: float, nonce: str) -> None:
        """Something that was paid for beside a picture: a few words of a language model."""
        moment = stamp(datetime.now(UTC))
        call = PaidCall(
            nonce=nonce, job="", index=0, provider=provider, model=model, estimate=cost, cost=cost,
            state=CallState.ANSWERED, began=moment, ended=moment,
        )  # fmt: skip
        self._calls.begin(call)

    def open_calls(self, *jobs: str) -> list[PaidCall]:
        """The calls of these jobs whose outcome is not known."""
        return self._calls.open_of(jobs)

    def account(self, provider: str) -> Account | None:
        """Today's and this month's money of one provider; None for one that is free."""
        drawer = self._providers.get(provider)
        return self.accounts()[provider] if drawer is not None and drawer.capabilities().paid else None

    def accounts(self) -> dict[str, Account]:
        """By provider: today's and this month's money."""
        today, month = self._calls.spent(_day_start()), self._calls.spent(_month_start())
        return {
            name: Account(today=today.get(name, Spent()), month=month.get(name, Spent()))
            for name, provider in self._providers.items()
            if provider.capabilities().paid
        }


def money(dollars: float) -> str:
    """$12.30, $0.053, $0.0004: two digits that count, at least cents."""
    if dollars and dollars < 0.1:
        digits = 3 if dollars >= 0.01 else 4
        return f"${dollars:.{digits}f}"
    return f"${dollars:.2f}"


def _day_start() -> str:
    return stamp(datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0))


def _month_start() -> str:
    return stamp(datetime.now().astimezone().replace(day=1, hour=0, minute=0, second=0, microsecond=0))
