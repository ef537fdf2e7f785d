"""Auctions with bids: announced, bid in, cleared by the law's own rules, and settled in the same moment, units against money.

What is on offer stands on the market's auction account, or on the account of whoever consigns it, where it is set aside until the auction is held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.auction_terms import AuctionTerms, purchase_limits, switches_of, terms_of, ticks_of
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, join, move, optional_text, price_of, table, text, whole, year_of
from tonne.administration.kinds import Kind
from tonne.administration.listing import whole_or
from tonne.administration.permissions import is_authority, require_holder, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account, unit_type
from tonne.dates import DateError, to_day
from tonne.ledger import TransferFlag, transfers
from tonne.market.auction import AuctionError, AuctionResult, AuctionRules, Bids, Offers, bid_guarantee, clear_auction
from tonne.units import NEAREST, UP, decimals_of, multiply

STALL = "auction"
#: Accounts whose units may be auctioned, and of them those whose holder is paid; what others sell is the public's.
CONSIGNING = ("operator", "trading", "remainder")
OFFERING = ("auction", "stability_reserve", *CONSIGNING)
#: Bounds on one account's bids: a price in ticks, and how many times the offer. Beyond them nobody means it, and sums would pass 64 bits.
TICKS_MOST, OFFER_MOST = 10**8, 4
OFFER_COLUMNS = {"account": pl.String, "unit": pl.String, "quantity": pl.Int64, "jurisdiction": pl.String, "category": pl.String}
BID_COLUMNS = {"account": pl.String, "price": pl.String, "quantity": pl.Int64}


def announce_auction(state: State, command: Command) -> Decision:
    """Body: auction (its name), held_on (day; left out: today), unit and quantity (from the auction account, or from the account `from`), category
    (where the law sells one before the other), secured (true: a bid's guarantee is set aside on the bidder's account), rules (a mapping of switches,
    where not the law's own: a participant that sells its own units).

    A table `offers` (account, unit, quantity, jurisdiction, category), or such rows in the body, instead of unit and quantity offers several lots,
    consigned ones too: by their holder, or by the authority."""
    name = text(command, "auction")
    if name in state.exchange.sales or _was_held(state, name):
        raise Refusal("already_exists", f"an auction {name!r} was announced before")
    try:
        held_on = to_day(optional_text(command, "held_on", command.day.isoformat()))
    except DateError as error:
        raise Refusal("malformed", f"held_on: {error}") from error
    if held_on < command.day:
        raise Refusal("day_out_of_order", f"an auction on {held_on} cannot be announced on {command.day}")
    secured = command.body.get("secured", False)
    if not isinstance(secured, bool):
        raise Refusal("malformed", f"secured is true or false, not {secured!r}")
    own = command.body.get("rules")
    rules = _rules_of(state, command, own)
    offers = _offers(state, command, rules)
    event = {"event": "auction_announced", "auction": name, "held_on": held_on.isoformat(), "secured": secured, "own": own, "offers": offers}
    consigned = [row for row in offers if state.accounts.kinds[row["account"]] != "auction"]
    batch = join(*(_pending(state, command, row["account"], row["unit"], row["quantity"]) for row in consigned)) if consigned else None
    return Decision([event | {"price_step": str(rules.price_step)}], transfers=batch)


def _offers(state: State, command: Command, rules: AuctionRules) -> list[dict[str, Any]]:
    rows = _rows_of(command, "offers", OFFER_COLUMNS, ("jurisdiction", "category"))
    if rows is None:
        place, category = optional_text(command, "from", STALL), optional_text(command, "category")
        rows = [(place, text(command, "unit"), whole(command, "quantity"), "", category)]
    if not rows:
        raise Refusal("malformed", "an auction offers something: `offers` has at least one row")
    offers = []
    for name, code, quantity, jurisdiction, category in rows:
        number, unit = account(state, name), unit_type(state, code)
        if quantity <= 0:
            raise Refusal("malformed", f"an offer is of more than zero units, not {quantity:,}")
        if state.books.unit_types[unit].kind not in ("allowance", "credit"):
            raise Refusal("not_eligible", f"{code} is {state.books.unit_types[unit].kind}; allowances and credits are auctioned")
        _require_offering(state, command, number)
        if rules.category_order and category not in rules.category_order:
            raise Refusal("malformed", f"category is one of {', '.join(rules.category_order)}, by which the law orders the sale, not {category!r}")
        given = {"account": number, "unit": unit, "quantity": quantity}
        offers.append(given | {"jurisdiction": jurisdiction or "", "category": category or ""})
    _require_there(state, offers)
    return offers


def _require_offering(state: State, command: Command, number: int) -> None:
    """Who may offer what stands on an account. Raises Refusal `not_permitted`."""
    kind = state.accounts.kinds[number]
    if kind not in OFFERING:
        raise Refusal("not_permitted", f"nothing is auctioned from {state.accounts.ids[number]} ({kind})")
    if kind in CONSIGNING:
        require_holder(state, command, [number])
    elif not is_authority(state, command) and (kind != "auction" or role_of(state, command.by) != "auctioneer"):
        raise Refusal("not_permitted", "what stands on the auction account is offered by the auctioneer, a reserve's by the authority")


def _require_there(state: State, offers: list[dict[str, Any]]) -> None:
    """What is offered from the auction account is there, and promised to no other auction. (Consigned units are set aside: the books look.)"""
    wanted: Counter[tuple[int, int]] = Counter()
    for row in offers:
        wanted[row["account"], row["unit"]] += row["quantity"]
    promised: Counter[tuple[int, int]] = Counter()
    for sale in state.exchange.sales.values():
        for row in sale["offers"]:
            if not row.get("pending"):
                promised[row["account"], row["unit"]] += row["quantity"]
    for (number, unit), quantity in wanted.items():
        if state.accounts.kinds[number] != "auction":
            continue
        have = state.books.available(number, unit) - promised[number, unit]
        if quantity > have:
            code, others = state.books.unit_types[unit].code, f", {promised[number, unit]:,} for other auctions left out" if promised else ""
            raise Refusal("insufficient_balance", f"{quantity:,} {code} are to be offered and {max(have, 0):,} are there{others}")


def _rows_of(command: Command, name: str, columns: Mapping[str, Any], may_be_empty: tuple[str, ...]) -> list[tuple[Any, ...]] | None:
    """Rows of a table, or of a short list of lists in the body in the order of its columns; None where there is neither."""
    given = command.body.get(name)
    if given is None:
        return table(command, name, columns, may_be_empty).rows() if isinstance(command.tables.get(name), pl.DataFrame) else None
    if not isinstance(given, list) or len(given) > 10_000:
        raise Refusal("malformed", f"{name} is a list of up to 10,000 rows ({', '.join(columns)}), or a table")
    for place, row in enumerate(given):
        if not isinstance(row, list) or len(row) != len(columns):
            raise Refusal("malformed", f"row {place + 1} of {name} is no list of {', '.join(columns)}")
        for (column, kind), value in zip(columns.items(), row, strict=True):
            fits = isinstance(value, int) and not isinstance(value, bool) if kind == pl.Int64 else isinstance(value, str)
            if not fits and not (value in (None, "") and column in may_be_empty):
                raise Refusal(
                    "malformed", f"row {place + 1} of {name}: {column} is {'a whole number' if kind == pl.Int64 else 'text'}, not {value!r}"
                )
    return [tuple(row) for row in given]


def _pending(state: State, command: Command, source: int, unit: int, quantity: int) -> Any:
    return move(command, Kind.SET_ASIDE, source, state.accounts.number(STALL), unit, quantity, TransferFlag.PENDING)


def _rules_of(state: State, command: Command, own: Any) -> AuctionRules:
    """The law's switches, or a seller's own, in the system's money."""
    if own is None:
        return switches_of(state.law(command.day))
    if not isinstance(own, Mapping):
        raise Refusal("malformed", "rules is a mapping of switches")
    if role_of(state, command.by) == "auctioneer":
        raise Refusal("not_permitted", "the auctioneer sells by the law's switches; leave `rules` out")
    if "decimals" in own:
        raise Refusal("malformed", "the digits of the money are those of the system's currency; leave `decimals` out")
    try:
        return _own(state, own)
    except AuctionError as error:
        raise Refusal("malformed", str(error)) from error


def _own(state: State, own: Mapping[str, Any]) -> AuctionRules:
    return AuctionRules.of({**own, "decimals": decimals_of(state.rulebook.system.currency)})


def bid(state: State, command: Command) -> Decision:
    """Body: auction. Table `bids`: account, price (text; empty for a bid without a price), quantity, and if wanted kind. What an account sends
    replaces what it sent before; `withdraw` (account) instead of bids takes them back. Participants bid for their own accounts."""
    sale, name = _sale(state, command)
    if sale["held_on"] < command.day.isoformat():
        raise Refusal("auction_closed", f"auction {name!r} was to be held on {sale['held_on']}; bids came until then")
    rules = rules_at(state, command, sale)
    withdrawn = optional_text(command, "withdraw")
    if withdrawn:
        if "bids" in command.tables or "bids" in command.body:
            raise Refusal("malformed", "bids are sent or withdrawn, not both in one command")
        owners, rows = np.array([account(state, withdrawn)]), []
        if not any(row[0] == owners[0] for row in sale["bids"]):
            raise Refusal("nothing_to_do", f"{withdrawn} has no bids in auction {name!r}")
    else:
        rows = _bids_of(state, command, rules)
        owners = np.unique(np.array([row[0] for row in rows], dtype=np.int64))
    if role_of(state, command.by) != "auctioneer":
        require_holder(state, command, owners.tolist())
    _require_form(state, command, sale, rules, rows)
    batch = _guarantee_moves(state, command, sale, rules, owners, rows) if sale["secured"] else transfers(0)
    event = {"event": "bids_filed", "auction": name, "accounts": owners.tolist(), "bids": rows}
    return Decision([event], transfers=batch if len(batch) else None)


def _bids_of(state: State, command: Command, rules: AuctionRules) -> list[list[Any]]:
    """Rows [account, ticks (0: no price), units, kind] in the order sent."""
    frame = command.tables.get("bids")
    extra = {"kind": pl.String} if not isinstance(frame, pl.DataFrame) or "kind" in frame.columns else {}
    found = _rows_of(command, "bids", BID_COLUMNS | extra, ("price", "kind"))
    if not found or any(row[2] <= 0 for row in found):
        raise Refusal("malformed", "bids have account, price, quantity; every bid is for more than zero units, and there is at least one")
    names = {name: account(state, name) for name in dict.fromkeys(row[0] for row in found)}
    for name, number in names.items():
        if state.accounts.kinds[number] not in CONSIGNING:
            raise Refusal("not_permitted", f"{name} ({state.accounts.kinds[number]}) is no account that buys at auctions")
    prices = {price: 0 if price in (None, "") else ticks_at(rules, price) for price in dict.fromkeys(row[1] for row in found)}
    rows = [[names[row[0]], prices[row[1]], row[2], (row[3] if extra else "") or ""] for row in found]
    law = state.law(command.day)
    for kind in {row[3] for row in rows if row[3]}:
        try:
            purchase_limits(law, 0, [kind])
        except ValueError as error:
            raise Refusal("malformed", str(error)) from None
    return rows


def _require_form(state: State, command: Command, sale: Mapping[str, Any], rules: AuctionRules, rows: list[list[Any]]) -> None:
    """A bidder hears at once what the auction would not count. Raises Refusal `odd_lot`, `limit_exceeded`."""
    offered = sum(row["quantity"] for row in sale["offers"])
    units: Counter[int] = Counter()
    bids: Counter[int] = Counter()
    for owner, ticks, quantity, _ in rows:
        if quantity % rules.step or quantity < rules.minimum:
            least = f", {rules.minimum:,} at least" if rules.minimum > rules.step else ""
            raise Refusal("odd_lot", f"bids are for whole steps of {rules.step:,} units{least}, not {quantity:,}")
        if not ticks and rules.non_competitive_share is None:
            raise Refusal("malformed", "a bid names its price: the rules of this auction know no bids without one")
        units[owner] += quantity
        bids[owner] += 1
        if rules.bids_per_bidder is not None and bids[owner] > rules.bids_per_bidder:
            raise Refusal("limit_exceeded", f"{state.accounts.ids[owner]} sends {bids[owner]} bids, and a bidder has {rules.bids_per_bidder}")
        if units[owner] > OFFER_MOST * offered:
            raise Refusal("limit_exceeded", f"{state.accounts.ids[owner]} bids for {units[owner]:,} units, and {offered:,} are on offer")


def ticks_at(rules: AuctionRules, price: str) -> int:
    """Ticks of a bid's price. Raises Refusal: `malformed`, `off_tick`."""
    try:
        if not (exact := Decimal(price)).is_finite():
            raise InvalidOperation
        ticks = rules.ticks(exact)
    except InvalidOperation:
        raise Refusal("malformed", f"{price!r} is no price; write it as text, like 83.60") from None
    except AuctionError as error:
        raise Refusal("off_tick", str(error)) from None
    if not 0 < ticks <= TICKS_MOST:
        raise Refusal("malformed", f"a price is above zero and not above {rules.price(TICKS_MOST):,}; it is {price}")
    return ticks


def _guarantee_moves(state: State, command: Command, sale: Mapping[str, Any], rules: AuctionRules, owners: Any, rows: list[list[Any]]) -> Any:
    """The old guarantees of these accounts are released, the new ones set aside."""
    money = state.unit(state.rulebook.system.currency)
    held = sale["guarantees"]
    parts = []
    for owner in owners.tolist():
        if str(owner) in held:
            parts.append(_void(state, command, owner, money, held[str(owner)][0]))
        mine = [row for row in rows if row[0] == owner]
        if mine:
            parts.append(_pending(state, command, owner, money, guarantee_of(rules, mine)))
    return join(*parts) if parts else transfers(0)


def guarantee_of(rules: AuctionRules, mine: list[list[Any]]) -> int:
    """Minor units that cover what an account's bids may cost: at one price for all, or, where each pays its own bid, all of them together."""
    if not any(row[1] for row in mine):
        raise Refusal("malformed", "a bid without a price has no guarantee of its own; send it together with one that has a price")
    if rules.pricing == "pay_as_bid":
        highest = max(row[1] for row in mine)
        return int(multiply(sum((row[1] or highest) * row[2] for row in mine), rules.tick_value, rounding=NEAREST))
    bids = Bids.of([0] * len(mine), [row[1] for row in mine], [row[2] for row in mine], [row[1] == 0 for row in mine])
    return int(bid_guarantee(rules, bids)[0])


def _void(state: State, command: Command, source: int, unit: int, reference: int) -> Any:
    row = move(command, Kind.SET_ASIDE, source, state.accounts.number(STALL), unit, 1, TransferFlag.VOID)
    row["reference"], row["quantity"] = reference, 0
    return row


def hold_auction(state: State, command: Command) -> Decision:
    """`clear_auction`. Body: auction, seed (draws the order of equal bids), reserve (a secret price, text: it is not published), secondary (text: the
    price of the market beside it), paid_in (true: the winners' banks pay what they owe at the same time), year (of the auction, where not that of its
    day), planned (what it was first planned to offer, where unsold units of others came on top), without (accounts whose bids are left out;
    one that cannot pay holds up all), called_off (why: then nobody gets anything).

    The law of the day clears: switches, lowest and highest price, limits, containment reserves. Units and money move in linked pairs. `bids`, a table
    or rows in the body (account, price, quantity, kind), adds what the auctioneer received elsewhere. An auction that was not announced is announced
    and held at once, with what `announce_auction` takes (`offers`, or unit and quantity)."""
    name = text(command, "auction")
    at_once = name not in state.exchange.sales and ("offers" in command.tables or "offers" in command.body or "unit" in command.body)
    if at_once:
        rules = switches_of(state.law(command.day))
        sale: Mapping[str, Any] = _at_once(state, command, name, rules)
    else:
        sale = _sale(state, command)[0]
        rules = rules_at(state, command, sale)
    why = optional_text(command, "called_off")
    if command.day.isoformat() < sale["held_on"] and not why:
        raise Refusal("not_due", f"auction {name!r} is held on {sale['held_on']}")
    rows = [] if why else list(sale["bids"])
    if "bids" in command.tables or "bids" in command.body:
        if sale["secured"] or why:
            raise Refusal("malformed", "bids of a secured auction are sent before it, with their guarantee; one that is called off takes none")
        rows += _bids_of(state, command, rules)
    out = {account(state, one) for one in _names(command, "without")}
    rows = [row for row in rows if row[0] not in out]
    result, bidders, terms, public = _result(state, command, sale, rules, rows)
    batch, paid = _settlement(state, command, sale, result, bidders)
    told = _told(state, command, name, sale, result, terms, public)
    told |= {"paid_minor": paid, "planned": whole_or(command, "planned", result.offered)}
    if why:
        told |= {"outcome": "cancelled", "reason": "called_off", "called_off": why}
    event = {"event": "auction_held" if at_once else "auction_cleared", **told}
    return Decision([event, _notice(command, told)], transfers=batch if len(batch) else None)


def _names(command: Command, name: str) -> list[str]:
    given = command.body.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise Refusal("malformed", f"{name} is a list of texts, not {given!r}")
    return given


def _was_held(state: State, name: str) -> bool:
    return name in state.exchange.auctioned


def _at_once(state: State, command: Command, name: str, rules: AuctionRules) -> dict[str, Any]:
    """An auction of what stands on the auction account, announced and held in one: everything is there, nothing needs to be set aside."""
    if _was_held(state, name):
        raise Refusal("already_done", f"an auction {name!r} was held before")
    offers = _offers(state, command, rules)
    if any(state.accounts.kinds[row["account"]] != "auction" for row in offers):
        raise Refusal("malformed", "consigned units are announced first, so that they are set aside")
    return {"held_on": command.day.isoformat(), "secured": False, "own": None, "offers": offers, "bids": [], "guarantees": {}}


def _result(
    state: State, command: Command, sale: Mapping[str, Any], rules: AuctionRules, rows: list[list[Any]]
) -> tuple[AuctionResult, Any, AuctionTerms, int | None]:
    """The auction cleared; the accounts of its bidders, by their numbers in it; what the law said; the lowest price that may be published."""
    law = state.law(command.day)
    offers = sale["offers"]
    offered = sum(row["quantity"] for row in offers)
    year = _year(command)
    called_off = bool(command.body.get("called_off"))
    by_law = sale["own"] is None and not called_off
    terms = terms_of(law, rules, offered, year=year, **_before(state, year)) if by_law else AuctionTerms()
    public = terms.reserve
    secret, secondary = price_of(command, "reserve"), price_of(command, "secondary")
    if secret is not None:  # a secret price lies above the public one, or does nothing
        terms.reserve = max(ticks_of(rules, secret, UP), terms.reserve or 0)
    if terms.withhold is not None:  # what others consigned is not the public's to withhold
        own = sum(row["quantity"] for row in offers if not _consigned(state, row))
        terms.withhold = (terms.withhold[0], min(terms.withhold[1], own))
    accounts = np.array([row[0] for row in rows], dtype=np.int64)
    bidders, numbers = np.unique(accounts, return_inverse=True)
    bids = Bids.of(numbers, [row[1] for row in rows], [row[2] for row in rows], [row[1] == 0 for row in rows])
    lots = Offers.of(
        [row["jurisdiction"] for row in offers],
        [row["category"] for row in offers],
        [state.books.unit_types[row["unit"]].vintage or 0 for row in offers],
        [row["quantity"] for row in offers],
    )
    guarantees = None
    if sale["secured"]:
        guarantees = np.array([sale["guarantees"].get(str(one), [0, 0])[1] for one in bidders.tolist()], dtype=np.int64)
    try:
        result = clear_auction(
            rules,
            lots,
            bids,
            reserve=terms.reserve,
            ceiling=terms.ceiling,
            secondary=None if secondary is None else ticks_of(rules, secondary, UP),
            seed=whole(command, "seed", 0, 2**63 - 1) if "seed" in command.body else 0,
            limits=_limits(state, command, terms, offered, bidders, {row[0]: row[3] for row in rows if row[3]}) if by_law else None,
            guarantees=guarantees,
            tiers=terms.tiers,
            withhold=terms.withhold,
        )
    except AuctionError as error:
        raise Refusal("malformed", str(error)) from error
    return result, bidders, terms, public


def _year(command: Command) -> int:
    return command.day.year if command.body.get("year") is None else year_of(command)


def _consigned(state: State, row: Mapping[str, Any]) -> bool:
    return state.accounts.kinds[row["account"]] in CONSIGNING


def _limits(state: State, command: Command, terms: AuctionTerms, offered: int, bidders: Any, kinds: Mapping[int, str]) -> Any:
    """Most units by bidder: what the law lets each kind buy (a bidder of no kind has no such limit) and anybody bid for; None without limits."""
    limits = np.full(len(bidders), -1 if terms.bid_limit is None else terms.bid_limit, dtype=np.int64)
    named = np.flatnonzero([bool(kinds.get(one)) for one in bidders.tolist()])
    most = purchase_limits(state.law(command.day), offered, [kinds[one] for one in bidders[named].tolist()]) if len(named) else None
    if most is not None:
        limits[named] = most if terms.bid_limit is None else np.minimum(limits[named], most)
    return None if most is None and terms.bid_limit is None else limits


def _before(state: State, year: int) -> dict[str, Any]:
    """What the year's auctions have released and withheld so far."""
    notices = state.noticed("auction_result", year)
    tiers = [notice["by_tier"] for notice in notices]
    return {
        "released": tuple(sum(gone[tier] for gone in tiers if len(gone) > tier) for tier in (0, 1)),
        "withheld": sum(notice["withheld"] for notice in notices),
    }


def _settlement(state: State, command: Command, sale: Mapping[str, Any], result: AuctionResult, bidders: Any) -> tuple[Any, int]:
    """Transfers: what was set aside is free; reserves give and take; then for each winner and each lot (pay in,) pay, deliver. And the money paid."""
    paid_in = command.body.get("paid_in", False)
    if not isinstance(paid_in, bool):
        raise Refusal("malformed", f"paid_in is true or false, not {paid_in!r}")
    money, stall = state.unit(state.rulebook.system.currency), state.accounts.number(STALL)
    parts = [_void(state, command, int(owner), money, row[0]) for owner, row in sorted(sale["guarantees"].items())]
    parts += [_void(state, command, row["account"], row["unit"], row["pending"]) for row in sale["offers"] if row.get("pending")]
    more = result.containment_sold + result.added
    lots = [(row["account"], row["unit"], units) for row, units in zip(sale["offers"], result.sold_of_offers.tolist(), strict=True)]
    if more:
        lots.append((stall, _unit_of_more(state, command, sale), more))
        parts.append(move(command, Kind.RELEASE, state.accounts.number("issuance"), stall, lots[-1][1], more))
    parts += _withheld(state, command, sale, result)
    won = np.zeros(len(bidders), dtype=np.int64)
    np.add.at(won, result.bids.bidder, result.awards)
    winner, lot, units = _pairs(won, np.array([row[2] for row in lots], dtype=np.int64))
    if not len(winner):
        return join(*parts), 0
    cost = _costs(result.costs, won, winner, units)
    if (cost <= 0).any():
        raise Refusal("malformed", f"some awards cost less than one minor unit of {state.rulebook.system.currency}")
    treasury = state.accounts.number("treasury")
    tills = [row[0] if state.accounts.kinds[row[0]] in CONSIGNING else treasury for row in lots]
    seller, what, till = (np.array(column, dtype=np.int64)[lot] for column in ([row[0] for row in lots], [row[1] for row in lots], tills))
    buyer = bidders[winner]
    apart = buyer != seller  # who wins its own consigned units keeps them, and its money
    seller, what, till, buyer, due, units = (column[apart] for column in (seller, what, till, buyer, cost, units))
    legs = []
    if paid_in:
        legs.append(move(command, Kind.PAY, state.accounts.number("bank"), buyer, money, due, TransferFlag.LINKED))
    legs.append(move(command, Kind.PAY, buyer, till, money, due, TransferFlag.LINKED))
    legs.append(move(command, Kind.SELL, seller, buyer, what, units))
    return join(*parts, np.stack(legs, axis=1).reshape(-1)), int(cost.sum())


def _unit_of_more(state: State, command: Command, sale: Mapping[str, Any]) -> int:
    """What units beyond the offer are: like the public's own on offer, else the allowance of the auction's year."""
    for row in sale["offers"]:
        if not _consigned(state, row):
            return int(row["unit"])
    return unit_type(state, state.allowance_code(_year(command)))


def _withheld(state: State, command: Command, sale: Mapping[str, Any], result: AuctionResult) -> list[Any]:
    """What the law takes out of the market for good, from the public's unsold units, last lot first."""
    left, cancelled, parts = result.withheld, state.accounts.number("cancelled"), []
    for row, sold in reversed(list(zip(sale["offers"], result.sold_of_offers.tolist(), strict=True))):
        if left and not _consigned(state, row):
            take = min(left, row["quantity"] - sold)
            parts.append(move(command, Kind.WITHHOLD, row["account"], cancelled, row["unit"], take))
            left -= take
    if left:
        raise Refusal("limit_exceeded", f"{result.withheld:,} units are to be withheld, and the public has {left:,} fewer unsold")
    return parts


def _pairs(won: Any, lots: Any) -> tuple[Any, Any, Any]:
    """Winner, lot and units of each delivery: winners in their order take from the lots in theirs."""
    given, taken = np.cumsum(lots), np.cumsum(won)
    ends = np.union1d(given[lots > 0], taken[won > 0])
    units = np.diff(ends, prepend=0)
    return np.searchsorted(taken, ends), np.searchsorted(given, ends), units


def _costs(costs: Any, won: Any, winner: Any, units: Any) -> Any:
    """A winner's cost over its deliveries: what is due up to and with each, less what was due before, so that the parts add up to the minor unit."""
    cost = np.zeros(len(winner), dtype=np.int64)
    taken: dict[int, int] = {}
    for place, (one, part) in enumerate(zip(winner.tolist(), units.tolist(), strict=True)):
        before = taken.get(one, 0)
        taken[one] = before + part
        due, total = int(costs[one]), int(won[one])
        cost[place] = due * (before + part) // total - due * before // total
    return cost


def _told(
    state: State,
    command: Command,
    name: str,
    sale: Mapping[str, Any],
    result: AuctionResult,
    terms: AuctionTerms,
    public: int | None,
) -> dict[str, Any]:
    """What is published: the fields of the results sheet that do not name a bidder, as plain values. Of a secret reserve price nothing is told."""
    rules = result.rules
    plain = {key: value for key, value in result.sheet().items() if value is None or isinstance(value, (int, str, Decimal))}
    return plain | {
        "auction": name,
        "price": None if result.price is None else str(rules.price(result.price)),
        "reserve": None if public is None else str(rules.price(public)),
        "ceiling": None if terms.ceiling is None else str(rules.price(terms.ceiling)),
        "added": result.added,
        "by_tier": list(result.by_tier),
        "by_offer": [_offer_told(state, row, sold) for row, sold in zip(sale["offers"], result.sold_of_offers.tolist(), strict=True)],
        "own_rules": sale["own"] is not None,
        "year": _year(command),
    }


def _offer_told(state: State, row: Mapping[str, Any], sold: int) -> dict[str, Any]:
    """A row of the offer, its seller named by kind alone."""
    seller = state.accounts.kinds[row["account"]]
    told = {"seller": seller, "unit": state.books.unit_types[row["unit"]].code, "offered": row["quantity"], "sold": sold}
    return told | {name: row[name] for name in ("jurisdiction", "category") if row[name]}


NOTICED = (
    *("auction", "outcome", "reason", "price", "reserve", "ceiling", "planned", "offered", "sold", "unsold", "added", "by_tier", "withheld"),
    *("paid_minor", "cover_ratio", "bidders", "winners", "year"),
)


def _notice(command: Command, told: Mapping[str, Any]) -> dict[str, Any]:
    return {"event": "published", "what": "auction_result", "day": command.day.isoformat(), **{name: told[name] for name in NOTICED}}


def _sale(state: State, command: Command) -> tuple[Mapping[str, Any], str]:
    name = text(command, "auction")
    sale = state.exchange.sales.get(name)
    if sale is None:
        over = _was_held(state, name)
        raise Refusal("auction_closed" if over else "unknown_auction", f"auction {name!r} is over" if over else f"no auction {name!r} is announced")
    return sale, name


def rules_at(state: State, command: Command, sale: Mapping[str, Any]) -> AuctionRules:
    """The switches of the day; prices stay in the steps in which the auction was announced and bid in."""
    rules = _own(state, sale["own"]) if sale["own"] is not None else switches_of(state.law(command.day))
    if str(rules.price_step) == sale["price_step"]:
        return rules
    return replace(rules, price_step=Decimal(sale["price_step"]))
