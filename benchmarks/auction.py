"""How long a primary auction takes to clear, on one core: a million bids over the switches that cost most, and the plain twin beside it.

Workload: bids of 50,000 bidders, 1 to 199 lots of 500 at 20.00 to 90.00 in cents, drawn evenly; half of what is bid for is on offer. `one price` has
all bids at one price, so that all of them are in the tie. `trimmed` gives every bidder a purchase limit of 900,000 units that half of them pass,
`guaranteed` a guarantee that two in five pass. Times are `clear_auction` alone (awards, costs by bidder, sale by row), best of five; bids are
columns beforehand.

    python -m benchmarks.auction [scale]
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.ledger_memory import machine
from tonne.market.auction import AuctionRules, Bids, clear_auction
from tonne.market.plain_auction import clear_plainly

N_BIDS, N_PLAIN, PER_BIDDER = 1_000_000, 5_000, 20
PURCHASE_LIMIT, GUARANTEE = 900_000, 3_500_000_000


def book(n: int, *, one_price: bool = False) -> Bids:
    """n bids of n / 20 bidders."""
    random = np.random.default_rng(7)
    prices = np.full(n, 5_000) if one_price else random.integers(2_000, 9_000, n)
    return Bids.of(random.integers(0, max(n // PER_BIDDER, 1), n), prices, random.integers(1, 200, n) * 500)


def run(scale: float = 1.0) -> list[dict[str, Any]]:
    """One row a workload: what, bids, milliseconds."""
    n = max(100, int(N_BIDS * scale))
    bids, tied = book(n), book(n, one_price=True)
    limits, guarantees = np.full(bids.bidders, PURCHASE_LIMIT), np.full(bids.bidders, GUARANTEE)
    rows = [
        row("random ties", bids, "random"),
        row("pro rata ties", bids, "pro_rata"),
        row("random, all at one price", tied, "random"),
        row("pro rata, all at one price", tied, "pro_rata"),
        row("random, bidders trimmed", bids, "random", limits=limits),
        row("random, bidders guaranteed", bids, "random", guarantees=guarantees),
    ]
    return [*rows, plainly(book(min(n, N_PLAIN)))]


def row(what: str, bids: Bids, ranking: str, **given: Any) -> dict[str, Any]:
    rules, offered, times = AuctionRules(ranking=ranking, lot=500), half(bids), []
    for _ in range(5):
        begin = perf_counter()
        clear_auction(rules, offered, bids, reserve=2_500, seed=7, **given)
        times.append(perf_counter() - begin)
    return {"what": what, "bids": len(bids), "ms": min(times) * 1000}


def plainly(bids: Bids) -> dict[str, Any]:
    """The plain twin: the same decision, far fewer bids."""
    rows = list(zip(bids.bidder.tolist(), bids.price.tolist(), bids.quantity.tolist(), strict=True))
    begin = perf_counter()
    clear_plainly(AuctionRules(lot=500), half(bids), rows, reserve=2_500, seed=7)
    return {"what": "plain twin, random ties", "bids": len(bids), "ms": (perf_counter() - begin) * 1000}


def half(bids: Bids) -> int:
    return int(bids.quantity.sum()) // 2 // 500 * 500


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'workload':<32}{'bids':>12}{'ms':>10}{'bids per second':>18}"]
    lines += [f"{row['what']:<32}{row['bids']:>12,}{row['ms']:>10.1f}{row['bids'] / row['ms'] * 1000:>18,.0f}" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    print(machine())
    print(table(run(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)))
