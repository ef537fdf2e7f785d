"""Days until something, counted in days and in working days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from tonne.market.expiry import Calendar


@lru_cache(maxsize=4096)
def working_days(today: date, until: date, holidays: str | None = None) -> int:
    """Working days after today up to and with a day; below zero for a day that has passed. holidays: a country (`GB-ENG`) or a market, None: Monday
    to Friday. Raises ContractError for a calendar nobody knows."""
    first, last, sign = (today, until, 1) if until >= today else (until, today, -1)
    if holidays is None:
        return sign * int(np.busday_count(first + timedelta(days=1), last + timedelta(days=1)))
    is_open = Calendar(holidays).is_open
    return sign * sum(is_open(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
