"""Auctions: those that were held, with what was published of them; those that are open for bids; own bids and what they would cost.

Bids are sealed: while an auction is open nobody's but the asker's own are given out, not even how many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tonne.administration.auction_terms import terms_of
from tonne.administration.auctions import bid, guarantee_of, rules_at, ticks_at
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.interfaces.views.cache import Cache
from tonne.interfaces.views.found import NotFound, account_number, asking, nearest
from tonne.law import LawError
from tonne.market.auction import AuctionRules

AUCTIONS: dict[str, Any] = {
    "auction": pl.String,
    "day": pl.Date,
    "year": pl.Int64,
    "outcome": pl.String,  # cleared, partial, cancelled, declined
    "reason": pl.String,
    "offered": pl.Int64,
    "sold": pl.Int64,
    "unsold": pl.Int64,
    "price": pl.Decimal,  # with as many digits as any has; null: nothing was sold
    "reserve": pl.Decimal,  # the lowest price of the law; null: none, or secret
    "ceiling": pl.Decimal,
    "cover_ratio": pl.Decimal(38, 2),
    "bidders": pl.Int64,
    "winners": pl.Int64,
    "revenue_minor": pl.Int64,  # whoever sold
    "added": pl.Int64,  # units beyond the offer, at the ceiling
    "released": pl.Int64,  # out of containment reserves
    "withheld": pl.Int64,  # taken out for good
}


@dataclass(frozen=True)
class Lot:
    """seller: the kind of account it is offered from."""

    unit: str
    quantity: int
    seller: str
    jurisdiction: str
    category: str


@dataclass(frozen=True)
class OpenAuction:
    """An auction that takes bids. step, smallest: units of a bid; price_step: money; bids_per_bidder: None without a limit.

    lowest, highest: prices that the law names ahead, None where it names none; bid_limit: units that one bidder may bid for, None without a limit;
    secured: a bid's guarantee is set aside at once; by_law: not by a seller's own rules; priceless: bids without a price are taken.
    """

    auction: str
    held_on: date
    days_left: int
    offered: int
    lots: tuple[Lot, ...]
    secured: bool
    by_law: bool
    pricing: str
    step: int
    smallest: int
    price_step: Decimal
    bids_per_bidder: int | None
    priceless: bool
    lowest: Decimal | None
    highest: Decimal | None
    bid_limit: int | None
    currency: str


@dataclass(frozen=True)
class OwnBid:
    account: str
    price: Decimal | None
    quantity: int
    kind: str


@dataclass(frozen=True)
class OwnBids:
    """A participant's bids in an open auction. guarantee_minor: set aside for them by account."""

    auction: str
    bids: tuple[OwnBid, ...]
    quantity: int
    guarantee_minor: dict[str, int]


@dataclass(frozen=True)
class BidPreview:
    """What bids of one account would need. refused: the refusal's name, `` if the bids would be taken.

    needed_minor: the most that they could cost, None where they have no price; there_minor: what is free on the account, with what is set aside for
    its bids in this auction now; short_minor: what is lacking; binding: whether it is set aside at once.
    """

    auction: str
    account: str
    quantity: int
    needed_minor: int | None
    there_minor: int
    short_minor: int
    binding: bool
    currency: str
    refused: str
    reason: str


@dataclass(frozen=True)
class Result:
    """What was published of one auction: `fields` as in AUCTIONS."""

    auction: str
    fields: dict[str, Any]


def auctions(state: State, *, year: int | None = None, cache: Cache | None = None) -> pl.DataFrame:
    """Every auction that was held, in AUCTIONS, newest first; of a year (its own, where it sells for another than its day's), or all."""

    def made() -> pl.DataFrame:
        rows = [_row(notice) for notice in reversed(state.noticed("auction_result", None))]
        digits = _digits(row[name] for row in rows for name in ("price", "reserve", "ceiling"))
        schema = {name: pl.Decimal(38, digits) if kind == pl.Decimal else kind for name, kind in AUCTIONS.items()}
        table = pl.DataFrame({name: [row[name] for row in rows] for name in schema}, schema=schema)
        return table.sort("day", descending=True, maintain_order=True)

    frame = (cache or Cache()).get("auctions", (len(state.noticed("auction_result", None)), len(state.exchange.auctioned)), made)
    return frame if year is None else frame.filter(pl.col("year") == year)


def _digits(prices: Iterable[Decimal | None]) -> int:
    """Digits after the point that all prices need."""
    return max((-int(price.as_tuple().exponent) for price in prices if price is not None), default=2)


def _row(notice: dict[str, Any]) -> dict[str, Any]:
    money = {name: None if notice[name] is None else Decimal(notice[name]) for name in ("price", "reserve", "ceiling", "cover_ratio")}
    row = {name: notice[name] for name in AUCTIONS if name in notice} | money
    return row | {"day": date.fromisoformat(notice["day"]), "revenue_minor": notice["paid_minor"], "released": sum(notice["by_tier"])}


def result(state: State, name: str, *, cache: Cache | None = None) -> Result:
    """One auction that was held. Raises NotFound, with the nearest names."""
    rows = auctions(state, cache=cache).filter(pl.col("auction") == name).to_dicts()
    if not rows:
        raise NotFound("auction", name, nearest(name, [*state.exchange.auctioned, *state.exchange.sales]))
    return Result(name, rows[0])


def open_auctions(state: State, today: date) -> tuple[OpenAuction, ...]:
    """Auctions that take bids on a day, soonest first."""
    found = [_open(state, name, sale, today) for name, sale in state.exchange.sales.items() if date.fromisoformat(sale["held_on"]) >= today]
    return tuple(sorted(found, key=lambda one: (one.held_on, one.auction)))


def open_auction(state: State, name: str, today: date) -> OpenAuction:
    """One announced auction, also after its day as long as it is not held. Raises NotFound."""
    return _open(state, name, _sale(state, name), today)


def _sale(state: State, name: str) -> dict[str, Any]:
    sale = state.exchange.sales.get(name)
    if sale is None:
        raise NotFound("auction", name, nearest(name, state.exchange.sales))
    return sale


def _open(state: State, name: str, sale: dict[str, Any], today: date) -> OpenAuction:
    rules = rules_at(state, asking(max(today, state.today)), sale)
    offered = sum(row["quantity"] for row in sale["offers"])
    held_on = date.fromisoformat(sale["held_on"])
    low, high, limit = _bounds(state, sale, rules, offered, max(held_on, state.today))
    return OpenAuction(
        auction=name,
        held_on=held_on,
        days_left=(held_on - today).days,
        offered=offered,
        lots=tuple(_lot(state, row) for row in sale["offers"]),
        secured=sale["secured"],
        by_law=sale["own"] is None,
        pricing=rules.pricing,
        step=rules.step,
        smallest=rules.minimum,
        price_step=rules.price_step,
        bids_per_bidder=rules.bids_per_bidder,
        priceless=rules.non_competitive_share is not None,
        lowest=low,
        highest=high,
        bid_limit=limit,
        currency=state.rulebook.system.currency,
    )


def _lot(state: State, row: dict[str, Any]) -> Lot:
    unit = state.books.unit_types[row["unit"]].code
    return Lot(unit, row["quantity"], state.accounts.kinds[row["account"]], row["jurisdiction"], row["category"])


def _bounds(state: State, sale: dict[str, Any], rules: AuctionRules, offered: int, day: date) -> tuple[Decimal | None, Decimal | None, int | None]:
    """Lowest and highest price and the most that one bidder may bid for, as far as the law of the auction's day names them ahead."""
    limit = rules.bid_limit(offered)
    if sale["own"] is not None:
        return None, None, limit
    try:
        terms = terms_of(state.law(day), rules, offered, year=day.year)
    except (LawError, ValueError, KeyError):
        return None, None, limit
    low, high = (None if ticks is None else rules.price(ticks) for ticks in (terms.reserve, terms.ceiling))
    limits = [one for one in (limit, terms.bid_limit) if one is not None]
    return low, high, min(limits, default=None)


def own_bids(state: State, name: str, participant: str, today: date) -> OwnBids:
    """The bids that a participant has in an open auction, best first. Raises NotFound."""
    sale = _sale(state, name)
    rules = rules_at(state, asking(max(today, state.today)), sale)
    own = set(state.accounts.of_holder(participant))
    rows = sorted((row for row in sale["bids"] if row[0] in own), key=lambda row: -row[1])
    bids = tuple(OwnBid(state.accounts.ids[row[0]], rules.price(row[1]) if row[1] else None, row[2], row[3]) for row in rows)
    held = {state.accounts.ids[int(number)]: minor for number, (_, minor) in sale["guarantees"].items() if int(number) in own}
    return OwnBids(name, bids, sum(one.quantity for one in bids), held)


def bid_preview(
    state: State, name: str, participant: str, account: str, bids: Sequence[tuple[str, int]], today: date, *, kind: str = ""
) -> BidPreview:
    """What bids (price as text, `` for one without a price; units) of an account would need, and whether they would be taken. Raises NotFound."""
    sale = _sale(state, name)
    own = [state.accounts.ids[one] for one in state.accounts.of_holder(participant)]
    number = account_number(state, account, own)
    ask = asking(max(today, state.today), participant, "bid", auction=name, bids=[[account, price, units, kind] for price, units in bids])
    rules = rules_at(state, ask, sale)
    refused = reason = ""
    needed: int | None = None
    try:
        needed = guarantee_of(rules, [[number, ticks_at(rules, price) if price else 0, units, kind] for price, units in bids])
        bid(state, ask)
    except Refusal as refusal:
        refused, reason = refusal.name, refusal.reason
    currency = state.rulebook.system.currency
    there = int(state.books.available(number, state.unit(currency))) + sale["guarantees"].get(str(number), (0, 0))[1]
    short = max((needed or 0) - there, 0)
    if not refused and sale["secured"] and short:
        refused, reason = "insufficient_balance", ""
    return BidPreview(
        auction=name,
        account=account,
        quantity=sum(units for _, units in bids),
        needed_minor=needed,
        there_minor=there,
        short_minor=short,
        binding=sale["secured"],
        currency=currency,
        refused=refused,
        reason=reason,
    )


def bid_curve(bids: Sequence[tuple[Any, int]]) -> pl.DataFrame:
    """price, quantity (bid for at that price), demand (at that price or above), highest price first, from (price, units) of an auction that is over.

    Who bid is not in it; whether the law lets the curve be shown is the caller's to decide."""
    prices = [Decimal(str(price)) for price, _ in bids]
    schema: dict[str, Any] = {"price": pl.Decimal(38, max(_digits(prices), 0)), "quantity": pl.Int64}
    frame = pl.DataFrame({"price": prices, "quantity": [units for _, units in bids]}, schema=schema)
    summed = frame.group_by("price").agg(pl.col("quantity").sum()).sort("price", descending=True)
    return summed.with_columns(demand=pl.col("quantity").cum_sum())
