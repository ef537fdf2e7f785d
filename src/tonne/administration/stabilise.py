"""Circulation and the stability reserve: publish what circulates, decide intake and release, end the validity of what is above the limit."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from tonne.administration.allocate import ask_rows
from tonne.administration.asks import offers
from tonne.administration.commands import Command
from tonne.administration.decision import Decision, move, year_of
from tonne.administration.kinds import Kind
from tonne.administration.refusals import Refusal
from tonne.administration.state import State
from tonne.dates import calendar_year, day_number
from tonne.ledger import TransferFlag
from tonne.units import NEAREST, multiply


def publish_circulation(state: State, command: Command) -> Decision:
    """Body: year. What circulated on 31 December by these books. Where the authority has published its own figure, that one counts."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "publish_circulation", "year": year, "day": command.day.isoformat()}
    if not offers(law, "tnac"):
        return Decision([done])
    note: dict[str, Any] = {"event": "published", "what": "circulation", "year": year, "day": command.day.isoformat()}
    published = _published_figure(state, law, year)
    if year >= first_year(state):
        supply, demand, holding = circulation_parts(state, year)
        computed = int(ask_rows(law, "tnac", {"supply": supply, "demand": demand, "holding": holding}))
        note |= {"supply": supply, "demand": demand, "holding": holding, "computed": computed}
    elif published is None:
        return Decision([done])
    note |= {"published": published, "quantity": published if published is not None else note["computed"]}
    return Decision([note, done])


def first_year(state: State) -> int:
    """The first emissions year of these books. Raises Refusal `not_due` before the market is founded."""
    for notice in state.notices:
        if notice["what"] == "first_year":
            return int(notice["year"])
    raise Refusal("not_due", "the market is not founded yet")


def _published_figure(state: State, law: Any, year: int) -> int | None:
    if state.rulebook.scenario or not law.has("statistics.circulation"):
        return None  # what was published belongs to the world as it was, not to a scenario
    figure = state.rulebook.at(law.day, None).value("statistics.circulation").get(year)
    return int(figure) if figure is not None else None


def circulation_parts(state: State, year: int) -> tuple[int, int, int]:
    """(supply, demand, reserve's holding) at the end of a year: what was handed out, what was verified or cancelled, what the reserve holds."""
    rows = state.books.transfers
    units = np.isin(rows["unit"], state.allowance_units())
    rows = rows[units & (rows["day"] <= day_number(calendar_year(year).last))]
    number = state.accounts.number

    def total(*kinds: Kind) -> int:
        return int(rows["quantity"][np.isin(rows["kind"], kinds)].sum())

    reserve = number("stability-reserve")
    into = int(rows["quantity"][rows["to_account"] == reserve].sum())
    out = int(rows["quantity"][rows["from_account"] == reserve].sum())
    supply = total(Kind.OPENING, Kind.ALLOCATE, Kind.OFFER, Kind.CONVERT, Kind.WITHHOLD) - total(Kind.RETURN_ALLOCATION)
    frame = state.reports.frame
    verified = int(frame.filter(frame["year"] <= year)["verified"].sum())
    holding = into - out
    return supply, verified + total(Kind.CANCEL, Kind.INVALIDATE), holding


def stabilise(state: State, command: Command) -> Decision:
    """Body: year. From the published circulation of the year: intake or release of the months that begin today."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "stabilise", "year": year, "day": command.day.isoformat()}
    circulation = state.notice("circulation", year)
    if not offers(law, "msr_intake") or circulation is None:
        return Decision([done])
    months = 12
    if law.has("stability.months_of_feed"):
        months = int(law.value("stability.months_of_feed").get(year) or 12)
    pool = {"tnac": circulation["quantity"], "months": months, "holding": reserve_holding(state)}
    intake = int(ask_rows(law, "msr_intake", pool))
    release = int(ask_rows(law, "msr_release", pool)) if offers(law, "msr_release") else 0
    note = {"event": "published", "what": "stabilisation", "year": year, "intake": intake, "release": release, "months": months}
    return Decision([note | {"day": command.day.isoformat()}, done])


def reserve_holding(state: State) -> int:
    reserve = state.accounts.number("stability-reserve")
    return int(sum(state.books.balance(reserve, unit) for unit in state.allowance_units()))


def reserve_parts(state: State, year: int) -> tuple[int, int]:
    """(intake, release) that fall in a calendar year: each decision spread evenly over its months, each part rounded to whole units."""
    intake = release = 0
    for notice in state.noticed("stabilisation", None):
        first = date.fromisoformat(notice["day"])
        spent_before = max(0, (year - first.year) * 12 - (first.month - 1))
        months = notice["months"]
        here = [m for m in range(months) if first.year + (first.month - 1 + m) // 12 == year]
        if not here:
            continue
        last = len(here) + spent_before == months
        for name in ("intake", "release"):
            whole_quantity = notice[name]
            part = multiply(whole_quantity, Fraction(len(here), months), rounding=NEAREST)
            if last and spent_before:  # the last part takes what the earlier ones left, so that the parts add up
                part = whole_quantity - multiply(whole_quantity, Fraction(spent_before, months), rounding=NEAREST)
            if name == "intake":
                intake += part
            else:
                release += part
    return intake, release


def invalidate(state: State, command: Command) -> Decision:
    """Body: year. On 1 January: what the reserve holds above the law's limit loses its validity."""
    year = year_of(command)
    law = state.law(command.day)
    done = {"event": "task_done", "task": "invalidate", "year": year, "day": command.day.isoformat()}
    holding = reserve_holding(state)
    if not offers(law, "msr_invalidation") or not holding or not law.has("stability.invalidation_above"):
        return Decision([done])
    auction = state.notice("auction", command.day.year - 1)
    quantity = int(ask_rows(law, "msr_invalidation", {"holding": holding, "previous_auction_volume": auction["quantity"] if auction else 0}))
    reserve, target = state.accounts.number("stability-reserve"), state.accounts.number("invalidated")
    batches, left = [], quantity
    for unit in state.allowance_units():
        take = min(left, state.books.available(reserve, unit))
        batches.append(move(command, Kind.INVALIDATE, reserve, target, unit, take, TransferFlag.BY_AUTHORITY))
        left -= take
    note = {"event": "published", "what": "invalidation", "year": year, "quantity": quantity, "holding": holding - quantity}
    return Decision([note | {"day": command.day.isoformat()}, done], transfers=np.concatenate(batches))
