"""Bids at auctions: which are open, on what terms; bids written row by row or loaded from a file, reviewed, and sent with a code; what came of it.

Bids are sealed: nobody's but one's own are on any page, not even how many there are.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from fastapi.responses import Response

from tonne.administration.auctions import rules_at
from tonne.formats.bids import read_bids
from tonne.formats.faults import BadFile
from tonne.interfaces.views import auctions_view
from tonne.interfaces.views.found import NotFound, asking
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import BIDDER, pages
from tonne.interfaces.web.pages.bid_rows import ROWS_MOST, content_of, read_rows, refusal, sent_rows, with_bidder
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.trade_screen import path_of
from tonne.interfaces.web.problems import Problem, not_found, title
from tonne.interfaces.web.render import price
from tonne.interfaces.web.tables import Column
from tonne.interfaces.web.words import N_
from tonne.people import PeopleRefused

router = pages()
MAY = BIDDER.with_right("trade")
#: Rows of an empty form, the fewest empty ones below what is written; faults of a file that are shown.
ROWS, SPARE, FAULTS = 5, 2, 50
FILE_MOST = 1_000_000
#: Kinds of accounts that buy at auctions.
BUYING = ("operator", "trading", "remainder")
OUTCOMES = {"cleared": N_("all sold"), "partial": N_("partly sold"), "cancelled": N_("called off"), "declined": N_("not sold")}
PRICINGS = {
    "lowest_accepted": N_("everybody who wins pays the lowest price that wins"),
    "pay_as_bid": N_("everybody who wins pays what they bid"),
    "highest_rejected": N_("everybody who wins pays the highest price that loses"),
}


@router.get("/{system}/bids", allow=BIDDER)
def bids(ask: Asked, system: str) -> Response:
    """Auctions that take bids, with one's own; and those that were held."""
    market, mine = ask.market, ask.visitor.participant
    with market.read() as state:
        found = auctions_view.open_auctions(state, market.today)
        own = {one.auction: auctions_view.own_bids(state, one.auction, mine, market.today) for one in found}
        held = auctions_view.auctions(state, cache=cache_of(market))
    currency = market.rulebook.system.currency
    columns = [
        Column("auction", ask._("Auction"), href=lambda row: ask.here(f"/bids/{path_of(row['auction'])}")),
        Column("day", ask._("Held on"), "day"),
        Column("outcome", ask._("Outcome"), show=lambda value, row: ask._(OUTCOMES[value]) if value in OUTCOMES else value),
        Column("offered", ask._("Offered"), "quantity"),
        Column("sold", ask._("Sold"), "quantity"),
        Column("price", ask._("Price"), "number", unit=currency, show=lambda value, row: None if value is None else price(value)),
        Column("cover_ratio", ask._("Bid for each offered"), "number"),
        Column("bidders", ask._("Bidders"), "quantity"),
        Column("winners", ask._("Winners"), "quantity"),
    ]
    table = ask.table(
        "auctions-held", ask._("Held"), held.select([column.name for column in columns]), columns, empty=ask._("No auction was held yet.")
    )
    return ask.page("bids.html", found=found, own=own, closes={one.auction: _closes(ask, one) for one in found}, table=table, path_of=path_of)


def _closes(ask: Ask, one: auctions_view.OpenAuction) -> datetime:
    """The end of the day on which it is held, on the registry's clock: later no bid is taken."""
    return datetime.combine(one.held_on + timedelta(days=1), time(), ask.market.zone)


@router.get("/{system}/bids/{auction}", allow=BIDDER)
def auction(ask: Asked, system: str, auction: str) -> Response:
    """Terms, own bids and the form; after the window what was published."""
    one = _open(ask, auction)
    if one is None:
        return _over(ask, auction)
    ask.record("view", f"bids {auction}", "shown")
    draft = ask.place.people.draft(ask.visitor.person, _draft_name(ask, auction))
    rows = [tuple(row) for row in draft.body.get("rows", [])] if draft is not None else []
    return _page(ask, one, rows, draft=draft)


def _open(ask: Ask, name: str) -> auctions_view.OpenAuction | None:
    """An auction that is announced and not held; None for one that was held. Raises Problem 404."""
    market = ask.market
    with market.read() as state:
        try:
            return auctions_view.open_auction(state, name, market.today)
        except NotFound as error:
            if name in state.exchange.auctioned:
                return None
            raise not_found(error.name, [f"{market.system}/bids/{path_of(one)}" for one in error.near]) from None


def _over(ask: Ask, name: str, status: int = 200, refused: str = "") -> Response:
    with ask.market.read() as state:
        try:
            fields = auctions_view.result(state, name, cache=cache_of(ask.market)).fields
        except NotFound:
            fields = None
    return ask.page(
        "bid_result.html",
        status,
        name=name,
        fields=fields,
        outcomes={key: ask._(text) for key, text in OUTCOMES.items()},
        refused=refused,
        path_of=path_of,
    )


def _page(
    ask: Ask,
    one: auctions_view.OpenAuction,
    rows: Sequence[tuple[str, str]] = (),
    *,
    faults: Mapping[int, tuple[str, str]] | None = None,
    problem: str = "",
    file_faults: Sequence[Any] = (),
    draft: Any = None,
    status: int = 200,
) -> Response:
    """The auction's page with its form. rows: (price, quantity) as typed; faults: row -> (field, what is wrong)."""
    market = ask.market
    with market.read() as state:
        own = auctions_view.own_bids(state, one.auction, ask.visitor.participant, market.today)
    accounts = _accounts(ask)
    given = str(ask.form.get("account", "")) or (own.bids[0].account if own.bids else next(iter(accounts), ""))
    shown = [*rows, *[("", "")] * max(ROWS - len(rows), SPARE)][:ROWS_MOST]
    shut = one.held_on < market.today
    return ask.page(
        "bid.html",
        status,
        one=one,
        own=own,
        closes=_closes(ask, one),
        shut=shut,
        accounts=accounts,
        there=_there(ask, accounts),
        given=given,
        rows=shown,
        faults=faults or {},
        problem=problem,
        file_faults=file_faults[:FAULTS],
        fault_count=len(file_faults),
        draft=draft,
        pricing=ask._(PRICINGS[one.pricing]) if one.pricing in PRICINGS else one.pricing,
        at=ask.here(f"/bids/{path_of(one.auction)}"),
        may_bid="trade" in ask.visitor.rights and bool(accounts) and not shut,
        code_hint=_hint(ask),
    )


def _hint(ask: Ask) -> str:
    return ask.place.demo.code_for(ask.visitor) if ask.place.demo is not None else ""


def _accounts(ask: Ask) -> list[str]:
    """Own accounts that buy at auctions."""
    with ask.market.read() as state:
        own = state.accounts.of_holder(ask.visitor.participant)
        return [state.accounts.ids[number] for number in own if state.accounts.kinds[number] in BUYING]


def _there(ask: Ask, accounts: Sequence[str]) -> dict[str, int]:
    """Money that is free on each account, minor units."""
    with ask.market.read() as state:
        unit = state.unit(state.rulebook.system.currency)
        return {account: int(state.books.available(state.accounts.number(account), unit)) for account in accounts}


def _draft_name(ask: Ask, auction: str) -> str:
    return f"bids {ask.market.system} {ask.visitor.participant} {auction}"[:200]


# -- write and review


@router.post("/{system}/bids/{auction}/review", allow=MAY)
def review(ask: Asked, system: str, auction: str) -> Response:
    """What the bids would need; nothing is sent. A file in the place of rows fills the form first."""
    one = _open(ask, auction)
    if one is None:
        return _over(ask, auction, 409, title("auction_closed", ask._))
    if "file" in ask.files:
        return _loaded(ask, one)
    rows = sent_rows(ask)
    # Kept also for a second thought after the review: what was typed is there again.
    ask.place.people.save_draft(ask.visitor.person, _draft_name(ask, auction), {"rows": rows}, now=ask.place.real_now())
    if ask.form.get("keep"):
        return ask.see(f"/{system}/bids/{path_of(auction)}")
    return _reviewed(ask, one, rows)


def _reviewed(ask: Ask, one: auctions_view.OpenAuction, rows: Sequence[tuple[str, str]], form: Form | None = None, status: int = 200) -> Response:
    account = _own_account(ask)
    found, faults = read_rows(ask, one, rows)
    problem = "" if rows else ask._("Write at least one bid: a price and a quantity.")
    preview = None
    if not problem and not faults:
        with ask.market.read() as state:
            preview = auctions_view.bid_preview(state, one.auction, ask.visitor.participant, account, found, ask.market.today)
            own = auctions_view.own_bids(state, one.auction, ask.visitor.participant, ask.market.today)
        problem = refusal(ask, one, preview.refused, preview)
    if preview is None or problem:
        return _page(ask, one, rows, faults=faults, problem=problem, status=422)
    content = {"auction": one.auction, "account": account, "rows": found}
    return ask.page(
        "bid_review.html",
        status,
        one=one,
        preview=preview,
        rows=found,
        replaced=[bid for bid in own.bids if bid.account == account],
        text=json.dumps(content, ensure_ascii=False, sort_keys=True),
        form=form or Form(ask, [_code(ask)]),
        at=ask.here(f"/bids/{path_of(one.auction)}"),
        code_hint=_hint(ask),
    )


def _own_account(ask: Ask) -> str:
    account = str(ask.form.get("account", ""))
    if account not in _accounts(ask):
        raise Problem(403, "not_permitted", ask._("Choose one of your own accounts that buy at auctions."))
    return account


def _code(ask: Ask) -> Field:
    return Field("code", ask._("Code of your app"), "code", hint=ask._("It confirms exactly these bids; after a change it is asked for again."))


def _loaded(ask: Ask, one: auctions_view.OpenAuction) -> Response:
    """Rows from a file: whole, or not at all with every fault and where it is."""
    name, data = ask.files["file"]
    if len(data) > FILE_MOST:
        return _page(ask, one, problem=ask._("The file is too large: one megabyte at most."), status=422)
    with ask.market.read() as state:
        rules = rules_at(state, asking(max(ask.market.today, state.today)), state.exchange.sales[one.auction])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bids.csv"
        path.write_bytes(with_bidder(data))
        try:
            found = read_bids(path, rules)
        except BadFile as bad:
            return _page(
                ask, one, sent_rows(ask), file_faults=bad.faults, problem=ask.say("Nothing was loaded from %(file)s.", file=name[:80]), status=422
            )
        except (ValueError, UnicodeDecodeError, OSError) as error:
            return _page(
                ask, one, sent_rows(ask), problem=ask.say("%(file)s cannot be read: %(why)s", file=name[:80], why=str(error)[:200]), status=422
            )
    if len(found.bids.price) > ROWS_MOST or len(found.bidders) > 1:
        return _page(ask, one, problem=ask.say("One file holds the bids of one bidder, %(most)s at most.", most=ROWS_MOST), status=422)
    rows = [
        ("" if not ticks else f"{rules.price(int(ticks)):f}", str(int(units)))
        for ticks, units in zip(found.bids.price, found.bids.quantity, strict=True)
    ]
    return _page(ask, one, rows)


# -- send


@router.post("/{system}/bids/{auction}/send", allow=MAY)
def send(ask: Asked, system: str, auction: str) -> Response:
    """Send what was reviewed. The code is bound to exactly these bids."""
    content = content_of(ask, auction)
    one = _open(ask, auction)
    if one is None:
        return _over(ask, auction, 409, title("auction_closed", ask._))
    form = Form(ask, [_code(ask)])
    if content["account"] not in _accounts(ask):
        raise Problem(403, "not_permitted", ask._("Choose one of your own accounts that buy at auctions."))
    ask.form = {**ask.form, "account": content["account"]}
    rows = [(row[0], str(row[1])) for row in content["rows"]]
    if (again := _confirmed(ask, form, json.dumps(content, sort_keys=True))) is not None:
        return _reviewed(ask, one, rows, form, again)
    body = {"auction": auction, "bids": [[content["account"], row[0], row[1], ""] for row in content["rows"]]}
    try:
        ask.perform("bid", body)
    except Problem as problem:
        if problem.receipt is None:
            raise
        return _page(ask, one, rows, problem=refusal(ask, one, problem.name), status=422)
    ask.place.people.drop_draft(ask.visitor.person, _draft_name(ask, auction))
    return ask.see(f"/{system}/bids/{path_of(auction)}", sent="yes")


def _confirmed(ask: Ask, form: Form, content: str) -> int | None:
    """None once the code holds for this content, or the command was sent before; else the status of the page that asks again."""
    if ask.market.desk.administration.outcome_of(f"web:{ask.visitor.participant}:{ask.key_of()}") is not None:
        return None
    if not form.check():
        return 422
    try:
        ask.confirm(content)
    except PeopleRefused as refused:
        if refused.name not in ("wrong_code", "code_used"):
            raise
        form.fault("code", refused.text)
        return 422
    return None


@router.post("/{system}/bids/{auction}/withdraw", allow=MAY)
def withdraw(ask: Asked, system: str, auction: str) -> Response:
    """All bids of an account back, with a code."""
    one = _open(ask, auction)
    if one is None:
        return _over(ask, auction, 409, title("auction_closed", ask._))
    account, form = _own_account(ask), Form(ask, [_code(ask)])
    if _confirmed(ask, form, f"withdraw {auction} {account}") is not None:
        return _page(ask, one, problem=form["code"].error, status=422)
    try:
        ask.perform("bid", {"auction": auction, "withdraw": account})
    except Problem as problem:
        if problem.receipt is None:
            raise
        return _page(ask, one, problem=refusal(ask, one, problem.name), status=422)
    return ask.see(f"/{system}/bids/{path_of(auction)}", withdrawn="yes")
