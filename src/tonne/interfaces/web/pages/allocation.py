"""Free allocation of an installation and a year, explained line by line: what was produced, by which figures of the law, to what result."""

from __future__ import annotations

from fastapi.responses import Response

from tonne.interfaces.views.allocation import allocation
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.guard import REPORTER, pages
from tonne.interfaces.web.law_words import unit_words
from tonne.interfaces.web.pages.common import cache_of
from tonne.interfaces.web.pages.standing import own_installation, year_asked
from tonne.interfaces.web.words import N_

router = pages()
BASES: dict[str, str] = {
    "authority": N_("the administrator's own table"),
    "rule": N_("the law's rule"),
    "pre_allocation": N_("first part, before the figures are known"),
    "final_allocation": N_("settled, when the figures are known"),
    "limit": N_("what may be emitted before units are owed"),
}
WHY: dict[str, str] = {
    "no_rule": N_("The law of this market gives nothing by a rule; what there is, is the administrator's own table."),
    "no_activity": N_("No activity of that year is on record, so the rule cannot be shown at work."),
    "no_answer": N_("The law has no figure yet for what its rule asks."),
}


@router.get("/{system}/allocation/{installation}/{year}", allow=REPORTER)
def allocation_page(ask: Asked, system: str, installation: str, year: str) -> Response:
    """Own installations; all of them for the administrator, verifiers and auditors."""
    name, number = own_installation(ask, installation, ("verifier",)), year_asked(ask, year)
    market = ask.market
    with market.read() as state:
        one = allocation(state, name, number, market.today, cache=cache_of(market))
        years = sorted({*state.entitlements.filter(installation=name)["year"].to_list(), number}, reverse=True)
    ask.record("view", f"allocation {name} {number}", "shown")
    bases = {basis: ask._(text) for basis, text in BASES.items()}
    return ask.page(
        "operator_allocation.html", one=one, years=years[:12], bases=bases, unit_words=unit_words, why=ask._(WHY[one.why]) if one.why else ""
    )
