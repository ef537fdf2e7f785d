"""What a living market's venue and auctioneer do when a day is over: the exchange closes its day, auctions whose day has passed are held.

Nobody waits for it by the clock: whoever moves the demonstration on by a week finds that these days have ended too.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tonne.administration.commands import Command
from tonne.dates import from_day_number
from tonne.simulation.living_plan import AUCTIONEER, VENUE, LivingPlan


def due(state: Any, plan: LivingPlan, now: datetime) -> list[Command]:
    """The commands of the evenings up to a moment, in order of their days. What was done is not due again."""
    here = plan.local(now)
    over = _over(plan, here)
    found = [*_auctions(state, over), *_closings(state, plan, over)]
    return sorted(found, key=lambda command: (command.day, command.kind))


def _over(plan: LivingPlan, here: datetime) -> date:
    """The last day whose trading has ended at a local moment."""
    closes = max(closes for _opens, closes in plan.board.floor.session.spans)
    return here.date() if here.hour * 60 + here.minute >= closes else here.date() - timedelta(days=1)


def _closings(state: Any, plan: LivingPlan, over: date) -> list[Command]:
    """The last open day that is over, if the exchange has not closed it: nobody traded on those before it."""
    calendar = plan.board.calendar
    last = calendar.add(over + timedelta(days=1), -1)
    if last < state.today or from_day_number(int(state.exchange.day)) >= last:
        return []
    return [Command(f"night:close:{last}", "close_day", VENUE, last, {"window_minutes": 30})]


def _auctions(state: Any, over: date) -> list[Command]:
    found = []
    for name, sale in state.exchange.sales.items():
        held_on = date.fromisoformat(sale["held_on"])
        if held_on <= over:
            day = max(held_on, state.today)
            found.append(Command(f"night:auction:{name}", "clear_auction", AUCTIONEER, day, {"auction": name, "seed": held_on.toordinal()}))
    return found
