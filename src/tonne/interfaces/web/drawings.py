"""Small drawings of the trading screen, as points of an SVG that the template writes: cheap enough to be drawn anew at every change of the market.

Both have the same box. Coordinates are whole numbers or tenths; colours come from the page's own classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from tonne.interfaces.views.market_view import DepthView, Level

WIDE, HIGH = 480, 190
#: Room for the words around the drawing: left, top, right, bottom.
LEFT, TOP, RIGHT, BOTTOM = 4, 18, 4, 20


@dataclass(frozen=True, slots=True)
class Mark:
    """A word in the drawing. anchor: start, middle, end."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Drawing:
    """shapes: (class, points of a polygon or, where the class says line, of a polyline); rules: (class, x1, y1, x2, y2)."""

    shapes: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, float, float, float, float], ...]
    marks: tuple[Mark, ...]
    wide: int = WIDE
    high: int = HIGH


def _across(value: Decimal, low: Decimal, high: Decimal) -> float:
    """x of a value between two others."""
    return round(LEFT + float((value - low) / (high - low)) * (WIDE - LEFT - RIGHT), 1) if high > low else WIDE / 2


def _up(value: float, low: float, high: float) -> float:
    floor = HIGH - BOTTOM
    return round(floor - (value - low) / (high - low) * (floor - TOP), 1) if high > low else (TOP + floor) / 2


def _stairs(levels: Sequence[Level]) -> list[tuple[Decimal, int]]:
    """(price, all that stands at it or better)."""
    total, found = 0, []
    for level in levels:
        total += level.quantity
        found.append((level.price, total))
    return found


def depth_drawing(depth: DepthView, most: str) -> Drawing | None:
    """What could be sold down to, and bought up to, each price; None for an empty book. most: what to write beside the highest total."""
    bids, offers = _stairs(depth.bids), _stairs(depth.offers)
    prices = [price for price, _ in (*bids, *offers)]
    if not prices:
        return None
    edge = (max(prices) - min(prices)) / 50  # so that what stands at the ends is seen
    low, high = min(prices) - edge, max(prices) + edge
    top = max(total for _, total in (*bids, *offers))
    floor = _up(0, 0, top)
    shapes = []
    for kind, stairs in (("draw-bid", bids), ("draw-offer", offers)):
        if stairs:
            points, before = [], 0
            for price, total in stairs:
                x = _across(price, low, high)
                points += [(x, _up(before, 0, top)), (x, _up(total, 0, top))]
                before = total
            end = _across(low if kind == "draw-bid" else high, low, high)
            points = [(points[0][0], floor), *points[1:], (end, _up(before, 0, top)), (end, floor)]
            shapes.append((kind, " ".join(f"{x:g},{y:g}" for x, y in points)))
    base = HIGH - 5
    marks = [Mark(LEFT, base, f"{min(prices):f}", "start"), Mark(WIDE - RIGHT, base, f"{max(prices):f}", "end"), Mark(LEFT, 11, most, "start")]
    if bids and offers:
        middle = _across((bids[0][0] + offers[0][0]) / 2, low, high)
        if 90 < middle < WIDE - 90:
            marks.append(Mark(middle, base, f"{bids[0][0]:f} \u2013 {offers[0][0]:f}"))
    return Drawing(tuple(shapes), (("draw-floor", LEFT, floor, WIDE - RIGHT, floor),), tuple(marks))


def day_drawing(path: Sequence[tuple[datetime, Decimal]], zone: tzinfo, settled: Decimal | None, settled_word: str) -> Drawing | None:
    """The price of each trade today, held until the next, with the last settlement price as a rule; None before the first trade."""
    if not path:
        return None
    prices = [price for _, price in path]
    shown = [*prices, settled] if settled is not None and _near(settled, prices) else prices
    low, high = float(min(shown)), float(max(shown))
    begins, ends = path[0][0], path[-1][0]
    whole = (ends - begins).total_seconds()
    points: list[str] = []
    for moment, price in path:
        part = (moment - begins).total_seconds() / whole if whole else 1.0
        x, y = round(LEFT + part * (WIDE - LEFT - RIGHT - 56), 1), _up(float(price), low, high)
        points += [f"{x:g},{points[-1].partition(',')[2]}"] if points else []
        points.append(f"{x:g},{y:g}")
    last = _up(float(prices[-1]), low, high)
    base = HIGH - 5
    marks = [
        Mark(LEFT, base, f"{begins.astimezone(zone):%H:%M}", "start"),
        Mark(WIDE - RIGHT - 56, base, f"{ends.astimezone(zone):%H:%M}", "end"),
        Mark(WIDE - RIGHT, last + 4, f"{prices[-1]:f}", "end"),
    ]
    rules = [("draw-floor", LEFT, HIGH - BOTTOM + 0.0, WIDE - RIGHT - 56.0, HIGH - BOTTOM + 0.0)]
    if settled is not None and len(shown) > len(prices):
        y = _up(float(settled), low, high)
        rules.append(("draw-settled", LEFT, y, WIDE - RIGHT - 56.0, y))
        marks.append(Mark(LEFT, y - 4 if y > TOP + 8 else y + 13, settled_word, "start"))
    return Drawing((("draw-line", " ".join(points)),), tuple(rules), tuple(marks))


def _near(value: Decimal, prices: Sequence[Decimal]) -> bool:
    """Whether a value is so near to the day's prices that it does not flatten them."""
    low, high = min(prices), max(prices)
    return low - 4 * (high - low) <= value <= high + 4 * (high - low)
