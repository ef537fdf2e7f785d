"""Offer units for sale, and sell them at a given price. (Auctions with bids are the market room's; this is the plain sale.)"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tonne.administration.allocate import ask_rows
from tonne.administration.asks import answer, offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, join, move, optional_text, price_of, table, text, whole, year_of
from tonne.administration.kinds import Kind
from tonne.administration.permissions import require_held, require_holder
from tonne.administration.refusals import Refusal
from tonne.administration.stabilise import reserve_parts
from tonne.administration.state import State
from tonne.administration.transfer import account, unit_type
from tonne.ledger import TransferFlag
from tonne.units import NEAREST, decimals_of, fraction, multiply


def auction_calendar(state: State, command: Command) -> Decision:
    """Body: year, volume, source. The authority's published volume for a year: it goes before what the rule would offer."""
    note = {"event": "published", "what": "auction_calendar", "year": year_of(command), "quantity": whole(command, "volume", 0)}
    note |= {"source": optional_text(command, "source"), "day": command.day.isoformat()}
    return Decision([note])


class Volume(NamedTuple):
    """What the auctions of a year offer, and why: the authority's published figure or the rule; what the reserve takes and gives; what was offered of
    it already."""

    units: int
    basis: str
    intake: int
    release: int
    offered: int


def volume_of(state: State, year: int, day: date) -> Volume:
    """The year's auction volume as it stands on a day: published, or worked out by the law of that day from what is known of the reserve so far."""
    law = state.law(day)
    cap = state.notice("cap", year)
    assert cap is not None
    intake, release = reserve_parts(state, year)
    allocated, published = state.notice("allocated", year), state.notice("auction_calendar", year)
    pool = {"year": year, "cap": cap["quantity"], "allocated": allocated["quantity"] if allocated else 0}
    if published is not None:
        units, basis = int(published["quantity"]), "published"
    else:
        units = int(ask_rows(law, "auction_volume", pool | {"msr_intake": intake, "msr_release": release})) if offers(law, "auction_volume") else 0
        basis = "rule"
    return Volume(units, basis, intake, release, sum(notice["quantity"] for notice in state.noticed("offered", year)))


def offer(state: State, command: Command) -> Decision:
    """Body: year, quantity, auction (its name). Units of the year's auction volume to the auction account ahead of the year's end, for an auction."""
    year, quantity = year_of(command), whole(command, "quantity")
    cap = state.notice("cap", year)
    if cap is None:
        raise Refusal("not_due", f"nothing is issued for {year} yet")
    if f"auction:{year}" in state.done:
        raise Refusal("already_done", f"the auction volume of {year} was offered whole on {state.done[f'auction:{year}']}")
    volume = volume_of(state, year, command.day)
    left = volume.units - min(volume.release, volume.units) - volume.offered
    if quantity > left:
        raise Refusal("limit_exceeded", f"of the auction volume of {year} {max(left, 0):,} may still be offered, not {quantity:,}")
    total, stall, unit = state.accounts.number("total-quantity"), state.accounts.number("auction"), state.unit(cap["unit"])
    note = {"event": "published", "what": "offered", "year": year, "quantity": quantity, "day": command.day.isoformat()}
    note["for"] = optional_text(command, "auction")
    return Decision([note], transfers=move(command, Kind.OFFER, total, stall, unit, quantity))


def auction(state: State, command: Command) -> Decision:
    """Body: year. What is not offered yet of the year's auction volume to the auction account, the reserve's intake to it, its release out of it."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "auction", "year": year, "day": command.day.isoformat()}
    cap = state.notice("cap", year)
    if cap is None:
        return Decision([done])
    unit = state.unit(cap["unit"])
    total, reserve, stall = (state.accounts.number(name) for name in ("total-quantity", "stability-reserve", "auction"))
    left = state.books.available(total, unit)
    volume, basis, intake, release, offered = volume_of(state, year, command.day)
    volume = max(volume, offered)  # what was sold during the year is sold, whatever the reserve took since
    placed = _placed(law, year)
    release = min(release, state.books.available(reserve, unit))
    from_total = max(volume - release - offered, 0)
    if intake + from_total > left:
        short = intake + from_total - left
        raise Refusal("limit_exceeded", f"auctioning {volume:,} and withholding {intake:,} needs {short:,} more than is left of the total")
    # What the law places in the reserve was withheld in earlier years: what these books did not see withheld comes from before them.
    placed_here = min(placed, left - intake - from_total)
    batch = join(
        move(command, Kind.WITHHOLD, total, reserve, unit, intake + placed_here),
        move(command, Kind.OPENING, state.accounts.number("outside"), reserve, unit, placed - placed_here),
        move(command, Kind.RELEASE, reserve, stall, unit, min(release, volume), TransferFlag.BY_AUTHORITY),
        move(command, Kind.OFFER, total, stall, unit, from_total),
    )
    note = {"event": "published", "what": "auction", "year": year, "quantity": volume, "basis": basis, "day": command.day.isoformat()}
    note |= {"intake": intake, "release": release, "placed": placed, "unit": cap["unit"]}
    return Decision([note, done], transfers=batch)


def _placed(law: Any, year: int) -> int:
    """Units that the law places in the reserve outright in a year: postponed or unallocated ones."""
    if not law.has("stability.placed_in_reserve"):
        return 0
    return int(law.value("stability.placed_in_reserve").get(year) or 0)


def sell(state: State, command: Command) -> Decision:
    """Table `sales`: account (buyer), quantity. Body: from (seller's account), unit, price (text, or null), paid_in (bool).

    With a price each sale is units against money: linked transfers that post together or not at all. `paid_in` says that the buyers' banks pay the
    cost in at the same time; otherwise buyers need the money on their accounts. Refused below the auction's reserve price.
    """
    seller = account(state, optional_text(command, "from", "auction"))
    if state.accounts.kinds[seller] != "auction":  # what is offered belongs to the public; whoever may sell may sell it
        require_holder(state, command, [seller])
    unit = unit_type(state, text(command, "unit"))
    if not isinstance(command.body.get("paid_in", False), bool):
        raise Refusal("malformed", f"paid_in is true or false, not {command.body['paid_in']!r}")
    sales = table(command, "sales", {"account": pl.String, "quantity": pl.Int64})
    if not sales.height or sales.filter(pl.col("quantity") <= 0).height:
        raise Refusal("malformed", "every sale has a quantity above zero, and there is at least one")
    buyers = np.array([account(state, name) for name in sales["account"].to_list()], dtype=np.int64)
    require_held(state, command, np.unique(buyers).tolist())
    quantity = sales["quantity"].to_numpy()
    note: dict[str, Any] = {"event": "moved", "count": sales.height, "quantity": int(quantity.sum())}
    price = _price(state, command, seller)
    if price is None:
        return Decision([note], transfers=move(command, Kind.SELL, seller, buyers, unit, quantity))
    batch = _against_money(state, command, seller, buyers, unit, quantity, price)
    return Decision([note | {"price": str(price)}], transfers=batch)


def _price(state: State, command: Command, seller: int) -> Decimal | None:
    price = price_of(command, "price")
    if price is None:
        return None
    law = state.law(command.day)
    if state.accounts.kinds[seller] == "auction" and offers(law, "auction_reserve_price"):
        floor = answer(law, "auction_reserve_price", (command.day.year,))
        if floor is not None and price < Decimal(str(floor)):
            raise Refusal("limit_exceeded", f"the auction reserve price of {command.day.year} is {floor}; {price} is below it")
    return price


def _against_money(state: State, command: Command, seller: int, buyers: Any, unit: int, quantity: Any, price: Decimal) -> Any:
    """Chains of (pay in,) pay, deliver, in that order for each buyer. Cost to the minor unit, nearest."""
    currency = state.rulebook.system.currency
    money = state.unit(currency)
    minor = fraction(price) * 10 ** decimals_of(currency)
    cost = multiply(quantity, minor, rounding=NEAREST)
    legs = []
    if command.body.get("paid_in"):
        legs.append(move(command, Kind.PAY, state.accounts.number("bank"), buyers, money, cost, TransferFlag.LINKED))
    till = state.accounts.number("treasury") if state.accounts.kinds[seller] == "auction" else seller
    legs.append(move(command, Kind.PAY, buyers, till, money, cost, TransferFlag.LINKED))
    legs.append(move(command, Kind.SELL, seller, buyers, unit, quantity))
    if any(len(leg) != len(buyers) for leg in legs):
        raise Refusal("malformed", f"at {price} some of these sales cost less than one minor unit of {currency}")
    return np.stack(legs, axis=1).reshape(-1)
