"""Free units by sector where some sectors get none: who sells fuel or imports power buys what it owes at auction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tonne.rules.declare import rule
from tonne.rules.sector_allocation import Factors
from tonne.rules.sector_allocation import allocation as allocation_by_method
from tonne.units import Rate

NOTHING = "auction"


@rule(
    "allocation_beside_auctions",
    unit="allowance",
    given={"year": "year", "sector": "sector", "product": "product", "quantity": "number", "intensity": "number", "historical": "tCO2e"},
)
def allocation(
    year: Any,
    sector: Any,
    product: Any = "",
    quantity: Any = 0,
    intensity: Any = None,
    historical: Any = 0,
    *,
    allocation_method: Mapping[str, str],
    benchmark: Mapping[str, Rate] | None = None,
    assistance: Mapping[str, Rate] | None = None,
    yearly_factor: Factors | None = None,
    allocation_rounding: str = "nearest",
) -> Any:
    """Free units for one row of output, none in a sector whose method is `auction`, otherwise as the sector's method says (`sectoral_allocation`).

    97,700,000 of past emissions x 0.981 = 95,843,700 for 2013; a fuel supplier gets nothing. Raises ValueError for a sector without a method.
    """
    given = [np.asarray(value, dtype=object) for value in (year, sector, product, quantity, intensity, historical)]
    columns = [column.ravel() for column in np.broadcast_arrays(*given)]
    columns[2] = np.where(columns[2] == "", "-", columns[2])  # a row without a product: the past figures of its sector say it all
    shape = np.broadcast_shapes(*(column.shape for column in given))
    names, index = np.unique(columns[1].astype(str), return_inverse=True)
    free = np.array([allocation_method.get(name, allocation_method.get("all")) != NOTHING for name in names.tolist()], dtype=bool)[index.reshape(-1)]
    units = np.zeros(len(columns[0]), dtype=np.int64)
    if free.any():
        units[free] = allocation_by_method(
            *(column[free] for column in columns),
            allocation_method=allocation_method,
            benchmark=benchmark,
            assistance=assistance,
            yearly_factor=yearly_factor,
            allocation_rounding=allocation_rounding,
        )
    return int(units[0]) if shape == () else units.reshape(shape)
