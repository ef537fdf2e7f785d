"""What somebody may see of the organisation they act for: accounts, statements, obligation, reports, orders, money, bids. Others' are not there."""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
from fastapi import Query, Response
from pydantic import Field

from tonne.administration.permissions import ADMINISTRATOR
from tonne.interfaces.views import agenda_view, auctions_view, holdings, money, obligation, reports, surrendering, ticket, trader_view
from tonne.interfaces.web.api.public import TASKS
from tonne.interfaces.web.api.reading import (
    Days,
    Given,
    Paged,
    Paging,
    Read,
    Text,
    YearOf,
    as_json,
    gives,
    lists,
    page_of,
    same,
    seen,
    shown,
)
from tonne.interfaces.web.api.shared import Word, routes
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import ADMIN, ANY_MEMBER, BIDDER, HOLDER, OPERATOR, REPORTER, ROLES, TRADER, VERIFIER, Allow
from tonne.interfaces.web.problems import not_found

me_router = routes("", "me")
router = routes("/{system}", "own")
SIGNED_IN = Allow(frozenset(ROLES) - {"public"})
SEES_ACCOUNTS = Allow(HOLDER.roles | {"auditor"})
ON_THE_EXCHANGE = Allow(TRADER.roles | {"venue"})
ME = {"person": str, "name": str, "role": str, "system": str, "participant": str, "rights": list[str], "key": str}


@me_router.get("/me", allow=SIGNED_IN, **gives(dict[str, Any]))
def me(ask: Read) -> Response:
    """Who asks, for whom, with which rights."""
    visitor = ask.visitor
    told = {name: getattr(visitor, name) for name in ("person", "name", "role", "system", "participant")}
    key = visitor.key
    ends = key.expires_at.isoformat() if key is not None else visitor.session.ends_at.isoformat() if visitor.session is not None else None
    return as_json({**told, "rights": sorted(visitor.rights), "key": key.label if key is not None else None, "ends": ends})


@me_router.get("/me/memberships", allow=SIGNED_IN, **gives(tuple[dict[str, Any], ...]))
def memberships(ask: Read) -> Response:
    """For whom the person may act here; a key acts for one."""
    return as_json(
        [{"id": one.id, "system": one.system, "participant": one.participant, "rights": sorted(one.rights)} for one in ask.visitor.memberships]
    )


# -- accounts


def account_of(ask: Ask, account: str) -> str:
    """An account that the visitor may look into. Raises Problem 404: whether another exists is nobody else's affair."""
    if ask.visitor.participant == ADMINISTRATOR:
        return account
    with ask.market.read() as state:
        number = state.accounts.find(account)
        own = number >= 0 and state.accounts.holders[number] == ask.visitor.participant
    if not own:
        raise not_found(account)
    return account


@router.get("/accounts", allow=SEES_ACCOUNTS, **gives(tuple[holdings.Account, ...]))
def accounts(ask: Read, system: Word) -> Response:
    """The organisation's accounts with what they hold: held, reserved, available, by unit type and vintage."""
    whose = ask.visitor.participant
    return shown(ask, lambda state, cache: holdings.accounts(state, whose, cache=cache) if state.accounts.of_holder(whose) else (), "accounts")


@router.get("/accounts/{account}", allow=SEES_ACCOUNTS, **gives(holdings.Account))
def account(ask: Read, system: Word, account: Word) -> Response:
    """One account."""
    name = account_of(ask, account)
    return shown(ask, lambda state, cache: holdings.account(state, name, cache=cache), f"account {name}")


class StatementQuery(Days):
    unit: Text | None = None
    kind: Text | None = None


@router.get("/accounts/{account}/statement", allow=SEES_ACCOUNTS, **lists(holdings.STATEMENT))
def statement(ask: Read, system: Word, account: Word, given: Annotated[StatementQuery, Query()]) -> Response:
    """All that moved on an account, with the balance after each. Who stood on the other side of a trade is not said."""
    name = account_of(ask, account)
    chosen = {one: getattr(given, one) for one in ("unit", "kind", "first", "last")}
    frame = seen(ask, lambda state, cache: holdings.statement(state, name, cache=cache, **chosen))
    frame = frame if ask.visitor.participant == ADMINISTRATOR else holdings.anonymous(frame)
    return page_of(ask, f"statement-{name}", frame, given, about=f"statement of {name}")


@router.get("/accounts/{account}/reserved", allow=SEES_ACCOUNTS, **lists(holdings.RESERVED))
def reserved(ask: Read, system: Word, account: Word, given: Paged) -> Response:
    """What is set aside on an account, or elsewhere for it."""
    name = account_of(ask, account)
    return page_of(ask, f"reserved-{name}", seen(ask, lambda state, cache: holdings.reserved(state, name)), given, about=f"reserved of {name}")


TRUSTED = {"account": pl.String, "target": pl.String, "from": pl.String, "since": pl.String}


@router.get("/accounts/{account}/trusted", allow=SEES_ACCOUNTS, **lists(TRUSTED))
def trusted(ask: Read, system: Word, account: Word, given: Paged) -> Response:
    """Accounts that this one trusts, and from when that counts. Changed by a proposal of `trust_account` or `distrust_account`."""
    name = account_of(ask, account)
    with ask.market.read() as state:
        found = dict(state.trusted.get(name, {}))
    rows = [{"account": name, "target": target, "from": one["from"], "since": one["since"]} for target, one in found.items()]
    return page_of(ask, f"trusted-{name}", pl.DataFrame(rows, schema=TRUSTED), given, about=f"trusted accounts of {name}")


# -- compliance


@router.get("/obligation", allow=OPERATOR, **gives(obligation.Obligation))
def owed(ask: Read, system: Word) -> Response:
    """What the organisation owes, has surrendered and lacks, until when, what happens otherwise, and the ways to cover it."""
    whose = ask.visitor.participant
    return shown(ask, lambda state, cache: obligation.obligation(state, whose, ask.market.today, cache=cache), "obligation")


class SurrenderQuery(Given):
    installation: Text
    year: YearOf  # type: ignore[valid-type]
    quantity: Annotated[str, Field(pattern="^[0-9]{1,17}$", description="units")]


@router.get("/surrender/preview", allow=OPERATOR, **gives(surrendering.SurrenderPreview))
def surrender_preview(ask: Read, system: Word, given: Annotated[SurrenderQuery, Query()]) -> Response:
    """Which units a surrender would take, and what would still be missing. Moves nothing."""
    whose = ask.visitor.participant
    account_of(ask, f"operator:{given.installation}")
    arguments = (given.installation, given.year, int(given.quantity), ask.market.today)
    return shown(ask, lambda state, cache: surrendering.surrender_preview(state, *arguments, by=whose, cache=cache))


class ReportsQuery(Paging):
    state: Text | None = None
    installation: Text | None = None


@router.get("/reports/{year}", allow=REPORTER, **lists(reports.REPORTS))
def reports_of(ask: Read, system: Word, year: YearOf, given: Annotated[ReportsQuery, Query()]) -> Response:  # type: ignore[valid-type]
    """Reports of a year: an operator's own, everybody's for verifiers and the administrator."""
    whose = ask.visitor.participant if ask.visitor.role == "operator" else None
    frame = seen(ask, lambda state, cache: reports.reports(state, year, ask.market.today, operator=whose, cache=cache))
    return page_of(ask, f"reports-{year}", frame, given, same(given, "state", "installation"), about=f"reports {year}")


@router.get("/inbox", allow=Allow(VERIFIER.roles | ADMIN.roles), **lists(reports.REPORTS | {"due": pl.Date, "days_left": pl.Int64}))
def inbox(ask: Read, system: Word, given: Paged) -> Response:
    """Reports that wait for a verifier, soonest due first."""
    return page_of(ask, "inbox", seen(ask, lambda state, cache: reports.inbox(state, ask.market.today, cache=cache)), given, about="inbox")


# -- the exchange


@router.get("/trader", allow=ON_THE_EXCHANGE, **gives(trader_view.Trader))
def trader(ask: Read, system: Word) -> Response:
    """Own open orders, trades of the day, positions, margin and agreements."""
    whose = ask.visitor.participant
    return shown(ask, lambda state, cache: trader_view.trader(state, whose, cache=cache), "own orders and positions")


class TicketQuery(Given):
    account: Text
    instrument: Text
    side: Annotated[str, Field(pattern="^(buy|sell)$")]
    quantity: Annotated[str, Field(pattern="^[0-9]{1,17}$")]
    price: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,8})?$")] | None = None


@router.get("/orders/preview", allow=TRADER, **gives(ticket.Ticket))
def order_preview(ask: Read, system: Word, given: Annotated[TicketQuery, Query()]) -> Response:
    """An order as it would be met now: what it would trade, cost and set aside. Sends nothing."""
    account_of(ask, given.account)
    order = {"verb": "new", **given.model_dump(exclude_none=True), "quantity": int(given.quantity)}
    return shown(ask, lambda state, cache: ticket.ticket(state, ask.visitor.participant, order, ask.market.today, cache=cache))


@router.get("/money", allow=HOLDER, **gives(money.MoneyView))
def own_money(ask: Read, system: Word) -> Response:
    """Money by account and currency, margin, calls, agreements, fines."""
    return shown(ask, lambda state, cache: money.money(state, ask.visitor.participant), "money")


@router.get("/money/movements", allow=HOLDER, **lists({"account": pl.String} | holdings.STATEMENT))
def movements(ask: Read, system: Word, given: Annotated[Days, Query()]) -> Response:
    """All money that moved on the organisation's accounts, newest first."""
    whose = ask.visitor.participant
    frame = seen(ask, lambda state, cache: money.movements(state, whose, first=given.first, last=given.last, cache=cache))
    frame = frame if whose == ADMINISTRATOR else holdings.anonymous(frame)
    return page_of(ask, "money", frame, given, about="money movements")


@router.get("/bids/{auction}", allow=BIDDER, **gives(auctions_view.OwnBids))
def own_bids(ask: Read, system: Word, auction: Word) -> Response:
    """The organisation's bids in an open auction."""
    whose = ask.visitor.participant
    return shown(ask, lambda state, cache: auctions_view.own_bids(state, auction, whose, ask.market.today), f"bids in {auction}")


@router.get("/agenda", allow=ADMIN, **gives(tuple[agenda_view.Waiting, ...]))
def agenda(ask: Read, system: Word) -> Response:
    """What waits for the administrator, longest waiting first."""
    return shown(ask, lambda state, cache: agenda_view.waiting(state, ask.market.today, cache=cache), "agenda")


@router.get("/deadlines", allow=ANY_MEMBER, **gives(tuple[agenda_view.Task, ...]))
def deadlines(ask: Read, system: Word) -> Response:
    """The next days by which participants must have acted."""
    return shown(ask, lambda state, cache: agenda_view.next_deadlines(state, ask.market.today, cache=cache))


__all__ = ["TASKS", "account_of", "me_router", "router"]
