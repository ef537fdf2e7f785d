"""Bids as they are typed or loaded: read row by row, with what is wrong and where; and refusals of bids in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tonne.interfaces.views import auctions_view
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.problems import Problem, title
from tonne.interfaces.web.render import money, price, quantity

#: The most rows of one form, and the longest text in which they come back.
ROWS_MOST, CONTENT_MOST = 200, 60_000


def sent_rows(ask: Ask) -> list[tuple[str, str]]:
    """The rows of the form that hold anything, as typed."""
    lists = [ask.form.get(name, []) for name in ("price", "quantity")]
    prices, units = ([one] if isinstance(one, str) else list(one) for one in lists)
    if len(prices) != len(units) or len(prices) > ROWS_MOST:
        raise Problem(422, "malformed", ask._("What was sent is no list of bids."))
    return [(a.strip(), b.strip()) for a, b in zip(prices, units, strict=True) if a.strip() or b.strip()]


class _Row:
    """One row, read as a form of its own, so that prices and quantities are read the same everywhere."""

    def __init__(self, ask: Ask, price_text: str, units: str) -> None:
        self.form = {"price": price_text, "quantity": units}
        self.files: dict[str, Any] = {}
        self._, self.say = ask._, ask.say

    def read(self, priceless: bool) -> tuple[tuple[str, int] | None, tuple[str, str] | None]:
        """(bid, None), or (None, (field, what is wrong))."""
        form = Form(self, [Field("price", kind="price", required=not priceless), Field("quantity", kind="number")])
        if not form.check():
            return None, form.errors[0]
        return (form.values["price"] or "", form.values["quantity"]), None


def read_rows(ask: Ask, one: auctions_view.OpenAuction, rows: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, int]], dict[int, tuple[str, str]]]:
    """The bids that can be read, and what is wrong by row."""
    found: list[tuple[str, int]] = []
    faults: dict[int, tuple[str, str]] = {}
    for place, (price_text, units) in enumerate(rows):
        bid, fault = _Row(ask, price_text, units).read(one.priceless)
        if bid is None:
            assert fault is not None
            faults[place] = fault
            continue
        found.append(bid)
        if bid[1] % one.step or bid[1] < one.smallest:
            faults[place] = (
                "quantity",
                ask.say("Bids are for whole steps of %(step)s, %(least)s at least.", step=quantity(one.step), least=quantity(one.smallest)),
            )
    return found, faults


def refusal(ask: Ask, one: auctions_view.OpenAuction, name: str, preview: auctions_view.BidPreview | None = None) -> str:
    """A refusal of bids in words, `` for none."""
    if not name:
        return ""
    if name == "auction_closed":
        return ask.say("The window is shut: bids came until %(day)s.", day=one.held_on.isoformat())
    if name == "insufficient_balance" and preview is not None:
        facts = {
            "need": money(preview.needed_minor, preview.currency),
            "there": money(preview.there_minor, preview.currency),
            "short": money(preview.short_minor, preview.currency),
        }
        return ask.say("These bids need %(need)s on the account, and %(there)s is free: %(short)s are missing. Pay in, or bid for less.", **facts)
    if name == "off_tick":
        return ask.say("Prices go in steps of %(step)s.", step=price(one.price_step))
    if name == "limit_exceeded":
        return ask._("This is more than one bidder may bid: too many bids, or too many units against what is offered.")
    return title(name, ask._).capitalize() + "."


def with_bidder(data: bytes) -> bytes:
    """A file of price and quantity alone is one bidder's: the column that says whose is added, so that rows keep their numbers."""
    head, _, rest = data.partition(b"\n")
    if b"bidder" in head.lower():
        return data
    lines = [line + (b",own" if line.strip() else b"") for line in rest.replace(b"\r", b"").split(b"\n")]
    return head.rstrip(b"\r") + b",bidder\n" + b"\n".join(lines)


def content_of(ask: Ask, auction: str) -> dict[str, Any]:
    """What was reviewed, as it came back. Raises Problem 422."""
    text = str(ask.form.get("content", ""))
    try:
        content = json.loads(text) if len(text) <= CONTENT_MOST else None
    except ValueError:
        content = None
    rows = content.get("rows") if isinstance(content, dict) else None
    shaped = (
        isinstance(rows, list)
        and 0 < len(rows) <= ROWS_MOST
        and all(
            isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], int) and not isinstance(row[1], bool)
            for row in rows
        )
    )
    if not isinstance(content, dict) or not shaped or content.get("auction") != auction or not isinstance(content.get("account"), str):
        raise Problem(422, "malformed", ask._("What was reviewed did not arrive whole; begin again."))
    return content
