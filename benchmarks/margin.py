"""How long the initial margin of a clearing house takes, on one core: options priced from scratch, then all accounts, and the plain twin beside it.

Workload: 1,000 accounts, 50 instruments in two families (10 futures, 40 options: 20 strikes, calls and puts), 16 scenarios, one credit between the
families; every account holds -200 to 200 lots of everything, drawn evenly. `options priced` is `losses` (each option in each scenario by QuantLib's
Black-76, and its delta), `accounts` is `initial_margin` with those losses, `both` is what a day needs. Best of five; the plain twin once, over fewer
accounts. The first import of QuantLib (a fifth of a second) is not counted.

    python -m benchmarks.margin [scale]
"""

from __future__ import annotations

import sys
from decimal import Decimal
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.ledger_memory import machine
from tonne.clearing.margin import Book, Credit, Family, Held, Losses, initial_margin, losses
from tonne.clearing.option import Option
from tonne.clearing.plain_margin import PlainMargin

N_ACCOUNTS, N_PLAIN = 1_000, 50


def book() -> Book:
    """Eight expiries of one future and forty options on the first, two of another; every figure is invented."""
    near = Family(
        name="near",
        currency="EUR",
        lot=1_000,
        price_scan=Decimal("6.00"),
        volatility_scan=Decimal("0.10"),
        spread_charge=150,
        short_option_minimum=50,
    )
    other = Family(name="other", currency="EUR", lot=1_000, price_scan=Decimal("5.00"), spread_charge=100)
    held = [Held(code=f"near:{year}", family="near", price=Decimal("83.60") + year, month=str(year)) for year in range(8)]
    held += [Held(code=f"other:{year}", family="other", price=Decimal("50.60") + year, month=str(year)) for year in range(2)]
    for strike in range(64, 104, 2):
        for right in ("call", "put"):
            terms = Option(right, strike, Decimal("0.38"), 24, Decimal("0.02"))
            held.append(Held(code=f"{right}:{strike}", family="near", price=Decimal("5.00"), month="0", option=terms, future=Decimal("83.60")))
    return Book((near, other), tuple(held), (Credit(families=("near", "other"), share=Decimal("0.50")),))


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """One row a step: what, accounts, milliseconds."""
    whole, accounts = book(), max(10, int(N_ACCOUNTS * scale))
    lots = np.random.default_rng(7).integers(-200, 201, (accounts, len(whole.instruments)))
    losses(whole)
    known: Losses | None = None
    priced, margined, both = [], [], []
    for _ in range(5):
        begin = perf_counter()
        known = losses(whole)
        middle = perf_counter()
        found = initial_margin(lots, whole, known)
        end = perf_counter()
        priced.append(middle - begin)
        margined.append(end - middle)
        both.append(end - begin)
    assert known is not None
    few = min(accounts, N_PLAIN)
    begin = perf_counter()
    plain = PlainMargin(whole, known.scale)
    answers = [plain.of({one.code: int(lots[row, column]) for column, one in enumerate(whole.instruments)}) for row in range(few)]
    slow = perf_counter() - begin
    if [answer["required"]["EUR"] for answer in answers] != found.required[:few, 0].tolist():
        raise AssertionError("the plain twin answers another margin")
    steps = [
        ("options priced", accounts, min(priced)),
        ("accounts", accounts, min(margined)),
        ("both", accounts, min(both)),
        ("plain twin", few, slow),
    ]
    return [{"what": what, "accounts": count, "milliseconds": round(1_000 * spent, 1)} for what, count, spent in steps]


def table(rows: list[dict[str, Any]]) -> str:
    lines = ["50 instruments (40 options), 16 scenarios; limit 500 ms for both", f"{'':20}{'accounts':>10}{'milliseconds':>14}"]
    lines += [f"{row['what']:20}{row['accounts']:>10,}{row['milliseconds']:>14,.1f}" for row in rows]
    return "\n".join(lines)


def main() -> None:
    print(machine())
    print(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))


if __name__ == "__main__":
    main()
