"""What was sold at auctions and what is traded, for everybody to see. Trading itself is another page."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl
from fastapi.responses import Response

from tonne.administration.state import State
from tonne.interfaces.views import agenda_view, auctions_view, market_view
from tonne.interfaces.web import law_words as lw
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.charts import COLOURS, Chart
from tonne.interfaces.web.guard import PUBLIC, pages
from tonne.interfaces.web.pages.common import WIDE, cache_of, day_axis, looked_up, theme_of
from tonne.interfaces.web.render import money, quantity
from tonne.interfaces.web.render import price as price_text
from tonne.interfaces.web.tables import Column, Filter
from tonne.interfaces.web.words import N_

router = pages()
OUTCOMES = {"cleared": N_("cleared"), "partial": N_("cleared in part"), "cancelled": N_("called off"), "declined": N_("declined")}
TONES = {"cleared": "success", "partial": "warning", "cancelled": "danger", "declined": "danger"}
INSTRUMENTS = {"spot": N_("spot"), "daily_future": N_("daily future"), "future": N_("future"), "option": N_("option"), "forward": N_("forward")}
PHASES = {
    "closed": N_("not trading"),
    "pre_open": N_("before the opening"),
    "opening_call": N_("opening call"),
    "continuous": N_("open for trading"),
    "volatility_call": N_("call after a jump"),
    "closing_call": N_("closing call"),
    "halt": N_("halted"),
    "post_close": N_("after the close"),
}
COUNTED = (N_("units"), N_("lots"))  # what views count quantities in
DAYS_SHOWN = 250
LEVELS = 10


# -- auctions


@router.get("/{system}/auctions", allow=PUBLIC)
def auctions(ask: Asked, system: str) -> Response:
    """Every auction that was held, those that take bids, and when the next ones are."""
    hall = ask.market
    cache, day = cache_of(hall), hall.today
    with hall.read() as state:
        frame = auctions_view.auctions(state, cache=cache)
        coming = auctions_view.open_auctions(state, day)
        ahead = [one for one in agenda_view.calendar(state, day, first=day, cache=cache) if one.task in ("auction", "auction_held")][:5]
    _ = ask._
    unit, currency = hall.rulebook.system.unit_code, hall.rulebook.system.currency
    columns = [
        Column("day", _("Day"), "day", href=lambda row: ask.here(f"/auctions/{row['auction']}")),
        Column("outcome", _("Outcome"), show=lambda value, row: lw.badge(lw.said(OUTCOMES, value, _), TONES.get(value, "neutral"))),
        Column("offered", _("Offered"), "quantity", unit),
        Column("sold", _("Sold"), "quantity", unit),
        Column("price", _("Price"), "number", f"{currency}/{unit}", show=lambda value, row: price_text(value, reason=_("Nothing was sold."))),
        Column("cover_ratio", _("Cover"), "number", _("bids / offer"), show=lambda value, row: None if value is None else str(value)),
        Column("bidders", _("Bidders"), "quantity"),
        Column("winners", _("Winners"), "quantity"),
        Column("revenue_minor", _("Revenue"), "money", currency),
        *(Column(name, name, hidden=True) for name in ("auction", "year", "reason", "unsold", "reserve", "ceiling", "added", "released", "withheld")),
    ]
    years = sorted({str(value) for value in frame["year"].to_list()}, reverse=True)
    filters = [
        Filter("year", _("Year"), "choice", [(one, one) for one in years]),
        Filter("outcome", _("Outcome"), "choice", [(code, _(OUTCOMES.get(code, code))) for code in sorted(set(frame["outcome"].to_list()))]),
    ]
    table = ask.table(
        "auctions",
        _("Auctions held"),
        frame,
        columns,
        filters=filters if frame.height else [],
        empty=_("No auction was held here yet."),
        totals=["offered", "sold", "revenue_minor"],
    )
    return ask.page("auctions.html", table=table, chart=_price_chart(ask, frame), coming=coming, ahead=ahead, unit=unit, currency=currency)


def _price_chart(ask: Ask, frame: pl.DataFrame) -> Chart | None:
    """Clearing price as a line, how often the offer was bid for as bars below it."""
    rows = [
        {
            "day": row["day"].isoformat(),
            "price": None if row["price"] is None else float(row["price"]),
            "cover": None if row["cover_ratio"] is None else float(row["cover_ratio"]),
        }
        for row in frame.sort("day").tail(400).iter_rows(named=True)
    ]
    if sum(row["price"] is not None for row in rows) < 2:
        return None
    _ = ask._
    system = ask.market.rulebook.system
    title = _("What did units cost at auction, and how many bid?")
    last = next(row for row in reversed(rows) if row["price"] is not None)
    unit, cover = f"{system.currency}/{system.unit_code}", _("cover")

    def made() -> Any:
        colours = COLOURS[theme_of(ask)]
        x = {"field": "day", "type": "temporal", "scale": {"type": "utc"}, "axis": day_axis(rows[0]["day"], rows[-1]["day"])}
        hidden = {**x, "axis": {**x["axis"], "labels": False, "ticks": False}}  # type: ignore[dict-item]
        line = {
            "width": WIDE,
            "height": 210,
            "mark": {"type": "line", "color": colours[0], "point": {"size": 22, "filled": True, "color": colours[0]} if len(rows) <= 60 else False},
            "encoding": {"x": hidden, "y": {"field": "price", "type": "quantitative", "axis": {"title": unit}, "scale": {"zero": False}}},
        }
        bars = {
            "width": WIDE,
            "height": 70,
            "mark": {"type": "bar", "color": colours[2], "width": max(1, min(8, WIDE // max(len(rows), 1) - 1))},
            "encoding": {"x": x, "y": {"field": "cover", "type": "quantitative", "axis": {"title": cover, "tickCount": 3}}},
        }
        return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": rows}, "vconcat": [line, bars], "spacing": 8}, frame

    return ask.chart(
        "prices",
        title,
        made,
        subtitle=unit,
        summary=f"{title} {last['day']}: {last['price']:,g}",
        source=_("Results as published on the day of each auction."),
    )


@router.get("/{system}/auctions/{auction}", allow=PUBLIC)
def auction(ask: Asked, system: str, auction: str) -> Response:
    """One auction: its result, or, before it is held, what is offered."""
    hall = ask.market
    _ = ask._
    with hall.read() as state:
        is_open = auction in state.exchange.sales
    unit, currency = hall.rulebook.system.unit_code, hall.rulebook.system.currency
    if is_open:
        one = looked_up(ask, lambda state: auctions_view.open_auction(state, auction, hall.today), f"{system}/auctions/{{}}")
        shown: list[tuple[str, Any]] = [
            (_("Held on"), str(one.held_on)),
            (_("Offered"), f"{quantity(one.offered)} {unit}"),
            (_("Smallest bid"), f"{quantity(one.smallest)} {unit}"),
            (_("Step of quantity"), quantity(one.step)),
            (_("Step of price"), price_text(one.price_step, currency)),
            (_("Lowest price"), price_text(one.lowest, currency) if one.lowest is not None else None),
            (_("Highest price"), price_text(one.highest, currency) if one.highest is not None else None),
            (_("Most of one bidder"), f"{quantity(one.bid_limit)} {unit}" if one.bid_limit else None),
            (_("Bids of one bidder"), one.bids_per_bidder),
        ]
        return ask.page(
            "auction.html",
            name=auction,
            open=True,
            held_on=one.held_on,
            facts_shown=shown,
            bid=ask.here(f"/bids/{auction}"),
            outcome="",
            neighbours=(),
        )
    found = looked_up(ask, lambda state: auctions_view.result(state, auction, cache=cache_of(hall)), f"{system}/auctions/{{}}").fields
    shown = [
        (_("Offered"), f"{quantity(found['offered'])} {unit}"),
        (_("Sold"), f"{quantity(found['sold'])} {unit}"),
        (_("Unsold"), f"{quantity(found['unsold'])} {unit}"),
        (_("Price"), price_text(found["price"], currency) if found["price"] is not None else None),
        (_("Lowest price of the law"), price_text(found["reserve"], currency) if found["reserve"] is not None else None),
        (_("Highest price of the law"), price_text(found["ceiling"], currency) if found["ceiling"] is not None else None),
        (_("Cover"), _("%(ratio)s times the offer was bid for") % {"ratio": found["cover_ratio"]} if found["cover_ratio"] is not None else None),
        (_("Bidders"), found["bidders"]),
        (_("Winners"), found["winners"]),
        (_("Revenue"), money(found["revenue_minor"], currency)),
        (_("Added at the ceiling"), f"{quantity(found['added'])} {unit}" if found["added"] else None),
        (_("Withheld for good"), f"{quantity(found['withheld'])} {unit}" if found["withheld"] else None),
        (_("Reason"), found["reason"] or None),
    ]
    if ask.suffix:
        raise ask.file(auction, pl.DataFrame([found], infer_schema_length=None), ask.suffix)
    with hall.read() as state:
        names = auctions_view.auctions(state, cache=cache_of(hall))["auction"].to_list()
    place = names.index(auction)
    neighbours = [
        (word, ask.here(f"/auctions/{names[at]}"))
        for word, at in ((_("The one before"), place + 1), (_("The one after"), place - 1))
        if 0 <= at < len(names)
    ]
    outcome = lw.badge(lw.said(OUTCOMES, found["outcome"], _), TONES.get(found["outcome"], "neutral"))
    kept = [row for row in shown if row[1] is not None or row[0] == _("Price")]
    return ask.page("auction.html", name=auction, open=False, held_on=found["day"], facts_shown=kept, bid="", outcome=outcome, neighbours=neighbours)


# -- the market


def _instrument_frame(listed: tuple[market_view.Instrument, ...]) -> pl.DataFrame:
    text, exact, whole = pl.String, pl.Decimal(18, 6), pl.Int64
    schema: dict[str, Any] = {
        "code": text, "kind": text, "phase": text, "expiry": pl.Date, "last": exact, "settlement": exact, "settled_on": pl.Date, "change": exact,
        "bid": exact, "offer": exact, "volume": whole, "counted": text, "open_interest": whole, "currency": text, "unit": text, "tick": exact,
    }  # fmt: skip
    return pl.DataFrame([[getattr(one, name) for name in schema] for one in listed], schema=schema, orient="row")


def _priced(reason: str = "", tick: Decimal | None = None) -> Any:
    """A price with the digits of its tick."""
    return lambda value, row: price_text(None if value is None else to_tick(value, tick or row["tick"]), reason=reason)


def to_tick(value: Decimal, tick: Decimal) -> Decimal:
    """With as many digits after the point as the tick has."""
    return value.quantize(Decimal(1).scaleb(min(int(tick.normalize().as_tuple().exponent), 0)))


@router.get("/{system}/market", allow=PUBLIC)
def market(ask: Asked, system: str) -> Response:
    """All that is listed: last, settlement, change, volume, open interest."""
    hall = ask.market
    _ = ask._
    listed: tuple[market_view.Instrument, ...] = hall.cached("instruments", market_view.instruments)
    columns = [
        Column("code", _("Contract"), href=lambda row: ask.here(f"/market/{row['code']}")),
        Column("kind", _("Kind"), show=lambda value, row: lw.said(INSTRUMENTS, value, _)),
        Column("phase", _("Session"), show=lambda value, row: lw.badge(lw.said(PHASES, value, _), "success" if value == "continuous" else "neutral")),
        Column("last", _("Last"), "number", _("per unit"), show=_priced(_("Nothing was traded yet."))),
        Column("change", _("Net change"), "number", show=lambda value, row: None if value is None else signed(to_tick(value, row["tick"]))),
        Column("settlement", _("Settlement"), "number", _("per unit"), show=_priced(_("No day was closed yet."))),
        Column("currency", _("Money")),
        Column("volume", _("Volume today"), "quantity", show=lambda value, row: f"{quantity(value)} {_(row['counted'])}"),
        Column("open_interest", _("Open interest"), "quantity", _("lots")),
        Column("expiry", _("Ends"), "day"),
        *(Column(name, name, hidden=True) for name in ("settled_on", "bid", "offer", "counted", "unit", "tick")),
    ]
    table = ask.table("market", _("Prices"), _instrument_frame(listed), columns, empty=_("Nothing is listed here yet."), rows_each=200)
    may_trade = ask.visitor.role in ("operator", "trader")
    return ask.page(
        "market.html",
        table=table,
        may_trade=may_trade,
        is_open=any(one.phase == "continuous" for one in listed),
        chart=_close_chart(ask, listed[0]) if listed else None,
    )


def signed(value: Decimal) -> str:
    """With its sign, also above zero."""
    return f"{'+' if value > 0 else ''}{price_text(value)}"


def _close_chart(ask: Ask, one: market_view.Instrument) -> Chart | None:
    frame: pl.DataFrame = ask.market.cached(("bars", one.code), lambda state: market_view.bars(state, one.code)).tail(DAYS_SHOWN)
    rows = [
        {
            "day": row["day"].isoformat(),
            "price": float(row["settlement"] if row["settlement"] is not None else row["close"]),
            "volume": row["volume"] + row["negotiated"],
        }
        for row in frame.iter_rows(named=True)
        if row["settlement"] is not None or row["close"] is not None
    ]
    if len(rows) < 2:
        return None
    _ = ask._
    unit = f"{one.currency} {_('per unit')}"
    log = ask.query.get("scale") == "log"
    title = ask.say("%(code)s from %(first)s to %(last)s", code=one.code, first=rows[0]["day"], last=rows[-1]["day"])
    counted = _(one.counted)

    def made() -> Any:
        colours = COLOURS[theme_of(ask)]
        x = {"field": "day", "type": "temporal", "scale": {"type": "utc"}, "axis": day_axis(rows[0]["day"], rows[-1]["day"])}
        hidden = {**x, "axis": {**x["axis"], "labels": False, "ticks": False}}  # type: ignore[dict-item]
        y_scale = {"type": "log", "nice": False} if log else {"zero": False}
        line = {
            "width": WIDE,
            "height": 210,
            "mark": {"type": "line", "color": colours[0], "point": {"size": 22, "filled": True, "color": colours[0]} if len(rows) <= 40 else False},
            "encoding": {"x": hidden, "y": {"field": "price", "type": "quantitative", "axis": {"title": unit}, "scale": y_scale}},
        }
        bars = {
            "width": WIDE,
            "height": 70,
            "mark": {"type": "bar", "color": colours[2], "width": max(1, min(10, WIDE // max(len(rows), 1) - 1))},
            "encoding": {"x": x, "y": {"field": "volume", "type": "quantitative", "axis": {"title": counted, "tickCount": 3, "format": "~s"}}},
        }
        return {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "data": {"values": rows}, "vconcat": [line, bars], "spacing": 8}, frame

    summary = f"{title}: {rows[0]['price']:,g}, {rows[-1]['price']:,g}"
    return ask.chart(
        "close",
        title,
        made,
        subtitle=ask.say("Settlement price (close where there is none), %(unit)s; below: volume, %(counted)s", unit=unit, counted=counted),
        summary=summary,
        source=_("The books of this exchange."),
        table_href=ask.here(f"/market/{one.code}") + "#table-days",
    )


def _depth_chart(ask: Ask, depth: market_view.DepthView) -> Chart | None:
    """How much could be bought and sold at which price: two stairs."""
    if not depth.bids or not depth.offers:
        return None
    _ = ask._
    words = {"bids": _("to buy"), "offers": _("to sell")}
    rows: list[dict[str, Any]] = []
    for side, levels in (("bids", depth.bids), ("offers", depth.offers)):
        total = 0
        for level in levels:
            total += level.quantity
            rows.append({"price": float(level.price), "value": total, "what": words[side]})
    title = ask.say("How much can be traded near the price of %(code)s?", code=depth.code)

    def made() -> Any:
        theme = theme_of(ask)
        scale = {"domain": list(words.values()), "range": [COLOURS[theme][0], COLOURS[theme][1]]}
        encoding = {
            "x": {
                "field": "price",
                "type": "quantitative",
                "scale": {"zero": False, "nice": False},
                "axis": {"title": depth.currency, "labelOverlap": True},
            },
            "y": {"field": "value", "type": "quantitative", "axis": {"title": _(depth.counted), "format": "~s", "tickCount": 4}, "stack": None},
            "color": {"field": "what", "type": "nominal", "scale": scale, "legend": {"orient": "top", "title": None}},
        }
        layers = [
            {"mark": {"type": "area", "opacity": 0.2, "interpolate": "step"}, "encoding": encoding},
            {"mark": {"type": "line", "interpolate": "step"}, "encoding": encoding},
        ]
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "width": WIDE,
            "height": 220,
            "data": {"values": rows},
            "layer": layers,
        }, pl.DataFrame(rows)

    subtitle = ask.say("%(counted)s added up from the best price outwards, ten levels of each side", counted=_(depth.counted).capitalize())
    return ask.chart(
        "depth",
        title,
        made,
        subtitle=subtitle,
        summary=title,
        source=ask.say("The order book at %(moment)s; hidden quantities are not in it.", moment=ask.as_of),
    )


@router.get("/{system}/market/{instrument}", allow=PUBLIC)
def instrument(ask: Asked, system: str, instrument: str) -> Response:
    """One contract: where it stands, its days, its book, its last trades."""
    hall = ask.market
    _ = ask._

    def look(state: State) -> Any:
        return (
            market_view.instrument(state, instrument),
            market_view.depth(state, instrument, LEVELS),
            market_view.trades(state, instrument, 20),
            market_view.bars(state, instrument),
        )

    one, depth, last_trades, bars = looked_up(ask, look, f"{system}/market/{{}}")
    columns = [
        Column("day", _("Day"), "day"),
        *(Column(name, label, "number", one.currency, show=_priced(tick=one.tick)) for name, label in _prices(_).items()),
        Column("volume", _("Volume"), "quantity", _(one.counted)),
        Column("negotiated", _("Negotiated"), "quantity", _(one.counted)),
        Column("value_minor", _("Turnover"), "money", one.currency),
        Column("trades", _("Trades"), "quantity"),
        Column("open_interest", _("Open interest"), "quantity", _("lots")),
    ]
    kept = [column for column in columns if column.name not in ("open_interest", "negotiated") or bool(bars[column.name].fill_null(0).sum())]
    table = ask.table("days", _("Day by day"), bars.sort("day", descending=True), kept, empty=_("No day was closed yet."))
    log = ask.query.get("scale") == "log"
    return ask.page(
        "instrument.html",
        one=one,
        kind=lw.said(INSTRUMENTS, one.kind, _),
        phase=lw.badge(lw.said(PHASES, one.phase, _), "success" if one.phase == "continuous" else "neutral"),
        change=signed(to_tick(one.change, one.tick)) if one.change is not None else None,
        counted=_(one.counted),
        chart=_close_chart(ask, one),
        depth=depth,
        depth_chart=_depth_chart(ask, depth),
        last_trades=last_trades,
        zone=hall.zone,
        table=table,
        log=log,
        scale_href=ask.here(f"/market/{instrument}", scale="" if log else "log"),
        trade=ask.here("/trade") if ask.visitor.role in ("operator", "trader") else ask.url("/login", next=f"/{system}/trade"),
        facts_shown=_facts(ask, one),
    )


def _prices(_: Any) -> Mapping[str, str]:
    return {"open": _("Opening"), "high": _("Highest"), "low": _("Lowest"), "close": _("Closing"), "settlement": _("Settlement")}


def _facts(ask: Ask, one: market_view.Instrument) -> list[tuple[str, Any]]:
    _ = ask._
    found: list[tuple[str, Any]] = [
        (_("What a lot holds"), f"{quantity(one.lot)} {one.unit or ask.market.rulebook.system.unit_code}"),
        (_("Step of the price"), price_text(one.tick, one.currency)),
        (_("Smallest order"), f"{quantity(one.smallest_order)} {_(one.counted)}"),
        (_("Settlement"), _("units and money before the order") if one.settlement_kind == "prefunded" else _("margin")),
        (_("Lowest price today"), price_text(one.lowest, one.currency) if one.lowest is not None else None),
        (_("Highest price today"), price_text(one.highest, one.currency) if one.highest is not None else None),
        (_("Last day of trading"), str(one.expiry) if one.expiry else None),
        (_("Delivery"), str(one.delivery) if one.delivery else None),
        (_("Exercised into"), one.underlying),
        (_("Strike"), price_text(one.strike, one.currency) if one.strike is not None else None),
    ]
    return [row for row in found if row[1] is not None]
