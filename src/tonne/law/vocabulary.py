"""The closed lists of the law: units, topics, statuses, confidences. One word for one thing."""

from __future__ import annotations

import difflib
import re

from tonne.law.faults import NEAR

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

#: How two systems are tied: `two_way` (units of each pay in both), `accepts` (units of the other pay here), `accepted_by` (this one's pay
#: there), `member` (a jurisdiction takes part in this system), `before` and `after` (one followed the other), `beside` (both bind one emission).
LINKS = ("two_way", "accepts", "accepted_by", "member", "before", "after", "beside")
STATUSES = ("in_force", "adopted", "proposed")
CONFIDENCES = ("source", "seed", "recall", "derived")
SYSTEM_STATUSES = ("in_force", "under_development", "under_consideration", "ended")
DESIGNS = ("cap_and_trade", "cap_and_invest", "intensity", "baseline_and_credit", "output_based", "fixed_price", "hybrid")

#: Words a unit may be made of, alone or as `a_per_b`, `thousand_a`, `million_a`, `billion_a`. `money` is the system's own currency.
UNIT_WORDS = frozenset(
    """
    allowance credit unit permit money ratio percent percentage_point basis_point text boolean date month_day count number rank
    tonne kilogram gram short_ton long_ton lot tick point share factor rounding
    tCO2 tCO2e ktCO2e MtCO2e GtCO2e kgCO2 kgCO2e gCO2e short_ton_co2 tC tN2O tCH4 tCF4 kgCF4 tonne_product
    MW MWe kW GW MWh kWh GWh TWh GJ MJ TJ PJ kJ mmbtu kcal kgce tce toe m3 Nm3 ten_thousand_Nm3 litre cwt gross_tonnage
    degree_celsius meter metre km tkm pkm hectare
    day business_day week month year hour minute second time time_zone
    entity installation plant operator bidder auction bid participant country member_state state sector flight voyage
    calendar_rule rule formula country_code language article capita GDP product fuel
    """.split()
)
#: Units of which there are no parts. `thousand_allowance` or `allowance_per_lot` may have some.
WHOLE = frozenset(
    """
    allowance credit unit permit count rank lot entity installation plant operator bidder auction bid participant flight voyage
    day business_day month year
    """.split()
)
#: Units of what is written in words.
WORDS = frozenset("text time rule formula country_code language article state member_state country sector product fuel capita".split())
#: Units of mass. An amount of one of them is no number of allowances.
MASS = frozenset(
    """
    tonne kilogram gram short_ton long_ton cwt tCO2 tCO2e ktCO2e MtCO2e GtCO2e kgCO2 kgCO2e gCO2e short_ton_co2 tC tN2O tCH4 tCF4 kgCF4
    tonne_product
    """.split()
)
#: What the calendar may order (`calendar.agenda`).
TASKS = frozenset(
    """
    issue pre_allocate allocate auction report verify final_allocate award interim_surrender surrender penalise publish_circulation stabilise
    invalidate carry_over
    """.split()
)
_SCALES = ("thousand_", "million_", "billion_", "ten_thousand_")
_CURRENCY = re.compile(r"[A-Z]{3}")


def is_unit(text: str) -> bool:
    """Whether a text is a unit of the closed list: a word, a currency code, a scaled one, or one per another."""
    return all(_is_simple(part) for part in text.split("_per_")) and text.count("_per_") <= 2


def currencies(unit: str) -> set[str]:
    """The currencies that a unit speaks of: `million_USD` and `USD_per_allowance` of USD."""
    words = (unscaled(part) for part in unit.split("_per_"))
    return {word for word in words if word not in UNIT_WORDS and _CURRENCY.fullmatch(word)}


def is_amount(unit: str) -> bool:
    """Whether a unit is an amount of money or of mass, and not so much per something."""
    return unscaled(unit) in {"money", *MASS, *currencies(unit)}


def nearest_unit(text: str) -> str:
    """For a text that is no unit: the first of its parts that is unknown, and the nearest word."""
    for part in text.split("_per_"):
        if not _is_simple(part):
            near = difflib.get_close_matches(part, sorted(UNIT_WORDS), n=1, cutoff=NEAR)
            if near:
                return f"did you mean {text.replace(part, near[0])!r}?"
            return f"{part!r} is no unit; `tonne words units` lists them"
    return "a unit is written `a`, `a_per_b` or `a_per_b_per_c`"


def unscaled(word: str) -> str:
    """The unit without `thousand_`, `million_`, ...: `million_allowance` -> `allowance`."""
    if word not in UNIT_WORDS:
        for scale in _SCALES:
            if word.startswith(scale):
                return word.removeprefix(scale)
    return word


def _is_simple(word: str) -> bool:
    return unscaled(word) in UNIT_WORDS or bool(_CURRENCY.fullmatch(unscaled(word)))
