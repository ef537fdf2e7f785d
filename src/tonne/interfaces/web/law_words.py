"""Codes of the law and of markets as people say them: English is the key, translated where it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from markupsafe import Markup

from tonne.interfaces.web.words import N_

Gettext = Callable[[str], str]

#: code -> (words, tone of its badge, picture)
STATUSES: dict[str, tuple[str, str, str]] = {
    "in_force": (N_("in force"), "success", "circle-check"),
    "under_development": (N_("in preparation"), "info", "progress"),
    "under_consideration": (N_("under consideration"), "neutral", "circle-dashed"),
    "ended": (N_("ended"), "neutral", "lock"),
}
DESIGNS: dict[str, str] = {
    "cap_and_trade": N_("cap and trade"),
    "cap_and_invest": N_("cap and invest"),
    "intensity": N_("intensity targets"),
    "baseline_and_credit": N_("baseline and credit"),
    "output_based": N_("output-based pricing"),
    "fixed_price": N_("fixed price"),
    "hybrid": N_("hybrid"),
}
LEVELS: dict[str, str] = {
    "supranational": N_("several countries"),
    "national": N_("country"),
    "subnational": N_("province or state"),
    "city": N_("city"),
}
MEASURES: dict[str, str] = {
    "tonne": N_("t CO2e"),
    "short_ton": N_("short tons CO2"),
    "kilogram": N_("kg CO2e"),
    "toe": N_("t of oil equivalent"),
}
TOPICS: dict[str, str] = {
    "scope": N_("Scope"),
    "cap": N_("Cap"),
    "allocation": N_("Allocation"),
    "auction": N_("Auctions"),
    "stability": N_("Price and supply control"),
    "obligation": N_("Obligation"),
    "credits": N_("Credits"),
    "registry": N_("Registry"),
    "calendar": N_("Calendar"),
    "penalty": N_("Penalties"),
    "trading": N_("Trading"),
    "monitoring": N_("Monitoring"),
    "statistics": N_("Statistics"),
}
#: task of the calendar -> what happens on its day
TASKS: dict[str, str] = {
    "issue": N_("Units of the year are issued"),
    "pre_allocate": N_("First part of the free allocation"),
    "allocate": N_("Free allocation"),
    "final_allocate": N_("Free allocation, settled"),
    "auction": N_("Last day of the year's auctions"),
    "report": N_("Emissions report due"),
    "verify": N_("Verified emissions due"),
    "award": N_("Units for performance awarded"),
    "interim_surrender": N_("Part of the units due"),
    "surrender": N_("Surrender deadline"),
    "penalise": N_("Penalties set"),
    "publish_circulation": N_("Units in circulation published"),
    "stabilise": N_("Supply control acts"),
    "invalidate": N_("Units in the reserve lose validity"),
    "carry_over": N_("Units carried into the next period"),
}
#: Tasks by which somebody else has to have done something.
DEADLINES = ("report", "verify", "interim_surrender", "surrender")
CONFIDENCES: dict[str, tuple[str, str]] = {
    "source": (N_("seen in the source"), "success"),
    "derived": (N_("worked out"), "info"),
    "seed": (N_("from a secondary document"), "info"),
    "recall": (N_("from memory, to be checked"), "warning"),
    "scenario": (N_("of a scenario"), "warning"),
}
VALUE_STATUSES: dict[str, tuple[str, str]] = {
    "in_force": (N_("in force"), "success"),
    "adopted": (N_("adopted"), "info"),
    "proposed": (N_("proposed"), "neutral"),
}
#: What a rulebook says of a market, chapter by chapter (overview.CHAPTERS).
CHAPTERS: dict[str, str] = {
    "who is in": N_("who is in"),
    "how much": N_("how much"),
    "who gets units": N_("who gets units"),
    "at what price": N_("at what price"),
    "what is owed": N_("what is owed"),
    "credits": N_("credits"),
    "banking": N_("banking"),
    "dates": N_("dates"),
    "penalty": N_("penalty"),
    "reporting": N_("reporting"),
    "figures": N_("figures"),
}
OBLIGED: dict[str, str] = {
    "above its limit": N_("units for what exceeds its limit"),
    "not said": N_("not said"),
    "every unit emitted": N_("a unit for every unit emitted"),
    "every unit, limit ex post": N_("a unit for every unit emitted; the quantity given is settled afterwards"),
}
PRICE_RULES: dict[str, str] = {
    "fixed": N_("fixed price"),
    "floor": N_("floor"),
    "tiers": N_("tiers"),
    "ceiling": N_("ceiling"),
    "trigger": N_("trigger"),
    "band": N_("band"),
    "reserve": N_("supply reserve"),
    "payment": N_("payment in place of units"),
}
LINKS: dict[str, str] = {
    "two_way": N_("linked both ways"),
    "accepts": N_("accepts units of"),
    "accepted_by": N_("units accepted by"),
    "member": N_("member"),
    "before": N_("followed by"),
    "after": N_("follows"),
    "beside": N_("beside"),
}
#: sectors that registers and generated installations name; a registry's own names stand as they are
SECTORS: dict[str, str] = {
    "power": N_("power"),
    "electricity": N_("power"),
    "thermal_power": N_("thermal power"),
    "heat": N_("heat"),
    "refining": N_("refining"),
    "oil": N_("oil"),
    "oil_and_gas": N_("oil and gas"),
    "oil_sands": N_("oil sands"),
    "mining": N_("mining"),
    "iron": N_("iron and steel"),
    "steel": N_("iron and steel"),
    "iron_and_steel": N_("iron and steel"),
    "aluminium": N_("aluminium"),
    "ferroalloys": N_("ferroalloys"),
    "non_ferrous": N_("non-ferrous metals"),
    "cement": N_("cement"),
    "cement_and_lime": N_("cement and lime"),
    "lime": N_("lime"),
    "glass": N_("glass"),
    "glass_and_paper": N_("glass and paper"),
    "ceramics": N_("ceramics"),
    "building_materials": N_("building materials"),
    "paper": N_("paper"),
    "pulp_and_paper": N_("pulp and paper"),
    "chemicals": N_("chemicals"),
    "petrochemical": N_("petrochemicals"),
    "petrochemicals": N_("petrochemicals"),
    "chlor_alkali": N_("chlor-alkali"),
    "textile": N_("textiles"),
    "vehicles": N_("vehicles"),
    "flat_panels": N_("flat panels"),
    "manufacturing": N_("manufacturing"),
    "factories": N_("factories"),
    "industry": N_("industry"),
    "other_industry": N_("other industry"),
    "buildings": N_("buildings"),
    "offices": N_("offices"),
    "services": N_("services"),
    "data_centres": N_("data centres"),
    "transport": N_("transport"),
    "aviation": N_("aviation"),
    "domestic_aviation": N_("domestic aviation"),
    "shipping": N_("shipping"),
    "ports": N_("ports"),
    "waste": N_("waste"),
    "fuels": N_("fuels"),
    "fuel_supplier": N_("fuel suppliers"),
    "gas_utility": N_("gas utilities"),
    "importer": N_("importers"),
    "upstream": N_("upstream"),
    "other": N_("other"),
}
#: Words that reports and overviews bring along.
OTHERS = (N_("none"), N_("million"), N_("thousand"))
#: what an administrator publishes -> words
NOTICES: dict[str, str] = {
    "cap": N_("Cap issued"),
    "opening": N_("Units in circulation at the opening"),
    "allocated": N_("Free allocation"),
    "auction": N_("Auctions of the year"),
    "auction_calendar": N_("Auction calendar"),
    "auction_result": N_("Auction result"),
    "offered": N_("Offered for sale"),
    "awarded": N_("Units awarded"),
    "carry_over": N_("Units carried over"),
    "circulation": N_("Units in circulation"),
    "compliance": N_("Compliance of the year"),
    "first_year": N_("The books begin"),
    "invalidation": N_("Units that lost validity"),
    "penalties": N_("Penalties"),
    "paid": N_("Settled in money"),
    "sold_at_fixed_price": N_("Sold at the fixed price"),
    "stabilisation": N_("Supply control"),
}
#: Published for machines and margins, or told again by what follows: no news for a reader.
QUIET_NOTICES = frozenset({"margin_calls", "first_year", "offered"})


def badge(text: str, tone: str = "neutral", picture: str = "") -> Markup:
    """A word with a ground, as parts/state.html draws it, for the cell of a table."""
    from tonne.interfaces.web.render import asset

    drawn = Markup('<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(asset("icons.svg"), picture)
    return Markup('<span class="state state-{}">{}{}</span>').format(tone, drawn if picture else "", text)


def status_badge(code: str, _: Gettext) -> Markup:
    words, tone, picture = STATUSES.get(code, (code.replace("_", " "), "neutral", ""))
    return badge(_(words), tone, picture)


def sector(code: str | None, _: Gettext) -> str | None:
    """A sector in words."""
    return said(SECTORS, code, _) if code else None


def sectors(codes: Iterable[str | None], _: Gettext) -> list[tuple[str, str]]:
    """Choices for a filter: each sector once, with its words."""
    return [(one, said(SECTORS, one, _)) for one in sorted({code for code in codes if code})]


def said(table: dict[str, str], code: str, _: Gettext) -> str:
    """A code in words; one that has none yet is shown as it is written."""
    return _(table[code]) if code in table else code.replace("_", " ")


def unit_words(unit: str) -> str:
    """A unit of the law as people write it: EUR_per_allowance -> EUR / allowance."""
    plain = {"percent": "%", "text": "", "boolean": "", "ratio": "", "count": "", "calendar_rule": "", "rule": "", "date": "", "month_day": ""}
    if unit in plain:
        return plain[unit]
    return unit.replace("_per_", " / ").replace("_", " ")


def grouped(text: str) -> str:
    """Thousands parted by thin spaces, as everywhere on the pages, where a report's words have commas."""
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "\u202f", text)
