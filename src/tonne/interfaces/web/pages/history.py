"""What the own organisation did: its entries of the log, newest first."""

from __future__ import annotations

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import log_view
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import HOLDER, VERIFIER, Allow, pages
from tonne.interfaces.web.pages.proposals import VERBS
from tonne.interfaces.web.problems import title
from tonne.interfaces.web.tables import Column, Filter, whole
from tonne.interfaces.web.words import N_

router = pages()
MEMBERS = Allow(HOLDER.roles | VERIFIER.roles)
#: Entries of one page of the history, all of which its files hold.
MOST = 5_000
DONE: dict[str, str] = {
    **VERBS,
    "orders": N_("Orders"),
    "bid": N_("Bid in an auction"),
    "propose": N_("Proposed"),
    "approve": N_("Approved"),
    "reject": N_("Rejected"),
    "withdraw_proposal": N_("Taken back"),
    "answer_trade": N_("Answered a trade"),
    "report_trade": N_("Reported a trade"),
}


@router.get("/{system}/history", allow=MEMBERS)
def history(ask: Asked, system: str) -> Response:
    """All that was sent for the organisation, with what became of it."""
    before = whole(ask.query, "before", 1, 10**15, 0) or None
    found = log_view.page(ask.market.desk.log, before=before, limit=MOST, actor=ask.visitor.participant)
    names = {"sequence": pl.Int64, "day": pl.Date, "kind": pl.String, "outcome": pl.String, "command_id": pl.String, "hash": pl.String}
    frame = pl.DataFrame([{name: getattr(line, name) for name in names} for line in found.lines], schema=names)
    ask.record("view", "history", "shown")
    columns = [
        Column("sequence", ask._("Entry in the log"), "text"),
        Column("day", ask._("Day"), "day"),
        Column("kind", ask._("What"), show=lambda value, row: ask._(DONE.get(value, value.replace("_", " ")))),
        Column(
            "outcome",
            ask._("Outcome"),
            show=lambda value, row: ask._("done") if value == "accepted" else f"{title(value, ask._)} ({value})",
        ),
        Column(
            "command_id",
            ask._("Number"),
            href=lambda row: ask.here(f"/tasks/{row['command_id']}") if row["kind"] == "propose" and row["outcome"] == "accepted" else "",
        ),
        Column("hash", ask._("Hash"), hidden=True),
    ]
    kinds = frame["kind"].unique().sort().to_list()
    filters = [
        Filter("kind", ask._("What"), "choice", [(kind, ask._(DONE.get(kind, kind.replace("_", " ")))) for kind in kinds]),
        Filter("from", ask._("From day"), "from", column="day"),
        Filter("to", ask._("To day"), "to", column="day"),
    ]
    table = ask.table("history", ask._("What you did"), frame, columns, filters=filters, empty=ask._("Your organisation has not sent anything yet."))
    return ask.page("operator_history.html", table=table, older=found.older)
