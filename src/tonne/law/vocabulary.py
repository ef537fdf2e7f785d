"""The closed lists of the law: units, topics, statuses, confidences. One word for one thing."""

from __future__ import annotations

import re

TOPICS = (
    "scope",
    "cap",
    "allocation",
    "auction",
    "stability",
    "obligation",
    "credits",
    "registry",
    "calendar",
    "penalty",
    "trading",
    "monitoring",
    "statistics",
)

STATUSES = ("in_force", "adopted", "proposed")
CONFIDENCES = ("source", "seed", "recall", "derived")
SYSTEM_STATUSES = ("in_force", "under_development", "under_consideration", "ended")
DESIGNS = ("cap_and_trade", "cap_and_invest", "intensity", "baseline_and_credit", "output_based", "fixed_price", "hybrid")

#: Words a unit may be made of, alone or as `a_per_b`, `thousand_a`, `million_a`, `billion_a`.
UNIT_WORDS = frozenset(
    """
    allowance credit unit permit ratio percent percentage_point basis_point text boolean date month_day count number rank
    tonne kilogram gram short_ton long_ton lot tick point share factor rounding
    tCO2 tCO2e ktCO2e MtCO2e GtCO2e kgCO2 kgCO2e gCO2e short_ton_co2 tC tN2O tCH4 tCF4 kgCF4 tonne_product
    MW MWe kW GW MWh kWh GWh TWh GJ MJ TJ PJ kJ mmbtu kcal kgce tce m3 Nm3 ten_thousand_Nm3 litre cwt gross_tonnage
    degree_celsius meter metre km tkm pkm hectare
    day business_day week month year hour minute second time time_zone
    entity installation plant operator bidder auction bid participant country member_state state sector flight voyage
    calendar_rule rule formula country_code language article capita GDP
    """.split()
)
_SCALES = ("thousand_", "million_", "billion_", "ten_thousand_")
_CURRENCY = re.compile(r"[A-Z]{3}")


def is_unit(text: str) -> bool:
    """Whether a text is a unit of the closed list: a word, a currency code, a scaled one, or one per another."""
    return all(_is_simple(part) for part in text.split("_per_")) and text.count("_per_") <= 2


def _is_simple(word: str) -> bool:
    for scale in _SCALES:
        if word.startswith(scale) and word not in UNIT_WORDS:
            word = word.removeprefix(scale)
            break
    return word in UNIT_WORDS or bool(_CURRENCY.fullmatch(word))
