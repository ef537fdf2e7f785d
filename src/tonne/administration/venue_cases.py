"""Published numbers of venues as cases: last trading days, due days, opening prices, asked of contracts and of the rooms that act on them.

`rulebooks/venues/<id>/cases/*.yaml` are lists of cases as a rulebook's are; `ask` is one of QUESTIONS, `given` its inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from tonne.administration.cases import Outcome, agrees, read_cases
from tonne.clearing.settlement import due_day
from tonne.law import contracts as texts
from tonne.market.contract import Contract
from tonne.market.expiry import Calendar, of_month
from tonne.market.orders import Happening, InstrumentRules, Phase, SelfTrade, Side
from tonne.market.plain_book import PlainBook


def run_venues() -> list[Outcome]:
    """The cases beside every venue that ships. Raises RulebookError for a file that cannot be read."""
    return [outcome for name in texts.venues() for outcome in run_venue(name)]


def run_venue(name: str) -> list[Outcome]:
    """The cases beside one venue."""
    folder = Path(texts.venue(name).place) / "cases"
    outcomes = []
    for case, place in (one for path in sorted(folder.glob("*.yaml")) for one in read_cases(path, f"venues/{name}/cases/{path.name}")):
        try:
            got = _plain(QUESTIONS[case.ask or ""](case.on, **case.given))
            passed = agrees(_plain(case.expect), got, case.tolerance)
        except Exception as error:  # whatever a case makes of a contract is this case's failure, not that of the others
            got, passed = f"{type(error).__name__}: {error}", type(error).__name__ == case.refused
        expected = case.refused or _plain(case.expect)
        outcomes.append(Outcome(case.name, name, place, case.kind, case.ask or "", passed, expected, got, case.source, case.confidence, case.note))
    return outcomes


def contract_on(name: str, day: date) -> Contract:
    """A shipped contract with its terms of a day."""
    listed = texts.contract(name)
    return Contract.of(listed.id, listed.venue, listed.kind, listed.at(day).values)


def last_trading_day(on: date, contract: str, year: int, month: int) -> date:
    """The last trading day of a month's contract."""
    return of_month(contract_on(contract, on), year, month).expiry


def delivery_day(on: date, contract: str, year: int, month: int) -> date | None:
    """The day on which a month's contract is delivered."""
    return of_month(contract_on(contract, on), year, month).delivery


def settlement_day(on: date, contract: str, clock: str) -> date:
    """The day on which a trade made today at a local time is settled."""
    terms = contract_on(contract, on)
    is_open = Calendar(terms.holidays).is_open
    return due_day(on, time.fromisoformat(clock), lag=terms.settlement_lag or 0, is_business=is_open, cutoff=terms.cutoff, late_lag=terms.late_lag)


def tick_value(on: date, contract: str) -> int:
    """Minor units that a tick on a lot is worth."""
    return contract_on(contract, on).tick_value


def call_auction(on: date, sell: Mapping[int, Sequence[int]], buy: Mapping[int, Sequence[int]], reference: int = 0) -> dict[str, Any]:
    """One call: orders by price, in the order of their entry; price, volume, and what each order got."""
    book = PlainBook([InstrumentRules(reference=reference, phase=Phase.OPENING_CALL)])
    placed: list[tuple[str, int, int]] = []
    for name, side, wishes in (("sell", Side.SELL, sell), ("buy", Side.BUY, buy)):
        for price, quantities in wishes.items():
            for quantity in quantities:
                placed.append((name, int(price), int(quantity)))
                book.limit(len(placed), len(placed), side, int(quantity), int(price), self_trade=SelfTrade.ALLOW)
    rows = book.begin_phase(Phase.CONTINUOUS)
    trades = rows[rows["happening"] == Happening.TRADE]
    filled = [0] * (len(placed) + 1)
    for row in trades:
        filled[int(row["order"])] += int(row["quantity"])
        filled[int(row["against"])] += int(row["quantity"])
    answer: dict[str, Any] = {"price": int(trades["price"][0]) if len(trades) else None, "volume": int(trades["quantity"].sum())}
    for name in ("sell", "buy"):
        got: dict[int, list[int]] = {}
        for number, (side_name, price, _) in enumerate(placed, 1):
            if side_name == name:
                got.setdefault(price, []).append(filled[number])
        answer[name] = got
    return answer


QUESTIONS: dict[str, Callable[..., Any]] = {
    "last_trading_day": last_trading_day,
    "delivery_day": delivery_day,
    "settlement_day": settlement_day,
    "tick_value": tick_value,
    "call_auction": call_auction,
}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value
