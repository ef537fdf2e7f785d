"""Reports, verifications, bids and transfers: single, in lists, and as files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import polars as pl
from fastapi import Response
from pydantic import Field

from tonne.administration.commands import Command
from tonne.administration.permissions import VERBS
from tonne.administration.refusals import Refusal
from tonne.interfaces.web.api import uploads
from tonne.interfaces.web.api.reading import as_json
from tonne.interfaces.web.api.shared import (
    REFUSED,
    Amount,
    Asked,
    Body,
    IdempotencyKey,
    Price,
    Quantity,
    ReceiptBody,
    Word,
    Year,
    needs,
    routes,
    sent,
    stored,
    told,
)
from tonne.interfaces.web.api.tasks import programs_only
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import ADMIN, BIDDER, HOLDER, OPERATOR, VERIFIER, Allow
from tonne.interfaces.web.problems import Problem

router = routes("/{system}", "filing")
REPORTS = Allow(OPERATOR.roles | ADMIN.roles, "initiate")
VERIFIES = Allow(VERIFIER.roles | ADMIN.roles, "initiate")
BIDS = Allow(BIDDER.roles | {"auctioneer"})
TRANSFERS = Allow(HOLDER.roles & VERBS["transfer"], "initiate")
ROWS_MOST = 10_000
#: Rows of one file of transfers: each becomes a proposal that a second person reads.
TRANSFERS_MOST = 500


class Report(Body):
    installation: Word
    year: Year
    emissions: Amount = Field(description="tonnes")


class ReportsBody(Body):
    reports: list[Report] = Field(min_length=1, max_length=ROWS_MOST)


class Verification(Body):
    installation: Word
    year: Year
    verified: Amount | None = Field(None, description="tonnes; left out where a report is rejected")
    state: Annotated[str, Field(pattern="^[a-z_]{1,30}$")] = Field("verified", description="verified, or rejected")


class VerificationsBody(Body):
    reports: list[Verification] = Field(min_length=1, max_length=ROWS_MOST)


class Bid(Body):
    account: Word
    price: Price | None = None
    quantity: Quantity
    kind: Word | None = None


class BidsBody(Body):
    """All bids of an account replace what it sent before."""

    bids: list[Bid] = Field(min_length=1, max_length=ROWS_MOST)


class WithdrawBody(Body):
    account: Word


def _frame(rows: list[Any], columns: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([one.model_dump() for one in rows], schema=columns)


REPORT_COLUMNS = {"installation": pl.String, "year": pl.Int64, "emissions": pl.Int64}
VERIFIED_COLUMNS = {"installation": pl.String, "year": pl.Int64, "verified": pl.Int64, "state": pl.String}
BID_COLUMNS = {"account": pl.String, "price": pl.String, "quantity": pl.Int64, "kind": pl.String}
POST: dict[str, Any] = {"responses": REFUSED, "response_model": ReceiptBody}


@router.post("/reports", allow=REPORTS, **POST)
async def report(ask: Asked, system: Word, key: IdempotencyKey, body: ReportsBody) -> dict[str, Any]:
    """File emissions reports; until they are verified they may be filed again."""
    needs(ask.visitor, "initiate")
    return await sent(ask, key, "report", {}, {"reports": _frame(body.reports, REPORT_COLUMNS)})


@router.post(
    "/reports/bulk", allow=REPORTS, **POST, openapi_extra=uploads.described(uploads.REPORTS, "installation,year,emissions\nplant-1,2025,48210\n")
)
async def report_bulk(ask: Asked, system: Word, key: IdempotencyKey) -> dict[str, Any]:
    """File reports as CSV or Parquet, all or none; every fault is told with its line."""
    needs(ask.visitor, "initiate")
    frame = await uploads.upload(ask, uploads.REPORTS, _known_installations(ask, own=ask.visitor.role == "operator"))
    return await sent(ask, key, "report", {}, {"reports": frame})


@router.post("/verifications", allow=VERIFIES, **POST)
async def verify(ask: Asked, system: Word, key: IdempotencyKey, body: VerificationsBody) -> dict[str, Any]:
    """Sign reports (verified) or send them back (rejected)."""
    needs(ask.visitor, "initiate")
    return await sent(ask, key, "verify", {}, {"reports": _frame(body.reports, VERIFIED_COLUMNS)})


@router.post(
    "/verifications/bulk",
    allow=VERIFIES,
    **POST,
    openapi_extra=uploads.described(uploads.VERIFIED, "installation,year,verified,state\nplant-1,2025,48210,verified\n"),
)
async def verify_bulk(ask: Asked, system: Word, key: IdempotencyKey) -> dict[str, Any]:
    """Sign many reports as CSV or Parquet, all or none."""
    needs(ask.visitor, "initiate")
    frame = await uploads.upload(ask, uploads.VERIFIED, _known_installations(ask, own=False))
    missing = [pl.lit(None, pl.Int64).alias("verified")] if "verified" not in frame.columns else []
    return await sent(ask, key, "verify", {}, {"reports": frame.with_columns(*missing)})


def _known_installations(ask: Ask, own: bool) -> Callable[[pl.DataFrame, Callable[[int, str, str], None]], None]:
    """Names no installation twice for a year, and none that is not there, or not the sender's."""

    def check(frame: pl.DataFrame, fault: Callable[[int, str, str], None]) -> None:
        with ask.market.read() as state:
            there = set(state.installations.frame["installation"].to_list())
            if own:
                there &= {state.accounts.installations[number] for number in state.accounts.of_holder(ask.visitor.participant)}
        seen: dict[tuple[str, int], int] = {}
        for row, (name, year) in enumerate(frame.select("installation", "year").iter_rows()):
            if name not in there:
                fault(row, "installation", "none of yours" if own else "no installation of that id")
            elif (name, year) in seen:
                fault(row, "installation", f"{name} {year} stands in row {seen[name, year] + 1} of the rows already")
            seen.setdefault((name, year), row)

    return check


# -- bids


@router.post("/bids/{auction}", allow=BIDS, **POST)
async def bid(ask: Asked, system: Word, key: IdempotencyKey, auction: Word, body: BidsBody) -> dict[str, Any]:
    """Bid in an auction that is open. What an account sends replaces what it sent before."""
    _may_bid(ask)
    return await sent(ask, key, "bid", {"auction": auction}, {"bids": _bids(_frame(body.bids, BID_COLUMNS))})


@router.post(
    "/bids/{auction}/bulk", allow=BIDS, **POST, openapi_extra=uploads.described(uploads.BIDS, "account,price,quantity\nsynthetic-01,83.60,1000\n")
)
async def bid_bulk(ask: Asked, system: Word, key: IdempotencyKey, auction: Word) -> dict[str, Any]:
    """Bids as CSV or Parquet, all or none."""
    _may_bid(ask)
    return await sent(ask, key, "bid", {"auction": auction}, {"bids": _bids(await uploads.upload(ask, uploads.BIDS))})


@router.post("/bids/{auction}/withdraw", allow=BIDS, **POST)
async def withdraw_bids(ask: Asked, system: Word, key: IdempotencyKey, auction: Word, body: WithdrawBody) -> dict[str, Any]:
    """Take all bids of an account back."""
    _may_bid(ask)
    return await sent(ask, key, "bid", {"auction": auction, "withdraw": body.account})


def _may_bid(ask: Ask) -> None:
    programs_only(ask)
    needs(ask.visitor, "trade" if ask.visitor.role in BIDDER.roles else "initiate")


def _bids(frame: pl.DataFrame) -> pl.DataFrame:
    if "price" not in frame.columns:
        frame = frame.with_columns(price=pl.lit(None, pl.String))
    if "kind" in frame.columns and frame["kind"].null_count() == frame.height:
        frame = frame.drop("kind")
    return frame


# -- transfers


PROPOSALS = {"type": "object", "properties": {"proposals": {"type": "array", "items": {"type": "string"}}, "count": {"type": "integer"}}}


@router.post(
    "/transfers/bulk",
    allow=TRANSFERS,
    responses={**REFUSED, 200: {"description": "proposed", "content": {"application/json": {"schema": PROPOSALS}}}},
    response_class=Response,
    openapi_extra=uploads.described(uploads.TRANSFERS, "from,to,unit,quantity\nsynthetic-01,synthetic-02,UNIT,100\n"),
)
async def transfers(ask: Asked, system: Word, key: IdempotencyKey) -> Response:
    """Propose many transfers as CSV or Parquet, all or none: every row is tried first, and together they must not ask for more than is there.

    Each row is a proposal of its own, because the law may let each run at another time; a second person approves them.
    """
    programs_only(ask)
    needs(ask.visitor, "initiate")
    frame = await uploads.upload(ask, uploads.TRANSFERS, _possible(ask))
    wishes = [{"verb": "transfer", "body": row, "moment": ask.market.now().isoformat()} for row in frame.iter_rows(named=True)]
    receipts = []
    for place, wish in enumerate(wishes):
        receipt = await stored(ask.place, ask.market, ask.visitor, f"{key}-{place + 1}"[-100:], "propose", wish)
        if not receipt.accepted:
            await _take_back(ask, key, [one.command_id for one in receipts])
            await asyncio.to_thread(ask.record, "propose", receipt.command_id, receipt.outcome)
            told(receipt)
        receipts.append(receipt)
    names = [one.command_id for one in receipts]
    await asyncio.to_thread(ask.record, "propose", f"{len(names)} transfers: {names[0]} to {names[-1]}", "accepted")
    return as_json({"proposals": names, "count": len(names)})


async def _take_back(ask: Ask, key: str, proposals: list[str]) -> None:
    """What was proposed of a file whose later row was refused meanwhile: nothing of it is left to approve."""
    for place, name in enumerate(proposals):
        wish = {"proposal": name, "moment": ask.market.now().isoformat(), "reason": "another row of the same file was refused"}
        await stored(ask.place, ask.market, ask.visitor, f"{key}-b{place + 1}"[-100:], "withdraw_proposal", wish)


def _possible(ask: Ask) -> Callable[[pl.DataFrame, Callable[[int, str, str], None]], None]:
    """Each row as if it were alone, and all of an account's rows together against what it has."""

    def check(frame: pl.DataFrame, fault: Callable[[int, str, str], None]) -> None:
        if frame.height > TRANSFERS_MOST:
            raise Problem(413, "too_large", f"at most {TRANSFERS_MOST} transfers in a file")
        market, visitor = ask.market, ask.visitor
        moment, asked = market.now().isoformat(), {}
        for place, row in enumerate(frame.iter_rows(named=True)):
            wish = {"verb": "transfer", "body": row, "moment": moment, "person": visitor.person}
            try:
                market.preview(Command("preview", "propose", visitor.participant, market.today, wish))
            except Refusal as refusal:
                fault(place, "quantity" if refusal.name == "insufficient_balance" else "from", f"{refusal.name}: {refusal.reason}")
                continue
            total = asked[row["from"], row["unit"]] = asked.get((row["from"], row["unit"]), 0) + row["quantity"]
            with market.read() as state:
                free = state.books.available(state.accounts.number(row["from"]), state.unit(row["unit"]))
            if total > free:
                fault(place, "quantity", f"insufficient_balance: up to this row {total:,} are asked for, and {free:,} are there")

    return check
