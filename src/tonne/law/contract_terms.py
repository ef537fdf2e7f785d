"""The closed list of terms that a contract may have, and what each holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tonne.dates import DateError, zone
from tonne.law.faults import nearest
from tonne.units import MEASURES


@dataclass(frozen=True, slots=True)
class Term:
    """kind: one of KINDS. words: the words allowed, of `word` and `words`; the keys allowed, of `map` and `rows`."""

    kind: str
    says: str
    words: tuple[str, ...] = ()


#: What each kind asks for.
KINDS = {
    "count": "a whole number, zero or more",
    "amount": "a number more than zero",
    "share": "a share more than zero and below ten: 10 % is 0.10",
    "shares": "shares more than zero, rising",
    "limit": "a share, or {listed: share, block: share}",
    "text": "a text",
    "texts": "a text or a list of texts",
    "time": "a time of day, as '16:00'",
    "zone": "a time zone, as Europe/London",
    "currency": "a currency's code, as EUR",
    "word": "one word",
    "words": "a list of words",
    "map": "a mapping",
    "rows": "a list of mappings",
    "hours": "phase: spans of hours, as {continuous: '07:00-17:00'}",
}
PHASES = (
    "pre_open", "opening_call", "continuous", "volatility_call", "closing_call", "halt", "post_close", "closed",
    "listed", "negotiated", "block", "auction",
)  # fmt: skip
_WINDOW = ("opens_day", "opens", "closes_day", "closes")
TERMS: dict[str, Term] = {
    # what a lot and a tick are
    "symbol": Term("texts", "the venue's code"),
    "unit": Term("text", "what a lot holds, as its market calls it"),
    "measure": Term("word", "what one unit measures", tuple(MEASURES)),
    "lot": Term("count", "units in a lot (of an option: in a lot of what it is exercised into)"),
    "tick": Term("amount", "smallest step of a price, in money per unit"),
    "currency": Term("currency", "of price and payment"),
    "currencies": Term("words", "where payment is possible in several"),
    # limits
    "price_limit": Term("limit", "largest move from the reference price; null: there is none"),
    "price_limit_steps": Term("shares", "a ladder of such limits, with a pause between"),
    "cooling_minutes": Term("count", "pause when a step of the ladder is reached"),
    "price_limit_base": Term("text", "what the limit is counted from"),
    "block_min_lots": Term("count", "smallest block trade"),
    "block_min_units": Term("count", "smallest block trade, in units"),
    "efs_min_lots": Term("count", "smallest exchange for swap"),
    "block_max_units": Term("count", "largest block or negotiated trade, in units"),
    "min_order_lots": Term("count", "smallest order"),
    "max_order_lots": Term("count", "largest order"),
    "max_order_units": Term("count", "largest order, in units"),
    "max_order_below_units": Term("count", "the first size that is too large for an order, in units"),
    "position_limit_lots": Term("count", "largest position; null: there is none"),
    "position_limit_note": Term("text", "what is said about positions beside a number"),
    # trading
    "matching": Term(
        "word", "how resting orders share what comes", ("price_time", "pro_rata", "seeded_random", "takers_choice", "negotiated")
    ),
    "levels": Term("count", "best opposite levels a taker may choose from"),
    "methods": Term("texts", "ways of trading"),
    "order_types": Term("texts", "kinds of orders"),
    "trade_types": Term("texts", "screen, block, EFP, EFS ..."),
    "hours": Term("hours", "hours by phase, local time", PHASES),
    "hours_note": Term("text", "what is said about hours beside the table"),
    "days": Term("text", "days of trading"),
    "time_zone": Term("zone", "of every time named"),
    "holidays": Term("text", "calendar of business days: a country (GB-ENG) or a market's four-letter code"),
    "quotes": Term("text", "how prices are given"),
    "open_price": Term("text", "the day's first price"),
    "close_price": Term("text", "the day's last price"),
    "daily_settlement": Term("map", "the price positions are marked at", ("method", "opens", "closes", "fallback")),
    "negotiated": Term("texts", "rules of negotiated trades"),
    "participants": Term("texts", "who may trade"),
    # series and expiry
    "series": Term("rows", "what is listed: rows of months and how many", ("months", "count", "years_ahead", "days", "until")),
    "series_note": Term("text", "what is said about series beside the rows"),
    "expiry": Term("map", "the rule of the last trading day, with its parameters", ()),
    "expiry_time": Term("time", "when trading ends on the last trading day"),
    # settlement
    "settlement": Term("word", "units and money before the order, or margin", ("prefunded", "margined")),
    "delivery": Term("word", "what moves at the end", ("physical", "cash", "physical_or_cash")),
    "settlement_lag": Term("count", "business days from trade (spot) or last trading day to delivery"),
    "cutoff": Term("time", "from when the late lag applies"),
    "late_lag": Term("count", "business days of a trade after the cut-off"),
    "notice_lag": Term("count", "business days from last trading day to notice"),
    "seller_window": Term("map", "when the seller delivers, in business days after the last trading day", _WINDOW),
    "buyer_window": Term("map", "when the buyer receives, in business days after the last trading day", _WINDOW),
    "latest_delivery_lag": Term("count", "business days within which a delayed delivery must end"),
    "registry": Term("texts", "where units move"),
    "deliverable": Term(
        "map", "what may be delivered: standard, by, vintages, windows ...",
        ("by", "vintages", "standards", "labels", "sectors", "grade", "windows", "month", "also", "text"),
    ),
    "resale_lag": Term("count", "days until bought units may be sold again"),
    "final_price": Term("text", "the price at which the contract ends"),
    "clearing": Term("text", "who clears"),
    "margin": Term("texts", "kinds of margin named"),
    "fee": Term("text", "what trading costs"),
    # options
    "premium": Term("word", "paid at trade, or margined like a future", ("paid", "futures_style")),
    "style": Term("word", "when it may be exercised", ("european", "american")),
    "exercise": Term("text", "how it is exercised"),
    "exercise_deadline": Term("time", "last time of exercise on the last trading day"),
    "strikes": Term("map", "which strikes are listed", ("each_side", "step", "count", "lowest", "highest", "text")),
    "underlying": Term("text", "id of the contract an option is exercised into"),
    "underlying_lots": Term("count", "lots of it"),
}  # fmt: skip
MOST_LISTED = 250
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?|24:00")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def misfit(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with a term's value, and what to do. `null` is known to be none, and fits every term."""
    term = TERMS[name]
    if value is None:
        return
    if term.kind in ("map", "rows"):
        yield from _misfit_of_maps(name, term, value)
    elif term.kind == "hours":
        yield from _misfit_of_hours(value)
    elif term.kind in ("word", "words"):
        for word in value if isinstance(value, list) else [value]:
            if not isinstance(word, str) or (term.words and word not in term.words):
                yield f"{word!r} is not known", nearest(str(word), term.words)
    elif term.kind == "zone":
        try:
            zone(str(value))
        except DateError as error:
            yield str(error), ""
    elif not _FITS[term.kind](value):
        shown = str(value) if isinstance(value, Decimal | date) else repr(value)
        yield f"{shown} does not fit {name}", f"write {KINDS[term.kind]}"


def _misfit_of_maps(name: str, term: Term, value: Any) -> Iterator[tuple[str, str]]:
    rows = value if term.kind == "rows" else [value]
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        yield f"{value!r} does not fit {name}", f"write {KINDS[term.kind]}"
        return
    for row in rows:
        for key in row:
            if term.words and key not in term.words:
                yield f"unknown key {key!r}", nearest(str(key), term.words)
        if name == "series":
            yield from _misfit_of_series(row)
        if name in ("seller_window", "buyer_window", "daily_settlement"):
            for key in ("opens", "closes"):
                if key in row and not _is_time(row[key]):
                    yield f"{row[key]!r} is no time of day", "write it as '16:00'"


def _misfit_of_series(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    months = row.get("months")
    if ("days" in row) == ("months" in row):
        yield "a row of series has either `months` or `days`", "write {months: [12], count: 7} or {days: 1}"
    elif months is not None and months != "all" and not (isinstance(months, list) and months and all(m in range(1, 13) for m in months)):
        yield f"{months!r} are no months", "write [3, 6, 9, 12] or all"
    for key in ("count", "years_ahead", "days"):
        if key in row and not (_is_count(row[key]) and row[key] <= MOST_LISTED):
            yield f"{key}: {row[key]!r} is no number of them", f"write a whole number up to {MOST_LISTED}"
    if "until" in row and not _MONTH.fullmatch(str(row["until"])):
        yield f"{row['until']!r} is no month", "write it as '2030-12'"


def _misfit_of_hours(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping):
        yield f"{value!r} does not fit hours", f"write {KINDS['hours']}"
        return
    for phase, spans in value.items():
        if phase not in PHASES:
            yield f"unknown phase {phase!r}", nearest(str(phase), PHASES)
        for span in str(spans).split(","):
            ends = span.strip().split("-")
            if len(ends) != 2 or not all(map(_is_time, ends)):
                yield f"{span.strip()!r} is no span of hours", "write it as '09:30-11:30, 13:00-15:00'"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool) and value > 0


def _is_share(value: Any) -> bool:
    return _is_amount(value) and value < 10


def _is_limit(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and set(value) <= {"listed", "block"} and all(share is None or _is_share(share) for share in value.values())
    return _is_share(value)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


_FITS: dict[str, Any] = {
    "count": _is_count,
    "amount": _is_amount,
    "share": _is_share,
    "shares": lambda value: isinstance(value, list) and all(map(_is_share, value)) and value == sorted(set(value)),
    "limit": _is_limit,
    "text": lambda value: isinstance(value, str),
    "texts": lambda value: isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value)),
    "time": _is_time,
    "currency": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[A-Z]{3}", value)),
}
