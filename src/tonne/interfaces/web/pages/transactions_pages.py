"""What moved: one by one once the law's delay is over, before it only sums by month."""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.interfaces.views import transactions as moved
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import bars_spec, cache_of, theme_of
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_

router = pages()
KINDS = {
    "issue": N_("issued"),
    "allocate": N_("allocated free"),
    "return_allocation": N_("allocation returned"),
    "offer": N_("offered for sale"),
    "sell": N_("sold at auction"),
    "pay": N_("paid"),
    "transfer": N_("transferred"),
    "surrender": N_("surrendered"),
    "cancel": N_("cancelled for good"),
    "withhold": N_("withheld into a reserve"),
    "release": N_("released from a reserve"),
    "invalidate": N_("lost validity"),
    "carry_over": N_("carried over"),
    "opening": N_("opening balance"),
    "convert": N_("converted"),
    "retire": N_("retired"),
    "replace": N_("replaced"),
    "correct": N_("corrected"),
    "deduct": N_("deducted as a penalty"),
    "set_aside": N_("set aside"),
    "deposit": N_("deposited"),
    "withdraw": N_("withdrawn"),
    "deliver": N_("delivered for a trade"),
    "default": N_("moved after a default"),
    "scheduled": N_("transferred after its delay"),
}


@router.get("/{system}/transactions", allow=PUBLIC)
def transactions(ask: Asked, system: str) -> Response:
    """What moved, once the law's delay is over; before that only sums by month."""
    hall = ask.market
    cache, otherwise, today = cache_of(hall), ask.place.settings.publication_delay_years, hall.today
    with hall.read() as state:
        delay = moved.delay(state, today, otherwise)
        frame = moved.transactions(state, today, otherwise_years=otherwise, account=ask.query.get("account") or None, cache=cache)
        months = moved.months(state, today, cache=cache)
    _ = ask._
    columns = [
        Column("day", _("Day"), "day"),
        Column("kind", _("Kind"), show=lambda value, row: lw.said(KINDS, value, _)),
        Column("from_holder", _("From")),
        Column("to_holder", _("To")),
        Column("unit", _("Unit")),
        Column("quantity", _("Quantity"), "quantity", _("units")),
        Column("from", _("From account")),
        Column("to", _("To account")),
        Column("sequence", _("Log entry"), "number"),
        Column("id", _("Number"), hidden=True),
    ]
    kinds = [(one, lw.said(KINDS, one, _)) for one in sorted(set(frame["kind"].to_list()))]
    filters = [
        Filter("from_day", _("From day"), "from", column="day"),
        Filter("to_day", _("To day"), "to", column="day"),
        Filter("kind", _("Kind"), "choice", kinds),
        Filter("from_holder", _("From")),
        Filter("to_holder", _("To")),
    ]
    empty = _("Nothing that moved is public yet.") if not frame.height else _("No transaction is like that. Take a filter away.")
    shown = frame.sort("day", descending=True, maintain_order=True)
    table = ask.table("transactions", _("Transactions"), shown, columns, filters=filters if frame.height else [], empty=empty)
    sums = [
        Column("month", _("Month"), "text", show=lambda value, row: f"{value:%Y-%m}"),
        Column("kind", _("Kind"), show=lambda value, row: lw.said(KINDS, value, _)),
        Column(
            "units",
            _("Of"),
            show=lambda value, row: {"allowance": _("allowances"), "credit": _("credits"), "payment": _("payments in place of units")}.get(
                value, value
            ),
        ),
        Column("transfers", _("Transfers"), "quantity"),
        Column("quantity", _("Quantity"), "quantity", _("units")),
    ]
    hidden = int(months["hidden"].sum()) if months.height else 0
    monthly = ask.table(
        "months",
        _("By month"),
        months.drop("hidden").sort("month", "kind", descending=[True, False]),
        sums,
        prefix="m_",
        empty=_("No whole month has passed yet."),
    )
    return ask.page(
        "transactions.html",
        delay=delay,
        table=table,
        monthly=monthly,
        chart=_months_chart(ask, months),
        hidden=hidden,
        rule=ask.here("/law/registry/transactions_public_after") if delay.by_law else "",
    )


def _months_chart(ask: Ask, months: pl.DataFrame) -> Chart | None:
    known = months.filter(pl.col("quantity").is_not_null(), pl.col("kind") != "offer")  # what is offered is counted once more when it is sold
    if known["month"].n_unique() < 2:
        return None
    _ = ask._
    last = known["month"].unique().sort().tail(36).to_list()
    recent = known.filter(pl.col("month").is_in(last)).group_by("month", "kind").agg(pl.col("quantity").sum()).sort("month")
    order = recent.group_by("kind").agg(pl.col("quantity").sum()).sort("quantity", descending=True)["kind"].to_list()[:6]
    rows = [
        {"month": f"{row['month']:%Y-%m}", "value": row["quantity"] / 1e6, "what": lw.said(KINDS, row["kind"], _)}
        for row in recent.filter(pl.col("kind").is_in(order)).iter_rows(named=True)
    ]
    title = _("What moves, and when?")
    names = [lw.said(KINDS, one, _) for one in order]

    def made() -> Any:
        return bars_spec(rows, theme_of(ask), unit=_("million units"), x="month", stacked=True, order=names), recent

    return ask.chart(
        "months",
        title,
        made,
        subtitle=_("Million units by month and kind"),
        summary=f"{title} {', '.join(names)}",
        source=_("Whole months that are over; a sum behind which one or two participants stand is left out."),
    )
