"""Accounts as the registry knows them: an id, a kind, a holder, the installation they belong to. What they hold is the ledger's affair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tonne.registers import tables
from tonne.registers.errors import RegisterError

ACCOUNT_SCHEMA: dict[str, Any] = {
    "account": pl.String,  # the id, unique
    "kind": pl.String,  # one of KINDS
    "holder": pl.String,  # a participant
    "installation": pl.String,  # null for accounts that belong to no installation
}

#: kind -> what it is for. Ends of life are accounts.
KINDS: dict[str, str] = {
    "issuance": "units come into being here; negative by what was issued",
    "total_quantity": "units issued and not yet allocated, auctioned or set aside",
    "auction": "units offered for sale",
    "stability_reserve": "units withheld by the stability mechanism",
    "operator": "an operator's account for one installation",
    "trading": "a participant's account tied to no installation",
    "remainder": "what the published totals hold beyond the registered installations",
    "surrendered": "units accounted against verified emissions",
    "cancelled": "units removed with no obligation met",
    "invalidated": "units whose validity the law ended",
    "cash": "money owed by (negative) or to (positive) a participant",
    "position": "contracts that a participant has bought (positive) or sold (negative), in lots",
    "collateral": "money behind a participant's positions",
    "default_fund": "a participant's share of what all members put up against a default",
    "ccp": "the central counterparty: buyer to every seller; its money is below zero by what members owe it",
    "ccp_capital": "the central counterparty's own money, ahead of the other members' in a default",
    "escrow": "units and money set aside for agreements that are not settled yet",
    "outside": "accounts of other registries or of before the books began",
}


class Accounts:
    """Accounts in the order of opening: the position is the ledger's account number. Grows only; `RegisterError` for a second use of an id."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.kinds: list[str] = []
        self.holders: list[str] = []
        self.installations: list[str | None] = []
        self._numbers: dict[str, int] = {}
        self._by_holder: dict[str, list[int]] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, account: object) -> bool:
        return account in self._numbers

    def number(self, account: str) -> int:
        """The ledger number of an account id; `RegisterError` if there is none."""
        try:
            return self._numbers[account]
        except KeyError:
            raise RegisterError(f"accounts: no account {account!r}") from None

    def find(self, account: str) -> int:
        """The ledger number, or -1."""
        return self._numbers.get(account, -1)

    def add(self, ids: Sequence[str], kinds: Sequence[str], holders: Sequence[str], installations: Sequence[str | None]) -> None:
        """Append accounts. Nothing is added when one of them cannot be."""
        unknown = set(kinds) - set(KINDS)
        if unknown:
            raise RegisterError(f"accounts: unknown kinds {sorted(unknown)}; there are {', '.join(KINDS)}")
        if len(set(ids)) != len(ids) or any(account in self._numbers for account in ids):
            twice = sorted({a for a in ids if a in self._numbers} or {a for a in ids if list(ids).count(a) > 1})[:5]
            raise RegisterError(f"accounts: opened before or twice: {twice}")
        first = len(self.ids)
        self._numbers.update(zip(ids, range(first, first + len(ids)), strict=True))
        self.ids.extend(ids)
        self.kinds.extend(kinds)
        self.holders.extend(holders)
        self.installations.extend(installations)
        self._by_holder = None

    def of_holder(self, holder: str) -> list[int]:
        """Numbers of the accounts of a holder."""
        known = self._by_holder
        if known is None:
            known = {}
            for number, name in enumerate(self.holders):
                known.setdefault(name, []).append(number)
            self._by_holder = known  # whole or not at all: others may look meanwhile
        return known.get(holder, [])

    def of_kind(self, kind: str) -> list[int]:
        return [number for number, name in enumerate(self.kinds) if name == kind]

    def frame(self) -> pl.DataFrame:
        """A frame in ACCOUNT_SCHEMA, in the order of the numbers."""
        return pl.DataFrame([self.ids, self.kinds, self.holders, self.installations], schema=ACCOUNT_SCHEMA, orient="col")

    def to_bytes(self) -> bytes:
        return tables.to_bytes(self.frame())

    @classmethod
    def from_bytes(cls, data: bytes) -> Accounts:
        frame = tables.from_bytes(data, "accounts")
        accounts = cls()
        accounts.add(*(frame[name].to_list() for name in ACCOUNT_SCHEMA))
        return accounts
