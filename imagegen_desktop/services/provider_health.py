"""How each provider is: whether it has a key, whether it waits and why, what it cost; and a knock at its door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..credentials import KeyStore
from ..domain.errors import BadInput, Problem
from ..providers.base import Capabilities, Provider, Reachable
from .announce import Announcer, ProvidersChanged
from .holds import Holds
from .ledger import Account, Ledger


@dataclass(frozen=True, kw_only=True)
class ProviderHealth:
    """`key` says where its key is kept (empty: there is none); `problem` why it waits at the moment."""

    name: str
    capabilities: Capabilities
    key: str = ""
    problem: Problem | None = None
    account: Account | None = None

    @property
    def state(self) -> str:
        """ready, waiting or "no key"."""
        if self.problem is not None:
            return "waiting"
        return "no key" if self.capabilities.key and not self.key else "ready"


class ProviderDesk:
    """What settings dialog, provider list and command line show and do about providers and their keys."""

    def __init__(
        self, providers: Mapping[str, Provider], keys: KeyStore, holds: Holds, ledger: Ledger, announce: Announcer
    ) -> None:
        self._providers = providers
        self._keys = keys
        self._holds = holds
        self._ledger = ledger
        self._announce = announce

    def all(self) -> list[ProviderHealth]:
        accounts = self._ledger.accounts()
        return [self._health(name, provider, accounts.get(name)) for name, provider in self._providers.items()]

    def check(self, name: str, key: str | None = None) -> str:
        """Knocks at a provider's door, with the stored key or one not stored yet; a sentence, or a Problem."""
        provider: object = self._providers.get(name)
        if not isinstance(provider, Reachable):
            known = [name for name, provider in self._providers.items() if isinstance(provider, Reachable)]
            raise BadInput("provider", name, "one that can be asked: " + ", ".join(known))
        answer = provider.check(key)
        self._holds.release(name)
        return answer

    def set_key(self, name: str, value: str, in_file: bool = False) -> str:
        """Keeps a key and says where; its provider may be asked again at once."""
        where = self._keys.set(name, value, in_file)
        self._mended(name)
        return where

    def remove_key(self, name: str) -> bool:
        removed = self._keys.remove(name)
        self._mended(name)
        return removed

    def _mended(self, name: str) -> None:
        self._holds.release(name)
        self._announce.publish(ProvidersChanged(names=(name,)))

    def _health(self, name: str, provider: Provider, account: Account | None) -> ProviderHealth:
        capabilities = provider.capabilities()
        return ProviderHealth(
            name=name,
            capabilities=capabilities,
            key=self._keys.where(capabilities.key) if capabilities.key else "",
            problem=self._holds.reason(name),
            account=account,
        )
