"""The log for whoever checks it: entries, their hashes, the market as it stood on a day, and who has looked at what.

Nothing here changes a market. Long checks run beside the requests, one at a time for each market, and their results stay as long as the server runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.kinds import Kind
from tonne.interfaces.views import log_view
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import AUDIT, PUBLIC, pages
from tonne.interfaces.web.pages.common import day_asked
from tonne.interfaces.web.problems import not_found
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.tables import Column, Filter, Table, whole
from tonne.interfaces.web.words import N_

router = pages()
LINES, ROWS_MOST = 50, 200_000
SHOWN_LETTERS = 60
TABS: tuple[tuple[str, str], ...] = (
    ("", N_("Log")),
    ("/verify", N_("Verify the log")),
    ("/replay", N_("Replay")),
    ("/trail", N_("Who has looked and acted")),
)
_ID = re.compile(r"p-[0-9a-z]{8,}")


def tabs(ask: Ask, here: str = "") -> list[tuple[str, str, bool]]:
    """address, label, whether it is this page; here: the path of the one it belongs to, where it is not its own."""
    base = f"/{ask.market.system}/audit"
    here = base + here if here else ask.path
    return [
        (
            ask.url(base + path),
            ask._(label),
            here.startswith(base + path) if path else not any(here.startswith(base + other) for other, _ in TABS if other),
        )
        for path, label in TABS
    ]


def home(ask: Ask) -> Response:
    """The auditor's first page is the log."""
    return _log(ask)


@router.get("/{system}/audit", allow=AUDIT)
def audit(ask: Asked, system: str) -> Response:
    """Entries, newest first; a page goes on where the last one ended, and none is counted over."""
    return _log(ask)


def _log(ask: Ask) -> Response:
    query, log = ask.query, ask.market.desk.log
    before = whole(query, "before", 1, 10**15, 0) or None
    given = {name: query.get(name, "")[:100] for name in ("kind", "actor", "outcome")}
    asked = "".join(f", {name} {value}" for name, value in {**given, "before": before}.items() if value)
    ask.record("view", f"log{asked}", "shown")
    if ask.suffix:
        found = log_view.page(log, before=before, limit=ROWS_MOST, **given)
        raise ask.file(f"{ask.market.system}-log", _frame(found.lines), ask.suffix)
    found = log_view.page(log, before=before, limit=LINES, **given)
    columns = [
        Column("sequence", ask._("Entry"), "number", sortable=False, href=lambda row: ask.here(f"/audit/log/{row['sequence']}")),
        Column("day", ask._("Day"), "day", sortable=False),
        Column("actor", ask._("By"), sortable=False),
        Column("kind", ask._("Command"), sortable=False),
        Column("outcome", ask._("Result"), "state", sortable=False),
        Column("bytes", ask._("Size"), "number", "B", sortable=False),
        Column("hash", ask._("Hash"), sortable=False, show=lambda value, row: f"{value[:16]}\u2026"),
    ]
    filters = [
        Filter(name, label, value=given[name]) for name, label in (("kind", ask._("Command")), ("actor", ask._("By")), ("outcome", ask._("Result")))
    ]
    table = _table(
        ask, "log", ask._("Entries"), _frame(found.lines), columns, filters, total=found.of, empty=ask._("No entry fits, as far back as was looked.")
    )
    table.downloads = [
        (word, ask.url(f"/{ask.market.system}/audit.{end}", **given, before=before))
        for word, end in (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet"))
    ]
    kept = {name: value for name, value in given.items() if value}
    return ask.page(
        "audit_log.html",
        table=table,
        audit_tabs=tabs(ask),
        head=found.head,
        of=found.of,
        reached=found.reached,
        older=ask.here("/audit", **kept, before=found.older) if found.older else "",
        newest=ask.here("/audit", **kept) if before else "",
        picky=bool(kept),
    )


def _frame(lines: tuple[log_view.Line, ...]) -> pl.DataFrame:
    schema = {
        "sequence": pl.Int64,
        "day": pl.Date,
        "actor": pl.String,
        "kind": pl.String,
        "outcome": pl.String,
        "bytes": pl.Int64,
        "hash": pl.String,
        "previous": pl.String,
        "command_id": pl.String,
    }
    return pl.DataFrame([{name: getattr(line, name) for name in schema} for line in lines], schema=schema)


def _table(ask: Ask, name: str, caption: str, frame: pl.DataFrame, columns: list[Column], filters: list[Filter], *, total: int, empty: str) -> Table:
    """A table whose page was cut by who keeps the rows, so that it is neither counted nor sorted here."""
    rows = []
    for row in frame.iter_rows(named=True):
        shown = dict(row)
        for column in columns:
            if column.show is not None:
                shown[column.name] = column.show(row[column.name], row)
        links = {column.name: column.href(row) for column in columns if column.href is not None}
        rows.append(shown | {"_href": links, "href": next(iter(links.values()), None)})
    return Table(name, caption, columns, rows, total, 1, 1, max(len(rows), 1), ask.as_of, filters, [], None, None, empty, path=ask.url(ask.path))


# -- one entry


@router.get("/{system}/audit/log/{sequence}", allow=AUDIT)
def entry(ask: Asked, system: str, sequence: str) -> Response:
    """What was sent, what followed, and whether it is what its hash says."""
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 16):
        raise not_found(sequence)
    log = ask.market.desk.log
    try:
        found = log_view.entry(log, int(sequence))
    except NotFound as error:
        raise not_found(error.name, [f"{system}/audit/log/{one}" for one in error.near]) from None
    ask.record("view", f"log entry {sequence}", "shown")
    sealed = found.line.kind == "bid" and _is_open(ask, str(found.body.get("auction", "")))
    if sealed:
        found = replace(found, body={"auction": found.body.get("auction")}, events=(), tables=())
    people = {name for name in _ID.findall(json.dumps([found.body, found.events], default=str))}
    names = ask.place.people.names(people) if people else {}
    codes = _codes(ask)
    return ask.page(
        "audit_entry.html",
        found=found,
        audit_tabs=tabs(ask),
        body=pretty(found.body),
        events=[(event.get("event", ""), pretty({name: value for name, value in event.items() if name != "event"})) for event in found.events],
        tables=[(one, _first_rows(one.first, codes)) for one in found.tables],
        names=names,
        person=names.get(found.person, found.person),
        moment_text=written(found.moment) if found.moment else None,
        sealed=sealed,
        last=log.head().sequence,
    )


def _is_open(ask: Ask, auction: str) -> bool:
    """Whether an auction still waits for bids: until it is held nobody sees them, whoever reads the log neither."""
    with ask.market.read() as state:
        return auction in state.exchange.sales


def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str)


def _codes(ask: Ask) -> tuple[list[str], list[str]]:
    """(account ids, unit codes) by their number in the books."""
    with ask.market.read() as state:
        return list(state.accounts.ids), [unit.code for unit in state.books.unit_types]


def _first_rows(frame: pl.DataFrame, codes: tuple[list[str], list[str]]) -> list[dict[str, str]]:
    """Rows as text, numbers of the books as what they stand for."""
    accounts, units = codes
    found = []
    for row in frame.iter_rows(named=True):
        told = {name: "" if value is None else str(value) for name, value in row.items()}
        for name in ("from_account", "to_account"):
            if name in row and isinstance(row[name], int) and 0 <= row[name] < len(accounts):
                told[name] = accounts[row[name]]
        if "unit" in row and isinstance(row["unit"], int) and 0 <= row["unit"] < len(units):
            told["unit"] = units[row["unit"]]
        if "kind" in row and "from_account" in row and row["kind"] in [int(one) for one in Kind]:
            told["kind"] = Kind(row["kind"]).word
        found.append(told)
    return found


# -- who has looked and acted


@router.get("/{system}/audit/trail", allow=AUDIT)
def trail(ask: Asked, system: str) -> Response:
    """Every view and every command of this market's people, newest first."""
    query, people = ask.query, ask.place.people
    page, per_page = whole(query, "page", 1, 10**7, 1), LINES
    given: dict[str, Any] = {name: query.get(name, "")[:100] for name in ("person", "participant", "verb", "result")}
    views = {"yes": True, "no": False}.get(query.get("views", ""))
    since, until = day_asked(ask, "from", None), day_asked(ask, "to", None)
    zone = ask.market.zone
    bounds: dict[str, Any] = {
        "since": datetime.combine(since, datetime.min.time(), zone) if since else None,
        "until": datetime.combine(until + timedelta(days=1), datetime.min.time(), zone) if until else None,
    }
    ask.record("view", "trail", "shown")
    if ask.suffix:
        found = people.audit.page(system=system, views=views, **given, **bounds, limit=ROWS_MOST)
        raise ask.file(f"{system}-trail", _trail_frame(ask, found.rows), ask.suffix)
    found = people.audit.page(system=system, views=views, **given, **bounds, offset=(page - 1) * per_page, limit=per_page)
    columns = [
        Column("number", ask._("Row"), "number", sortable=False),
        Column("at", ask._("When"), "moment", sortable=False),
        Column("name", ask._("Who"), sortable=False),
        Column("participant", ask._("For"), sortable=False),
        Column("verb", ask._("Did"), sortable=False),
        Column(
            "what", ask._("About"), sortable=False, show=lambda value, row: value if len(value) <= SHOWN_LETTERS else f"{value[:SHOWN_LETTERS]}\u2026"
        ),
        Column("result", ask._("Result"), sortable=False),
        Column("address", ask._("Address"), sortable=False),
    ]
    filters = [
        Filter("verb", ask._("Did"), value=given["verb"]),
        Filter("participant", ask._("For"), value=given["participant"]),
        Filter("person", ask._("Person's id"), value=given["person"]),
        Filter("result", ask._("Result"), value=given["result"]),
        Filter("views", ask._("Kind"), "choice", [("no", ask._("done")), ("yes", ask._("looked at"))], value=query.get("views", "")),
    ]
    table = _table(ask, "trail", ask._("Trail"), _trail_frame(ask, found.rows), columns, filters, total=found.total, empty=ask._("Nothing fits."))
    kept = {name: value for name, value in query.items() if value and name != "page"}
    table.page, table.pages = page, max(1, -(-found.total // per_page))
    table.previous = ask.here("/audit/trail", **kept, page=page - 1) if page > 1 else None
    table.next = ask.here("/audit/trail", **kept, page=page + 1) if page < table.pages else None
    table.downloads = [
        (word, ask.url(f"/{system}/audit/trail.{end}", **kept)) for word, end in (("CSV", "csv"), ("JSON", "json"), ("Parquet", "parquet"))
    ]
    return ask.page("audit_trail.html", table=table, audit_tabs=tabs(ask))


def _trail_frame(ask: Ask, rows: tuple[Any, ...]) -> pl.DataFrame:
    names = ask.place.people.names({row.person for row in rows if row.person})
    schema = {name: pl.String for name in ("at", "name", "person", "participant", "right", "verb", "what", "result", "address", "reference")}
    told: list[Mapping[str, Any]] = [
        {
            "number": row.number,
            "at": written(row.at.astimezone(ask.market.zone), seconds=True),
            "name": names.get(row.person) or row.person or ask._("nobody signed in"),
        }
        | {name: getattr(row, name) or "" for name in ("person", "participant", "right", "verb", "what", "result", "address", "reference")}
        for row in rows
    ]
    return pl.DataFrame(told, schema={"number": pl.Int64, **schema})


# -- public: the head of each day


@router.get("/{system}/log", allow=PUBLIC)
def heads(ask: Asked, system: str) -> Response:
    """The last entry of each day with its hash: whoever keeps these sees when anything before them is changed."""
    market = ask.market
    frame = market.cached("log_heads", lambda state: log_view.heads(market.desk.log))
    columns = [
        Column("day", ask._("Day"), "day"),
        Column("sequence", ask._("Last entry"), "number"),
        Column("hash", ask._("Hash"), sortable=False),
    ]
    table = ask.table(f"{system}-log-heads", ask._("Head of the log, day by day"), frame, columns, empty=ask._("The log has no entry yet."))
    head = market.desk.log.head()
    return ask.page("audit_heads.html", table=table, head=head)
