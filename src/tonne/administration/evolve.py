"""How each event changes the state. No decision is taken here: replaying events must give the same state without the law."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from tonne.administration import waiting
from tonne.administration.acts import ACTS, repeat
from tonne.administration.commands import Table
from tonne.administration.state import ENTITLEMENT_SCHEMA, FINE_SCHEMA, STATUS_SCHEMA, State
from tonne.administration.values import revive
from tonne.law import Rulebook, Value
from tonne.law.schema import GrowthModel, growth
from tonne.ledger import AccountFlag, TransferFlag, transfers
from tonne.registers.participants import Participant
from tonne.registers.reports import REPORT_SCHEMA, Reports

Event = Mapping[str, Any]
Tables = Mapping[str, Table]

#: Accounts of these kinds may go negative: units come into being there, money is owed there, others' books are not ours to limit.
MAY_OVERDRAW = ("issuance", "cash", "outside", "position", "ccp")


def own_flags(kind: str) -> AccountFlag:
    """What an account of a kind has by its kind, whatever else is set on it."""
    return AccountFlag.NONE if kind in MAY_OVERDRAW else AccountFlag.MUST_NOT_OVERDRAW


def evolve(state: State, event: Event, tables: Tables) -> None:
    """Apply one event. Raises KeyError for an event that this version does not know: the log was written by a newer one."""
    EVOLUTIONS[event["event"]](state, event, tables)


def _frame(event: Event, tables: Tables) -> pl.DataFrame:
    frame = tables[event["table"]]
    assert isinstance(frame, pl.DataFrame)
    return frame


def _founded(state: State, event: Event, tables: Tables) -> None:
    if event["system"] != state.rulebook.system.id:
        raise ValueError(f"the market was founded for {event['system']}, and is opened as {state.rulebook.system.id}: the log's name was changed")
    state.today = date.fromisoformat(event["day"])
    state.two_persons = event.get("two_persons", False)


def _accounts_opened(state: State, event: Event, tables: Tables) -> None:
    frame = _frame(event, tables)
    kinds = frame["kind"].to_list()
    state.accounts.add(frame["account"].to_list(), kinds, frame["holder"].to_list(), frame["installation"].to_list())
    state.books.open_accounts([int(own_flags(kind)) for kind in kinds])


def _account_opened(state: State, event: Event, tables: Tables) -> None:
    state.accounts.add([event["account"]], [event["kind"]], [event["holder"]], [event.get("installation")])
    state.books.open_accounts([int(own_flags(event["kind"]))])


def _flags_set(state: State, event: Event, tables: Tables) -> None:
    state.books.set_flags([state.accounts.number(event["account"])], [event["flags"]])


def _participant_registered(state: State, event: Event, tables: Tables) -> None:
    member = Participant(event["participant"], event["name"], event["role"], event["country"])
    state.participants = state.participants.add(member)


def _installations_registered(state: State, event: Event, tables: Tables) -> None:
    state.installations = state.installations.add(_frame(event, tables))


def _installation_closed(state: State, event: Event, tables: Tables) -> None:
    state.installations = state.installations.with_closed(event["installation"], event["year"])


def _unit_type_added(state: State, event: Event, tables: Tables) -> None:
    state.new_unit_type(event["code"], event["kind"], event["vintage"], event["measure"])


def _activity_filed(state: State, event: Event, tables: Tables) -> None:
    state.activity = state.activity.add(_frame(event, tables))


def _reports_filed(state: State, event: Event, tables: Tables) -> None:
    """Rows replace what was filed for the same installation and year: a report may be filed again until it is verified."""
    frame = _frame(event, tables).select("installation", pl.col("year").cast(pl.Int32), "reported", pl.lit("reported").alias("state"))
    rest = state.reports.frame.join(frame, on=["installation", "year"], how="anti")
    state.reports = Reports(_with_rows(rest, frame), state.reports.corrections)


def _with_rows(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    missing = [
        pl.lit(0 if name.startswith("allocated") else None).cast(kind).alias(name) for name, kind in REPORT_SCHEMA.items() if name not in rows.columns
    ]
    return pl.concat([frame, rows.with_columns(missing).select([pl.col(n).cast(k) for n, k in REPORT_SCHEMA.items()])])


def _reports_verified(state: State, event: Event, tables: Tables) -> None:
    state.reports = signed(state.reports, _frame(event, tables))


def signed(reports: Reports, figures: pl.DataFrame) -> Reports:
    """With figures (installation, year, verified, state) signed; rows without a report before are entered. Raises RegisterError."""
    frame = figures.select("installation", pl.col("year").cast(pl.Int32), "verified", "state")
    old = reports.frame
    kept = old.join(frame, on=["installation", "year"], how="anti")
    reported = frame.join(old.select("installation", "year", "reported"), on=["installation", "year"], how="left", maintain_order="left")
    return Reports(_with_rows(kept, reported), reports.corrections)


def _findings_noted(state: State, event: Event, tables: Tables) -> None:
    for one in event["findings"]:
        said = {key: one[key] for key in one if key != "installation"} | {"by": event["by"], "day": event["day"]}
        state.findings.setdefault(one["installation"], []).append(said)


def _reports_missing(state: State, event: Event, tables: Tables) -> None:
    _reports_verified(state, event, tables)


def _report_corrected(state: State, event: Event, tables: Tables) -> None:
    state.reports = state.reports.correct(
        event["installation"],
        event["year"],
        event["verified"],
        after_deadline=event["after_deadline"],
        by=event["by"],
        on=date.fromisoformat(event["day"]),
        reason=event["reason"],
    )


def _entitled(state: State, event: Event, tables: Tables) -> None:
    frame = _frame(event, tables).select([pl.col(n).cast(k) for n, k in ENTITLEMENT_SCHEMA.items()])
    rest = state.entitlements.join(frame, on=["installation", "year", "basis"], how="anti")
    state.entitlements = pl.concat([rest, frame]).sort("installation", "year", "basis")


def _statuses_set(state: State, event: Event, tables: Tables) -> None:
    frame = _frame(event, tables).select([pl.col(n).cast(k) for n, k in STATUS_SCHEMA.items()])
    rest = state.statuses.join(frame, on=["installation", "year", "interim"], how="anti")
    state.statuses = pl.concat([rest, frame]).sort("installation", "year", "interim")


def _fined(state: State, event: Event, tables: Tables) -> None:
    frame = _frame(event, tables).select([pl.col(n).cast(k) for n, k in FINE_SCHEMA.items()])
    state.fines = pl.concat([state.fines, frame]).sort("installation", "year")


def _published(state: State, event: Event, tables: Tables) -> None:
    state.notices.append({key: value for key, value in event.items() if key != "event"})


def _task_done(state: State, event: Event, tables: Tables) -> None:
    state.done[f"{event['task']}:{event['year']}"] = event["day"]


def _amended(state: State, event: Event, tables: Tables) -> None:
    state.rulebook = amended(state.rulebook, event)
    state.amendments.append({key: value for key, value in event.items() if key != "event"})


def amended(rulebook: Rulebook, patch: Mapping[str, Any]) -> Rulebook:
    """With one amendment laid over it: a value that takes effect on a day and became known on another. Raises ValueError where it holds none."""
    grows = growth(GrowthModel.model_validate(patch["grows"])) if patch.get("grows") else None
    value = Value(
        date.fromisoformat(patch["from"]),
        revive(patch.get("value"), rulebook.parameter(patch["parameter"]).unit),
        patch["source"],
        date.fromisoformat(patch["published"]),
        "source",
        "in_force",
        patch.get("note", ""),
        grows,
    )
    return rulebook.with_values({patch["parameter"]: value}, rulebook.scenario, False)


def _exchange_opened(state: State, event: Event, tables: Tables) -> None:
    state.exchange.venue = event["venue"]
    state.exchange.see_units(len(state.books.unit_types))


def _members_admitted(state: State, event: Event, tables: Tables) -> None:
    state.exchange.admit(event["members"])


def _instrument_listed(state: State, event: Event, tables: Tables) -> None:
    state.exchange.list_instrument(event["listing"])
    if "losses" in event:
        state.exchange.set_losses(event["losses"], event["worst"])


def _trade_proposed(state: State, event: Event, tables: Tables) -> None:
    state.exchange.proposals[event["proposal"]] = event["deal"]


def _trade_closed(state: State, event: Event, tables: Tables) -> None:
    del state.exchange.proposals[event["proposal"]]


def _auction_announced(state: State, event: Event, tables: Tables) -> None:
    """Offers that were set aside on other accounts know their pending transfer, in the order of the offers."""
    offers = [dict(row) for row in event["offers"]]
    pending = iter(np.asarray(tables["transfers"])["id"].tolist() if "transfers" in tables else ())
    for row in offers:
        if state.accounts.kinds[row["account"]] != "auction":
            row["pending"] = next(pending)
    sale = {name: event[name] for name in ("held_on", "secured", "own", "price_step")}
    state.exchange.sales[event["auction"]] = sale | {"offers": offers, "bids": [], "guarantees": {}}


def _bids_filed(state: State, event: Event, tables: Tables) -> None:
    sale = state.exchange.sales[event["auction"]]
    sale["bids"] = [row for row in sale["bids"] if row[0] not in event["accounts"]] + [list(row) for row in event["bids"]]
    rows = np.asarray(tables["transfers"]) if "transfers" in tables else transfers(0)
    for owner in event["accounts"]:
        sale["guarantees"].pop(str(owner), None)
    for row in rows[(rows["flags"] & int(TransferFlag.PENDING)) != 0]:
        sale["guarantees"][str(int(row["from_account"]))] = [int(row["id"]), int(row["quantity"])]


def _auction_cleared(state: State, event: Event, tables: Tables) -> None:
    state.exchange.sales.pop(event["auction"], None)
    state.exchange.auctioned[event["auction"]] = int(event["sold"])


def _margin_set(state: State, event: Event, tables: Tables) -> None:
    state.exchange.families, state.exchange.credits = event["families"], event["credits"]
    state.exchange.set_losses(event["losses"], event["worst"])


def _noted(state: State, event: Event, tables: Tables) -> None:
    """The transfers of the command are its whole effect."""


EVOLUTIONS: dict[str, Callable[[State, Event, Tables], None]] = {
    "founded": _founded,
    "accounts_opened": _accounts_opened,
    "account_opened": _account_opened,
    "flags_set": _flags_set,
    "participant_registered": _participant_registered,
    "installations_registered": _installations_registered,
    "installation_closed": _installation_closed,
    "unit_type_added": _unit_type_added,
    "activity_filed": _activity_filed,
    "reports_filed": _reports_filed,
    "reports_verified": _reports_verified,
    "reports_missing": _reports_missing,
    "findings_noted": _findings_noted,
    "report_corrected": _report_corrected,
    "entitled": _entitled,
    "statuses_set": _statuses_set,
    "fined": _fined,
    "published": _published,
    "task_done": _task_done,
    "amended": _amended,
    "exchange_opened": _exchange_opened,
    "members_admitted": _members_admitted,
    "instrument_listed": _instrument_listed,
    "margin_set": _margin_set,
    "auction_announced": _auction_announced,
    "bids_filed": _bids_filed,
    "auction_cleared": _auction_cleared,
    "auction_held": _auction_cleared,
    "trade_proposed": _trade_proposed,
    "trade_closed": _trade_closed,
    "moved": _noted,
    "judged": _noted,
    **waiting.EVOLUTIONS,
    **dict.fromkeys(ACTS, repeat),
}

#: Events that make room in the ledger: they take effect before the command's transfers.
OPENING = frozenset({"accounts_opened", "account_opened", "unit_type_added"})
#: Events that take effect before the transfers: those, and acts, which count what is there before them.
EARLY = OPENING | frozenset(ACTS)
