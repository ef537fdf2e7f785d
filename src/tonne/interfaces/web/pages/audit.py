"""The log for whoever checks it: entries, their hashes, the market as it stood on a day, and who has looked at what.

Nothing here changes a market. Long checks run beside the requests, one at a time for each market, and their results stay as long as the server runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.kinds import Kind
from tonne.interfaces.views import log_view
from tonne.interfaces.views.found import NotFound
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.forms import Field, Form
from tonne.interfaces.web.guard import AUDIT, PUBLIC, pages
from tonne.interfaces.web.pages import audit_jobs as jobs
from tonne.interfaces.web.pages.common import day_asked
from tonne.interfaces.web.problems import Problem, not_found
from tonne.interfaces.web.render import moment as written
from tonne.interfaces.web.tables import Column, Filter, Table, whole
from tonne.interfaces.web.words import N_

router = pages()
LINES, ROWS_MOST = 50, 200_000
TABS: tuple[tuple[str, str], ...] = (
    ("", N_("Log")),
    ("/verify", N_("Verify the log")),
    ("/replay", N_("Replay")),
    ("/trail", N_("Who has looked and acted")),
)
_ID = re.compile(r"p-[0-9a-z]{8,}")


def tabs(ask: Ask) -> list[tuple[str, str, bool]]:
    base = f"/{ask.market.system}/audit"
    here = ask.path
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
    ask.record("view", f"log {json.dumps({**given, 'before': before})}", "shown")
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
        body=_pretty(found.body),
        events=[(event.get("event", ""), _pretty({name: value for name, value in event.items() if name != "event"})) for event in found.events],
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


def _pretty(value: Any) -> str:
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


# -- verify


@router.get("/{system}/audit/verify", allow=AUDIT)
def verify_page(ask: Asked, system: str) -> Response:
    """What can be checked, and what was."""
    ask.record("view", "checks of the log", "shown")
    return _verify(ask, _verify_form(ask))


def _verify_form(ask: Ask) -> Form:
    last = ask.market.desk.log.head().sequence
    fields = [
        Field(
            "how",
            ask._("Check"),
            "choice",
            value="chain",
            choices=[
                ("chain", ask._("the chain of hashes: every entry is what it was, and none is missing")),
                ("law", ask._("the chain, and every decision again by the law: slower, it decides all anew")),
                ("trail", ask._("the trail of who has looked and acted, of all markets of this server")),
            ],
        ),
        Field("first", ask._("From entry"), "number", value="1", most=10**15),
        Field(
            "last",
            ask._("To entry"),
            "number",
            value=str(max(last, 1)),
            most=10**15,
            hint=ask._("Decisions are always checked from the first entry to the last."),
        ),
    ]
    return Form(ask, fields, action=ask.here("/audit/verify"), verb=ask._("Verify the log"))


def _verify(ask: Ask, form: Form, status: int = 200) -> Response:
    return ask.page(
        "audit_verify.html",
        status,
        form=form,
        audit_tabs=tabs(ask),
        done=jobs.board(ask.market).of("chain", "law", "trail"),
        entries=ask.market.desk.log.head().sequence,
    )


@router.post("/{system}/audit/verify", allow=AUDIT)
def verify(ask: Asked, system: str) -> Response:
    """Begin a check; its page shows how far it is. It reads the log and changes nothing."""
    form = _verify_form(ask)
    if form.check() and form.values["first"] > form.values["last"]:
        form.fault("last", ask._("The last entry is not before the first."))
    if form.errors:
        return _verify(ask, form, 422)
    log, head = ask.market.desk.log, ask.market.desk.log.head()
    last = min(form.values["last"], head.sequence)
    if form.values["how"] == "law":
        job = jobs.board(ask.market).begin("law", f"1-{head.sequence}", ask.visitor.name, lambda one: jobs.verify_law(one, log, ask.market.rulebook))
    elif form.values["how"] == "trail":
        job = jobs.board(ask.market).begin(
            "trail", ask.place.real_now().isoformat(timespec="seconds"), ask.visitor.name, lambda one: jobs.verify_trail(one, ask.place.people)
        )
    else:
        job = jobs.board(ask.market).begin(
            "chain", f"{form.values['first']}-{last}", ask.visitor.name, lambda one: jobs.verify_chain(one, log, form.values["first"], last)
        )
    ask.record("verify", f"{form.values['how']} {job.about}", "begun")
    return ask.see(f"/{system}/audit/jobs/{job.number}")


@router.get("/{system}/audit/jobs/{number}", allow=AUDIT)
def job(ask: Asked, system: str, number: str) -> Response:
    """How far a check or a replay is; then what it found."""
    found = jobs.board(ask.market).find(number)
    if found is None:
        raise not_found(number)
    ask.record("view", f"{found.kind} {found.about}", "shown")
    page = ask.page("audit_job.html", job=found, audit_tabs=tabs(ask), began=written(found.began), summary=_summary(ask, found))
    if not found.over:
        page.headers["refresh"] = "2"  # the browser asks again by itself, without a script
    return page


def _summary(ask: Ask, found: jobs.Job) -> dict[str, Any]:
    """What a replay showed, as the page draws it."""
    result = found.result
    if not isinstance(result, log_view.DaySummary):
        return {}
    units = pl.DataFrame(list(result.holdings), infer_schema_length=None) if result.holdings else pl.DataFrame()
    return {"result": result, "holdings": units.to_dicts(), "notices": [(notice.get("what", ""), _pretty(notice)) for notice in result.notices]}


# -- replay


@router.get("/{system}/audit/replay", allow=AUDIT)
def replay_page(ask: Asked, system: str) -> Response:
    """The market as it stood on a day. A replay that was made is shown at once, as long as the log up to that day is the same."""
    day = day_asked(ask, "day", None)
    ask.record("view", f"replay {day or ''}".strip(), "shown")
    board = jobs.board(ask.market)
    if day is not None:
        _require_replayable(ask, day)
        kept = board.latest("replay", _about(ask, day))
        if kept is not None:
            return ask.see(f"/{system}/audit/jobs/{kept.number}")
    return ask.page("audit_replay.html", form=_replay_form(ask, day), day=day, audit_tabs=tabs(ask), done=board.of("replay"))


def _replay_form(ask: Ask, day: date | None) -> Form:
    fields = [Field("day", ask._("At the end of"), "date", value=(day or ask.market.today).isoformat())]
    return Form(ask, fields, action=ask.here("/audit/replay"), verb=ask._("Replay"))


def _require_replayable(ask: Ask, day: date) -> None:
    """Raises Problem 400."""
    if day > ask.market.today or day.year < 1990:
        raise Problem(400, "malformed", ask.say("The log reaches to %(day)s; choose a day until then.", day=ask.market.today))


def _about(ask: Ask, day: date) -> str:
    """The day, and of a day that can still get entries how far the log was."""
    return day.isoformat() if day < ask.market.desk.administration.state.today else f"{day.isoformat()} at entry {ask.market.sequence}"


@router.post("/{system}/audit/replay", allow=AUDIT)
def replay(ask: Asked, system: str) -> Response:
    """Begin a replay. It reads the log and changes nothing."""
    form = _replay_form(ask, None)
    if not form.check():
        return ask.page("audit_replay.html", 422, form=form, day=None, audit_tabs=tabs(ask), done=jobs.board(ask.market).of("replay"))
    day = form.values["day"]
    _require_replayable(ask, day)
    log, about = ask.market.desk.log, _about(ask, day)
    job_ = jobs.board(ask.market).begin("replay", about, ask.visitor.name, lambda one: jobs.replay(one, log, ask.market.rulebook, day))
    ask.record("replay", about, "begun")
    return ask.see(f"/{system}/audit/jobs/{job_.number}")


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
    bounds = {
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
        Column("what", ask._("About"), sortable=False),
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
