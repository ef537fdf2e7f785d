"""From the unit benchmarks to the final figure: units issued ahead, exemptions, the limit on an entity's gap, arrears taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from tonne.rules.allocation.rows import as_columns, as_given, products_down, whole_numbers
from tonne.rules.declare import rule
from tonne.rules.groups import codes
from tonne.units import DOWN, Rate, fraction, multiply


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"previous_verified": "allowance", "year": "year", "sector": "sector", "reference": "allowance"},
)
def pre_allocation(
    previous_verified: Any,
    year: int,
    sector: Any = "power",
    reference: Any = None,
    *,
    pre_allocation_share: Mapping[int, Mapping[str, Rate]],
    pre_allocation_base: Mapping[int, str],
) -> Any:
    """Units issued before the year's figures are verified: a share of last year's verified emissions, the rest dropped (plan 2023-24, part 5).

    Where the year's base is `reference` the share is of the benchmark allocation on the output of a reference year, given as `reference`.
    1,789.7 -> 1,789. A sector without a share gets 0.
    """
    base = previous_verified
    if pre_allocation_base.get(year) == "reference":
        if reference is None:
            raise ValueError(f"the pre-allocation of {year} is a share of an allocation on earlier output: give it as `reference`")
        base = reference
    single, (base, sector) = as_columns(base, sector)
    sectors, of_sector = codes(sector)
    shares = pre_allocation_share.get(year, {})
    return as_given(products_down(base, [([shares.get(s, 0) for s in sectors], of_sector)]), single)


@rule(
    "unit_benchmark_allocation",
    unit="allowance",
    given={"initial": "allowance", "verified": "allowance", "product": "product", "entity": "entity"},
)
def final_allocation(initial: Any, verified: Any, product: Any = "", entity: Any = None, *, exempt_products: Sequence[str], gap_limit: Rate) -> Any:
    """Units of each row after the exemptions: first the unit's, then the limit on the entity's gap (plan 2023-24, part 5(3)).

    A gas unit with 300,000 against 320,000 verified gets 320,000.
    """
    single, (initial, verified, product) = as_columns(initial, verified, product)
    units = whole_numbers(initial) + exemption_top_up(initial, verified, product, exempt_products=exempt_products)
    return as_given(units + gap_top_up(units, verified, entity, gap_limit=gap_limit), single)


@rule("unit_benchmark_allocation", unit="allowance", given={"initial": "allowance", "verified": "allowance", "product": "product"})
def exemption_top_up(initial: Any, verified: Any, product: Any, *, exempt_products: Sequence[str]) -> Any:
    """What a unit of an exempt class gets on top so that it is never short (plan 2023-24, part 5(3)1); a surplus is kept.

    320,000 - 300,000 = 20,000.
    """
    single, (initial, verified, product) = as_columns(initial, verified, product)
    names, of_product = codes(product)
    exempt = np.array([name in exempt_products for name in names], dtype=bool)[of_product]
    return as_given(np.where(exempt, np.maximum(whole_numbers(verified) - whole_numbers(initial), 0), 0), single)


@rule("unit_benchmark_allocation", unit="allowance", given={"initial": "allowance", "verified": "allowance", "entity": "entity"})
def gap_top_up(initial: Any, verified: Any, entity: Any = None, *, gap_limit: Rate) -> Any:
    """What an entity gets on top so that its gap is not more than a share of its verified emissions, whole tonnes (plan 2023-24, part 5(3)2).

    700,000 against 1,000,000 verified: 800,000 - 700,000 = 100,000. It stands in the entity's first row; without `entity` each row is its own.
    """
    single, (initial, verified) = as_columns(initial, verified)
    initial, verified = whole_numbers(initial), whole_numbers(verified)
    if entity is None:
        first, owner = np.arange(initial.size), np.arange(initial.size)
    else:
        names, owner = codes(np.broadcast_to(np.atleast_1d(np.asarray(entity, dtype=object)), initial.shape))
        first = np.full(len(names), initial.size, dtype=np.int64)
        np.minimum.at(first, owner, np.arange(initial.size))
    held, emitted = np.zeros(first.size, dtype=np.int64), np.zeros(first.size, dtype=np.int64)
    np.add.at(held, owner, initial)
    np.add.at(emitted, owner, verified)
    units = np.zeros(initial.size, dtype=np.int64)
    units[first] = np.maximum(multiply(emitted, 1 - fraction(gap_limit), rounding=DOWN) - held, 0)
    return as_given(units, single)


@rule("unit_benchmark_allocation", unit="percent", given={"allocated": "allowance", "verified": "allowance"})
def gap_rate(allocated: Any, verified: Any, *, gap_rate_decimals: int) -> Any:
    """The gap of an entity as per cent of its verified emissions, rounded half up; 0 where nothing was emitted (draft 2025-26, table 2-5, note 3).

    (1,000,000 - 700,000) / 1,000,000 = 30.00 %.
    """
    single, (allocated, verified) = as_columns(allocated, verified)
    verified = whole_numbers(verified)
    gap = (verified - whole_numbers(allocated)).astype(object)
    # 100 x gap / verified in the last decimal's units, half up by size: twice the value plus one, halved.
    size = (200 * 10**gap_rate_decimals * abs(gap) // np.where(verified == 0, 1, verified) + 1) // 2
    halves = np.where(verified == 0, 0, np.where(gap < 0, -size, size))
    rates = np.frompyfunc(lambda r: Decimal(r).scaleb(-gap_rate_decimals), 1, 1)(halves)
    return as_given(rates, single)


@rule("unit_benchmark_allocation", unit="allowance", given={"pre_allocated": "allowance", "final": "allowance", "to_deduct": "allowance"})
def deduction_settlement(pre_allocated: Any, final: Any, to_deduct: Any) -> dict[str, Any]:
    """Arrears and corrections taken from an allocation: first from the pre-allocation, then from the rest; what was too much goes back.

    Draft plan 2025-26, table 2-5, notes 5 to 8. Pre-allocation 50,000, final 30,000, to deduct 70,000: 50,000 taken at first, 20,000
    of it returned, 70,000 - 30,000 = 40,000 left for later.
    `final_issued` below zero is what has to be handed back.
    """
    single, (pre_allocated, final, to_deduct) = as_columns(pre_allocated, final, to_deduct)
    pre_allocated, final, to_deduct = whole_numbers(pre_allocated), whole_numbers(final), whole_numbers(to_deduct)
    first = np.minimum(pre_allocated, to_deduct)
    kept = np.minimum(final, to_deduct)
    return {
        "pre_issued": as_given(pre_allocated - first, single),
        "returned_deduction": as_given(np.maximum(first - kept, 0), single),
        "final_issued": as_given(final - kept - (pre_allocated - first), single),
        "still_to_deduct": as_given(to_deduct - kept, single),
    }


@rule("unit_benchmark_allocation", unit="allowance", given={"issued": "allowance", "owed": "allowance"})
def forced_surrender(issued: Any, owed: Any) -> dict[str, Any]:
    """What the authority does with units it holds back from an entity at risk: surrender first, then release (draft 2025-26, table 2-5, note 9).

    1,200,000 issued against 1,000,000 owed: 200,000 released. 800,000 against 1,000,000: 200,000 to be added by the entity.
    """
    single, (issued, owed) = as_columns(issued, owed)
    issued, owed = whole_numbers(issued), whole_numbers(owed)
    return {
        "surrendered": as_given(np.minimum(issued, owed), single),
        "released": as_given(np.maximum(issued - owed, 0), single),
        "must_add": as_given(np.maximum(owed - issued, 0), single),
    }
