"""How many credits of projects may stand in for allowances: a share of what is owed, and limits of their own for some kinds inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.columns import Table, plain, since, times_by_year, whole
from tonne.rules.declare import rule
from tonne.units import DOWN, Rate, multiply


@rule("share_of_obligation", unit="credit", given={"obligation": "allowance", "year": "year"})
def credit_limit(obligation: Any, year: Any, *, limit_share: Rate | Table | None) -> Any:
    """Credits that may be used for a year: a share of what is owed; a part of a credit is none. 1,000,010 x 0.05 = 50,000.5 -> 50,000.

    The share is one rate, or a table by year whose last value stays. A repealed share admits none.
    """
    shares = limit_share

    def share(one: int) -> Rate:
        return since(shares, one, "credit limit") if isinstance(shares, Mapping) else shares or 0

    return plain(times_by_year(whole("an obligation", obligation), year, share, DOWN))


@rule("credit_sublimits", unit="credit", given={"obligation": "allowance", "year": "year", "kind": "text"})
def credit_sublimit(
    obligation: Any, year: Any, kind: Any, *, limit_share: Rate | Table, sublimit_share: Mapping[str, Table], sublimit_base: str = "limit"
) -> Any:
    """Credits of a kind that may be used for a year: a share of all credits admitted, or of the obligation itself where the law says so.

    By kind and year; the last year tabled holds on, before the first a kind has no limit of its own. 1,000,000 x 0.04 = 40,000 credits, at most
    half from projects without benefits in the state: 20,000 (17 CCR 95854). Raises ValueError for a kind that the law does not name.
    """
    owed, years, kinds = np.broadcast_arrays(whole("an obligation", obligation), whole("a year", year), np.asarray(kind, dtype=object))
    limit = np.asarray(credit_limit(np.array(owed), np.array(years), limit_share=limit_share), dtype=np.int64)
    base = owed if sublimit_base == "obligation" else limit
    most = np.array(limit)
    for name in sorted(set(kinds.ravel().tolist())):
        if sublimit_share.get(name) is None:
            raise ValueError(f"no limit of its own for credits of the kind {name!r}; the law names {', '.join(sublimit_share)}")
        table = sublimit_share[name]
        of_kind = np.asarray(kinds == name, dtype=bool) & (years >= min(table))
        for one in np.unique(years[of_kind]):
            rows = of_kind & (years == one)
            most[rows] = multiply(np.array(base[rows]), since(table, int(one), f"limit of the kind {name!r}"), rounding=DOWN)
    return plain(np.minimum(most, limit))


@rule("credit_origin_limit", unit="credit", given={"local": "credit", "outside": "credit", "base": "allowance"})
def credits_used(local: Any, outside: Any, base: Any, *, limit_share: Rate | None, outside_share: Rate | None) -> dict[str, Any]:
    """How many of the credits at hand may be used: those from outside up to their own share of the base, all together up to the whole share.

    Offset rules of 2014. Local credits are used first. Base 1,000,000 with 5 % and 2.5 %: of 10,000 local and 60,000 outside, 10,000 and 25,000
    may be used.
    """
    inside, beyond, bases = np.broadcast_arrays(whole("local credits", local), whole("outside credits", outside), whole("a base", base))
    most = multiply(np.array(bases), limit_share or 0, rounding=DOWN)
    used = np.minimum(inside, most)
    from_outside = np.minimum(np.minimum(beyond, multiply(np.array(bases), outside_share or 0, rounding=DOWN)), most - used)
    return {"local": plain(used), "outside": plain(from_outside), "total": plain(used + from_outside)}


@rule("shared_credit_limit", unit="credit", given={"emissions": "tCO2e", "used": "credit"})
def credits_accepted(emissions: int, used: Mapping[str, int], *, share_by_kind: Mapping[str, Rate], share_of_all_kinds: Rate) -> int:
    """Credits of several kinds that count together: each kind up to its own share of the emissions, all of them up to a common one.

    1,000,000 t with 150,000 of one kind (20 %) and 80,000 of another (10 %), together at most 20 %: 200,000. Raises ValueError for an unknown kind.
    """
    unknown = [kind for kind in used if share_by_kind.get(kind) is None]
    if unknown or emissions < 0 or any(quantity < 0 for quantity in used.values()):
        raise ValueError(f"kinds are {', '.join(share_by_kind)}, and quantities zero or more; given were {dict(used)}")
    each = sum(min(int(quantity), int(multiply(emissions, share_by_kind[kind], rounding=DOWN))) for kind, quantity in used.items())
    return min(each, int(multiply(emissions, share_of_all_kinds, rounding=DOWN)))


@rule("credits_within_gap", unit="credit", given={"offered": "credit", "base": "allowance", "verified": "tCO2e"})
def gap_credits(offered: Any, base: Any, verified: Any, *, gap_credit_share: Rate) -> Any:
    """Credits that count for an entity whose first allocation (the base) is less than its emissions: up to a share of the base and up to the gap.

    Allocation plan of 2022, reductions proved by green power: 10 % of 1,000,000 are 100,000; with 1,060,000 emitted only 60,000 are lacking, so
    60,000 of 80,000 offered count. Who lacks nothing uses none.
    """
    at_hand, given, emitted = np.broadcast_arrays(whole("credits", offered), whole("a first allocation", base), whole("verified emissions", verified))
    room = np.minimum(multiply(np.array(given), gap_credit_share, rounding=DOWN), np.maximum(emitted - given, 0))
    return plain(np.minimum(at_hand, room))
