"""Money of a participant: cash by account and currency, collateral against what it must cover, calls, what is to be paid and to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import participant_name
from tonne.interfaces.views.holdings import STATEMENT, balances, statement
from tonne.interfaces.views.trader_view import Agreement, Margin, agreements, margins
from tonne.units import decimals_of

#: Kinds of accounts whose money is a participant's.
WITH_MONEY = ("operator", "trading", "remainder", "cash", "collateral", "default_fund")


@dataclass(frozen=True)
class Cash:
    """Money on one account, minor units; decimals: digits of the currency. reserved: set aside for orders, bids or margin."""

    account: str
    kind: str
    currency: str
    decimals: int
    held: int
    reserved: int
    available: int


@dataclass(frozen=True)
class Call:
    """Collateral that was called, or is missing now (source: day_end, intraday). amount_minor above zero."""

    day: date | None
    account: str
    currency: str
    amount_minor: int
    source: str
    open: bool


@dataclass(frozen=True)
class Fine:
    """A fine on one of the participant's installations."""

    installation: str
    year: int
    shortfall: int
    low_minor: int
    high_minor: int
    currency: str


@dataclass(frozen=True)
class MoneyView:
    """cash: every account with any money; totals: currency -> available on accounts that can be spent from, minor units.

    calls: what is missing now first, then what was called on earlier days, newest first."""

    participant: str
    cash: tuple[Cash, ...]
    totals: dict[str, int]
    margins: tuple[Margin, ...]
    calls: tuple[Call, ...]
    agreements: tuple[Agreement, ...]
    fines: tuple[Fine, ...]


def money(state: State, participant: str) -> MoneyView:
    """A participant's money. Raises NotFound."""
    participant_name(state, participant)
    numbers = [number for number in state.accounts.of_holder(participant) if state.accounts.kinds[number] in WITH_MONEY]
    cash = [
        Cash(
            account=state.accounts.ids[number],
            kind=state.accounts.kinds[number],
            currency=one.unit,
            decimals=decimals_of(one.unit),
            held=one.held,
            reserved=one.reserved,
            available=one.available,
        )
        for number in numbers
        for one in balances(state, number)
        if one.kind == "money"
    ]
    totals: dict[str, int] = {}
    for one in cash:
        if one.kind not in ("collateral", "default_fund"):
            totals[one.currency] = totals.get(one.currency, 0) + one.available
    members = [number for number in numbers if state.exchange.member(number) >= 0]
    covered = margins(state, members)
    return MoneyView(
        participant=participant,
        cash=tuple(cash),
        totals=dict(sorted(totals.items())),
        margins=covered,
        calls=_calls(state, covered, {state.accounts.ids[number] for number in members}),
        agreements=agreements(state, members),
        fines=_fines(state, numbers),
    )


def _calls(state: State, covered: tuple[Margin, ...], own: set[str]) -> tuple[Call, ...]:
    found = [Call(None, one.account, one.currency, one.called, "day_end", True) for one in covered if one.called]
    for notice in reversed(state.noticed("margin_calls", None)):
        day = date.fromisoformat(notice["day"])
        found += [Call(day, account, currency, int(minor), "intraday", False) for account, currency, minor in notice["calls"] if account in own]
    return tuple(found)


def _fines(state: State, numbers: list[int]) -> tuple[Fine, ...]:
    keys = [key for number in numbers if (key := state.accounts.installations[number]) is not None]
    rows = state.fines.filter(pl.col("installation").is_in(keys)).sort("year", "installation", descending=[True, False])
    currency = state.rulebook.system.currency
    return tuple(
        Fine(row["installation"], row["year"], row["shortfall"], row["low_minor"], row["high_minor"], currency) for row in rows.iter_rows(named=True)
    )


def movements(state: State, participant: str, *, first: date | None = None, last: date | None = None, cache: Cache | None = None) -> pl.DataFrame:
    """All money that moved on a participant's accounts: account, then the columns of a statement; newest first. Raises NotFound."""
    participant_name(state, participant)
    coins = [unit.code for unit in state.books.unit_types if unit.kind == "money"]
    numbers = [number for number in state.accounts.of_holder(participant) if state.accounts.kinds[number] in WITH_MONEY]
    schema: dict[str, Any] = {"account": pl.String} | STATEMENT
    parts = [pl.DataFrame(schema=schema)]
    for number in numbers:
        rows = statement(state, state.accounts.ids[number], first=first, last=last, cache=cache).filter(pl.col("unit").is_in(coins))
        parts.append(rows.select(pl.lit(state.accounts.ids[number]).alias("account"), *STATEMENT))
    return pl.concat(parts).sort("day", "id", descending=True)
