"""Requests that may cost money: written before they leave, and what became of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..domain.errors import IllegalMove
from ..domain.job import JobState
from ..domain.paid_call import OPEN, CallState, PaidCall, Spent
from .connection import Database, Library
from .tables import JobRow, PaidCallRow, columns

_COLUMNS = columns(PaidCallRow)
_OPEN = [state.value for state in OPEN]
_CHUNK = 500


class PaidCalls:
    """All paid calls of a library. Times are stamps as the library writes them."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def begin(self, call: PaidCall, limit: float = 0.0, since: str = "", owner: str = "") -> Spent | None:
        """Remembers a call about to leave, durably. With a `limit`, only if everything since `since` and this
        call stay within it; else the answer is what was spent.

        An open call for the same image is abandoned by that: the artist wished to ask again. With an `owner`, raises
        IllegalMove when he no longer holds the job: after a long sleep somebody else may have sent it already.
        """

        def insert(db: Database) -> Spent | None:
            if owner and not _holds(db, call.job, owner):
                raise IllegalMove(f"Job {call.job} was taken over by another process.")
            spent = _spent(db, since, call.provider).get(call.provider, Spent())
            if limit and spent.most + call.estimate > limit:
                return spent
            same = (PaidCallRow.job == call.job) & (PaidCallRow.idx == call.index) & PaidCallRow.state.in_(_OPEN)
            PaidCallRow.update(state=CallState.ABANDONED.value, ended=call.began).where(same).execute(db)
            PaidCallRow.insert(**_values(call)).execute(db)
            return None

        return self._library.write(insert)

    def change(self, nonce: str, state: CallState, **values: Any) -> None:
        """Notes what became of a call: its state, and `provider_id`, `cost` or `ended`."""
        query = PaidCallRow.update(state=state.value, **values).where(PaidCallRow.nonce == nonce)
        self._library.write(query.execute)

    def open_of(self, jobs: Collection[str]) -> list[PaidCall]:
        """The calls of these jobs whose outcome is not known."""
        wanted = list(jobs)
        chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
        is_open = PaidCallRow.state.in_(_OPEN)
        queries = [PaidCallRow.select(*_COLUMNS).where(PaidCallRow.job.in_(chunk) & is_open) for chunk in chunks]
        return [
            _call(row) for row in self._library.read(lambda db: [row for one in queries for row in db.execute(one)])
        ]

    def spent(self, since: str) -> dict[str, Spent]:
        """Money by provider since that moment."""
        return self._library.read(lambda db: _spent(db, since))


def _holds(db: Database, job: str, owner: str) -> bool:
    mine = (JobRow.id == job) & (JobRow.owner == owner) & (JobRow.state == JobState.RUNNING.value)
    return bool(list(db.execute(JobRow.select(JobRow.id).where(mine))))


def _spent(db: Database, since: str, provider: str = "") -> dict[str, Spent]:
    query = PaidCallRow.select(*_COLUMNS).where(
        (PaidCallRow.began >= since) & (PaidCallRow.state != CallState.REFUSED.value)
    )
    if provider:
        query = query.where(PaidCallRow.provider == provider)
    sums: dict[str, Spent] = {}
    for row in db.execute(query):
        call = _call(row)
        before = sums.get(call.provider, Spent())
        known = call.cost or 0.0
        perhaps = call.estimate if call.cost is None else 0.0
        sums[call.provider] = Spent(known=before.known + known, perhaps=before.perhaps + perhaps)
    return sums


def _values(call: PaidCall) -> dict[str, Any]:
    values = {name: value for name, value in vars(call).items() if name != "index"}
    return values | {"idx": call.index, "state": call.state.value}


def _call(row: Any) -> PaidCall:
    nonce, job, index, provider, model, provider_id, state, estimate, cost, began, ended = row
    return PaidCall(
        nonce=nonce, job=job, index=index, provider=provider, model=model, provider_id=provider_id,
        state=CallState(state), estimate=estimate, cost=cost, began=began, ended=ended,
    )  # fmt: skip
