"""Who must take part by the emissions of a whole company, or of one of its sites."""

from __future__ import annotations

from typing import Any

import numpy as np

from tonne.rules.columns import truth, whole
from tonne.rules.declare import rule


@rule("two_level_threshold", unit="boolean", given={"company_emissions": "tCO2e", "site_emissions": "tCO2e"})
def is_covered(company_emissions: Any, site_emissions: Any = 0, *, covered_company_from: int, covered_site_from: int) -> Any:
    """Whether a company takes part: its yearly mean reaches the company threshold, or its largest site reaches the site threshold.

    Act on the Allocation and Trading of Greenhouse-Gas Emission Permits. 120,000 t in all with one site of 25,000 t -> yes; of 24,999 t -> no.
    """
    company, site = np.broadcast_arrays(whole("a company's emissions", company_emissions), whole("a site's emissions", site_emissions))
    return truth((company >= covered_company_from) | (site >= covered_site_from))
