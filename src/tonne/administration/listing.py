"""Open an exchange with its clearing house, admit members, list what is traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import polars as pl

from tonne.administration.commands import Command
from tonne.administration.decision import Decision, optional_text, text, whole
from tonne.administration.exchange import rules_of
from tonne.administration.margining import LARGEST_POSITION, require_countable, work_out, worst_of
from tonne.administration.matching import settlement_of
from tonne.administration.permissions import is_authority, role_of
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.administration.transfer import account
from tonne.clearing.margin import MarginError
from tonne.clearing.option import OptionError
from tonne.dates import DateError, to_day
from tonne.law import LawError
from tonne.law import contracts as texts
from tonne.ledger import LARGEST_QUANTITY
from tonne.market.contract import Contract, ContractError
from tonne.market.orders import LARGEST_PRICE, Matching, Phase
from tonne.market.orders import LARGEST_QUANTITY as LARGEST_ORDER
from tonne.registers.accounts import ACCOUNT_SCHEMA
from tonne.units import DOWN, Money, UnitsError, multiply

#: The exchange's own accounts: id -> kind.
EXCHANGE_ACCOUNTS = {"set-aside": "escrow", "ccp": "ccp", "ccp-capital": "ccp_capital"}
#: How far from the first reference price, in ticks, an order book reaches: prices beyond are no prices of this instrument.
FAR = 100_000


def open_exchange(state: State, command: Command) -> Decision:
    """Body: venue (id). Opens the exchange's own accounts: what is set aside, the central counterparty, its capital."""
    venue = text(command, "venue")
    if state.exchange.venue:
        raise Refusal("already_exists", f"the exchange {state.exchange.venue!r} is open; a market has one")
    taken = [name for name in EXCHANGE_ACCOUNTS if name in state.accounts]
    if taken:
        raise Refusal("already_exists", f"accounts of these names are open: {', '.join(taken)}")
    accounts = pl.DataFrame(
        {
            "account": list(EXCHANGE_ACCOUNTS),
            "kind": list(EXCHANGE_ACCOUNTS.values()),
            "holder": [command.by] * len(EXCHANGE_ACCOUNTS),
            "installation": pl.Series([None] * len(EXCHANGE_ACCOUNTS), dtype=pl.String),
        },
        schema=ACCOUNT_SCHEMA,
    )
    return Decision([{"event": "accounts_opened", "table": "accounts"}, {"event": "exchange_opened", "venue": venue}], {"accounts": accounts})


def admit(state: State, command: Command) -> Decision:
    """Body: account (a trading or operator account), clearing (true: with accounts for positions, collateral and default fund).

    A table `accounts` (account) instead admits many at once. Whoever is admitted may trade; who clears may trade what is margined.
    """
    require_exchange(state)
    clearing = command.body.get("clearing", False)
    if not isinstance(clearing, bool):
        raise Refusal("malformed", f"clearing is true or false, not {clearing!r}")
    frame = command.tables.get("accounts")
    names = frame["account"].to_list() if isinstance(frame, pl.DataFrame) and "account" in frame.columns else [text(command, "account")]
    opened, members = [], []
    at = len(state.accounts)
    for name in names:
        number = account(state, name)
        if state.accounts.kinds[number] not in ("trading", "operator", "remainder"):
            raise Refusal("not_eligible", f"account {name!r} is of the kind {state.accounts.kinds[number]}; trading and operators' accounts trade")
        known = state.exchange.member(number)
        if known >= 0 and (not clearing or state.exchange.members[known]["collateral"] >= 0):
            raise Refusal("already_exists", f"account {name!r} is admitted")
        member = {"account": number, "position": -1, "collateral": -1, "fund": -1}
        if clearing:
            for kind, field in (("position", "position"), ("collateral", "collateral"), ("default_fund", "fund")):
                opened.append({"account": f"{kind}:{name}", "kind": kind, "holder": state.accounts.holders[number], "installation": None})
                member[field] = at
                at += 1
        members.append(member)
    there = [row["account"] for row in opened if row["account"] in state.accounts]
    if there or len(set(names)) != len(names):
        raise Refusal("already_exists", f"accounts are open already, or an account comes twice: {', '.join(there[:5]) or 'twice in the table'}")
    event = {"event": "members_admitted", "members": members}
    if not opened:
        return Decision([event])
    return Decision([{"event": "accounts_opened", "table": "accounts"}, event], {"accounts": pl.DataFrame(opened, schema=ACCOUNT_SCHEMA)})


def list_instrument(state: State, command: Command) -> Decision:
    """Body: contract (id of one in the venues' files; or `terms`, a mapping as they hold, with `kind`), unit (what is delivered: a code of the
    ledger), reference (first price, text); for a series code, expiry, delivery, and of an option strike, right, underlying (code), volatility; for
    what is margined the family of margin parameters that it belongs to; fee (text, a lot); breaker_ticks, seed."""
    exchange = require_exchange(state)
    contract = contract_of(command)
    code = optional_text(command, "code", contract.id)
    if exchange.number(code) >= 0 or state.unit(code) >= 0:
        raise Refusal("already_exists", f"{code!r} is listed, or is the code of a unit type")
    unit = state.unit(optional_text(command, "unit", state.rulebook.system.unit_code))
    if unit < 0 and contract.delivery == "physical":
        raise Refusal("unknown_unit_type", f"what {code!r} delivers is no unit type here; name it in `unit`, and add it first")
    if unit >= 0 and state.books.unit_types[unit].kind in ("money", "position"):
        raise Refusal("not_eligible", f"what {code!r} delivers is {state.books.unit_types[unit].kind}; units of the registry are delivered")
    events: list[dict[str, Any]] = []
    unit_types = len(state.books.unit_types)
    money = state.unit(contract.currency)
    if money < 0:
        events.append(
            {"event": "unit_type_added", "code": contract.currency, "kind": "money", "vintage": None, "measure": f"{contract.currency} minor unit"}
        )
        money, unit_types = unit_types, unit_types + 1
    margined = contract.settlement == "margined"
    if margined:
        events.append({"event": "unit_type_added", "code": code, "kind": "position", "vintage": None, "measure": "lot"})
    listing: dict[str, Any] = {
        "code": code,
        "contract": contract.id,
        "kind": contract.kind,
        "settlement": contract.settlement,
        "premium": contract.premium,
        "currency": contract.currency,
        "tick": str(contract.tick),
        "lot": contract.lot,
        "tick_value": contract.tick_value,
        "unit": unit,
        "delivery_kind": contract.delivery,
        "money": money,
        "position_unit": unit_types if margined else -1,
        "lag": whole_or(command, "lag", contract.settlement_lag or 0),
        "late_lag": contract.late_lag,
        "cutoff": contract.cutoff,
        "timezone": contract.timezone,
        "holidays": contract.holidays,
        "resale_lag": contract.resale_lag,
        "position_limit": LARGEST_POSITION if contract.position_limit_lots is None else min(contract.position_limit_lots, LARGEST_POSITION),
        "price_limit": _word(contract.price_limit_share),
        "min_order": contract.min_order_lots,
        "block_min": contract.block_min_lots,
        "block_limit": _word(contract.block_price_limit_share),
        "block_hours": [[span.opens, span.closes] for span in contract.phases if span.phase in ("block", "negotiated")],
        "fee": _minor(command, contract, "fee"),
        "family": text(command, "family") if margined else "",
    }
    listing |= _series(state, command, contract)
    listing["book"] = _book_rules(contract, listing, command)
    listing["position_limit"] = min(listing["position_limit"], 2**59 // (listing["book"]["highest_price"] * contract.tick_value))
    _require_workable(listing, command)
    listed = {"event": "instrument_listed", "listing": listing}
    return Decision([*events, listed | (_with_margin(exchange, listing, command) if margined else {})])


def _with_margin(exchange: Any, listing: dict[str, Any], command: Command) -> dict[str, Any]:
    """Losses of all instruments with the new one among them."""
    known = [family["name"] for family in exchange.families]
    if listing["family"] not in known:
        raise Refusal(
            "malformed", f"no family {listing['family']!r} of margin parameters; there is {', '.join(known) or 'none: set_margin comes first'}"
        )
    trial = replace(exchange, listed=[*exchange.listed, listing], marks=np.append(exchange.marks, np.int64(listing["mark"])))
    trial._index()
    _require_family(trial, exchange.families, len(trial.listed) - 1)
    try:
        stored = work_out(trial, trial.marks, command.day)
        worst = worst_of(trial, stored, exchange.families)
        require_countable(stored, worst)
    except (MarginError, OptionError) as error:
        raise Refusal("malformed", str(error)) from error
    return {"losses": stored, "worst": worst}


def _require_family(exchange: Any, families: Any, number: int) -> None:
    """Margin per unit is worked out with the family's lot and in its currency: they are the instrument's. Raises Refusal `malformed`."""
    listing = exchange.listed[number]
    family = next(one for one in families if one.get("name") == listing["family"])
    if (family.get("currency"), family.get("lot")) != (listing["currency"], listing["lot"]):
        told = f"a lot of {family.get('lot')} in {family.get('currency')}"
        reason = f"family {family['name']!r} has {told}; {listing['code']} has a lot of {listing['lot']} in {listing['currency']}"
        raise Refusal("malformed", f"{reason}: put it into a family of its own")


def _require_workable(listing: Mapping[str, Any], command: Command) -> None:
    """The book and the calendar can work with it. What they cannot is found here, not at the first trade. Raises Refusal `malformed`."""
    try:
        rules_of(listing)
    except ValueError as error:
        raise Refusal("malformed", f"the order book cannot hold {listing['code']!r}: {error}") from error
    try:
        settlement_of(listing, command.day)
    except (ValueError, LookupError, NotImplementedError) as error:
        told = f"cut-off {listing['cutoff']!r}, holidays {listing['holidays']!r}"
        raise Refusal("malformed", f"no settlement day can be worked out for {listing['code']!r} ({told}): {error}") from error
    if listing["settlement"] != "margined" and listing["fee"]:
        raise Refusal("malformed", "a fee is taken at the end of the day from collateral: of what is margined only; leave `fee` out")


def contract_of(command: Command) -> Contract:
    """The contract that a command names, on its day, or writes out. Raises Refusal `malformed` for one that is none."""
    terms = command.body.get("terms")
    name = text(command, "contract")
    try:
        if isinstance(terms, Mapping):
            return Contract.of(name, optional_text(command, "venue", "this"), text(command, "kind"), _plain_terms(terms))
        found = texts.contract(name)
        return Contract.of(found.id, found.venue, found.kind, found.at(command.day).values)
    except (ContractError, LawError, DateError, InvalidOperation) as error:
        raise Refusal("malformed", str(error)) from error


def _plain_terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Terms as the log keeps them: decimals are text."""
    decimals = ("tick", "price_limit")
    return {key: Decimal(value) if key in decimals and isinstance(value, str) else value for key, value in terms.items()}


def _series(state: State, command: Command, contract: Contract) -> dict[str, Any]:
    days: dict[str, Any] = {}
    for name in ("expiry", "delivery"):
        value = optional_text(command, name)
        try:
            days[name] = to_day(value).isoformat() if value else None
        except DateError as error:
            raise Refusal("malformed", f"{name}: {error}") from error
    if days["expiry"] is not None and date.fromisoformat(days["expiry"]) < command.day:
        raise Refusal("instrument_expired", f"its last trading day, {days['expiry']}, has passed")
    if contract.settlement == "margined" and days["expiry"] is None:
        raise Refusal("malformed", f"a {contract.kind} has an expiry: give `expiry`, its last trading day")
    if days["expiry"] is not None and days["delivery"] is not None and days["delivery"] < days["expiry"]:
        raise Refusal("malformed", f"delivery on {days['delivery']} lies before the last trading day, {days['expiry']}")
    days["reference"] = ticks_of(contract, text(command, "reference"))
    days |= {"right": None, "strike": 0, "underlying": -1, "volatility": ""}
    if contract.kind == "option":
        days["right"] = text(command, "right")
        if days["right"] not in ("call", "put"):
            raise Refusal("malformed", f"right is call or put, not {days['right']!r}")
        days["underlying"] = state.exchange.number(text(command, "underlying"))
        if days["underlying"] < 0:
            raise Refusal("unknown_instrument", f"the future {command.body['underlying']!r} is not listed; list it first")
        days["strike"] = ticks_of(contract, text(command, "strike"))
        days["volatility"] = text(command, "volatility")
        _require_underlying(contract, days, state.exchange.listed[days["underlying"]])
    days["mark"] = days["reference"]
    month = days["delivery"] or days["expiry"]
    return days | {"month": month[:7] if month else ""}


def _require_underlying(contract: Contract, days: Mapping[str, Any], future: Mapping[str, Any]) -> None:
    """An option ends in its future lot for lot, at a strike that is a price of the future. Raises Refusal `malformed`."""
    wrong = ""
    if future["settlement"] != "margined" or future["right"] is not None:
        wrong = "is no future"
    elif (future["lot"], future["tick"], future["currency"]) != (contract.lot, str(contract.tick), contract.currency):
        wrong = f"has a lot of {future['lot']} and a tick of {future['tick']} {future['currency']}, and the option others"
    elif future["expiry"] < days["expiry"]:
        wrong = f"ends on {future['expiry']}, before the option"
    elif contract.underlying_lots != 1 or contract.style not in (None, "european"):
        wrong = "is not what one European option on one lot becomes: others are not cleared here"
    if wrong:
        raise Refusal("malformed", f"the underlying {future['code']} {wrong}; list the option on a future that fits")


def set_margin(state: State, command: Command) -> Decision:
    """Body: families (list of mappings: name, currency, lot, price_scan, ...), credits (list: families, share, lots). Replaces what was set."""
    exchange = require_exchange(state)
    families, credits = command.body.get("families"), command.body.get("credits", [])
    if not isinstance(families, list) or not isinstance(credits, list) or not families:
        raise Refusal("malformed", "set_margin needs `families`, a list of mappings; `credits` is one too")
    named = {one.get("name") for one in families if isinstance(one, Mapping)}
    lost = sorted({listing["family"] for listing in exchange.listed if listing["family"]} - named)
    if lost:
        raise Refusal("malformed", f"instruments of the family {lost[0]!r} are listed: it cannot be left out")
    trial = replace(exchange, families=families, credits=credits)
    try:
        trial._margin = None
        stored = work_out(trial, exchange.marks, command.day)
        worst = worst_of(trial, stored, families)
        require_countable(stored, worst)
    except (MarginError, OptionError) as error:
        raise Refusal("malformed", str(error)) from error
    for number, listing in enumerate(exchange.listed):
        if listing["family"]:
            _require_family(exchange, families, number)
    return Decision([{"event": "margin_set", "families": families, "credits": credits, "losses": stored, "worst": worst}])


def _book_rules(contract: Contract, listing: Mapping[str, Any], command: Command) -> dict[str, Any]:
    """What the order book is told: in plain numbers, as InstrumentRules names them."""
    if contract.matching == "negotiated":
        raise Refusal("not_eligible", f"{contract.id} has no order book: parties agree its price and report it; name a `matching` in `terms`")
    reference = int(listing["reference"])
    lowest, highest = limits_around(reference, contract.price_limit_share)
    floor = max(1, reference - FAR)
    return {
        "matching": int(Matching[contract.matching.upper()]),
        "lowest_price": floor,
        "highest_price": min(LARGEST_PRICE, floor + 2 * FAR),
        "reference": reference,
        "lowest_accepted": lowest,
        "highest_accepted": highest,
        "breaker": whole_or(command, "breaker_ticks", 0),
        "largest_order": min(contract.max_order_lots or LARGEST_ORDER, LARGEST_ORDER),
        "seed": whole_or(command, "seed", 0),
        "phase": int(Phase.PRE_OPEN if contract.phases else Phase.CONTINUOUS),
    }


def limits_around(reference: int, share: Any) -> tuple[int, int]:
    """The lowest and highest price of a day, in ticks, rounded inward; (0, 0) where there is no limit. 10 % of 8,360: 7,524 to 9,196."""
    if share is None:
        return 0, 0
    width = multiply(reference, share, rounding=DOWN)
    return max(1, reference - width), reference + width


def _minor(command: Command, contract: Contract, name: str, needed: bool = False) -> int:
    """Money of the body in minor units, 0 where it is left out and not needed."""
    value = text(command, name) if needed else optional_text(command, name, "0")
    try:
        minor = Money.of(value, contract.currency).minor
    except UnitsError as error:
        raise Refusal("malformed", f"{name}: {error}") from None
    if minor < 0 or minor > LARGEST_QUANTITY:
        raise Refusal("malformed", f"{name} is money of zero or more, not {value}")
    return minor


def ticks_of(contract: Contract, price: str) -> int:
    """Whole ticks of a price above zero. Raises Refusal: `malformed`, `off_tick`."""
    try:
        ticks = contract.ticks(Decimal(price))
    except InvalidOperation:
        raise Refusal("malformed", f"{price!r} is no price; write it as text, like 83.60") from None
    except ContractError as error:
        raise Refusal("off_tick", str(error)) from None
    if ticks <= 0:
        raise Refusal("malformed", f"a price is above zero, not {price}")
    return ticks


def _word(value: Any) -> str | None:
    return None if value is None else str(value)


def require_exchange(state: State) -> Any:
    """The exchange. Raises Refusal `not_due` before `open_exchange`."""
    if not state.exchange.venue:
        raise Refusal("not_due", "no exchange is open in this market; `open_exchange` comes first")
    return state.exchange


def require_venue(state: State, command: Command) -> None:
    """Only the venue and the authority run the exchange. Raises Refusal `not_permitted`."""
    if not is_authority(state, command) and role_of(state, command.by) != "venue":
        raise Refusal("not_permitted", f"{command.kind} is for the venue; {command.by!r} is {role_of(state, command.by)}")


def whole_or(command: Command, name: str, otherwise: int) -> int:
    """A whole number of the body, zero or more, or what stands for one left out."""
    return otherwise if command.body.get(name) is None else whole(command, name, 0)
