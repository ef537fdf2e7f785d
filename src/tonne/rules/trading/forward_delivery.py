"""The calendar of a cleared forward on allowances: its name, and the trading days on which units are moved, cash is chosen, units come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import numpy as np

from tonne.rules.declare import rule


@rule("forward_delivery", unit="text", given={"year": "year", "month": "number"})
def contract_code(year: int, month: int, *, code_prefix: str, contract_months: Collection[int]) -> str:
    """The short name of a contract: prefix, month in two digits, year (business rules of the forward of 2017). FWD of November 2023 -> FWD112023.

    Raises ValueError for a month without a contract.
    """
    if int(month) not in contract_months:
        raise ValueError(f"there is no contract of month {month}; there are those of {', '.join(map(str, contract_months))}")
    return f"{code_prefix}{int(month):02d}{int(year)}"


@rule("forward_delivery", unit="date", given={"final_settlement": "date", "step": "text", "holidays": "date"})
def delivery_window(final_settlement: date, step: str, holidays: Collection[date] = (), *, delivery_days: Mapping[str, int]) -> dict[str, date]:
    """First and last day of a step of delivery: so many trading days just before the final settlement (a negative number), or just after it.

    Notice on the expiry of November 2023. Five days before Monday, 27 November 2023: Monday 20 to Friday 24. Trading days are Monday to Friday
    less the holidays given.
    """
    if step not in delivery_days:
        raise ValueError(f"no step {step!r}; there are {', '.join(delivery_days)}")
    days, settled = int(delivery_days[step]), np.datetime64(final_settlement, "D")
    closed = [np.datetime64(day, "D") for day in holidays]
    near: Any = np.busday_offset(settled, -1 if days < 0 else 1, roll="forward" if days < 0 else "backward", holidays=closed)
    far: Any = np.busday_offset(near, days + 1 if days < 0 else days - 1, holidays=closed)
    first, last = sorted((near.item(), far.item()))
    return {"first": first, "last": last}
