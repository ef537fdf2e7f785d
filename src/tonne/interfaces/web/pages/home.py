"""The first page after signing in: the question of the role, answered."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.responses import Response

from tonne.interfaces.web import navigation
from tonne.interfaces.web.app import Asked
from tonne.interfaces.web.ask import Ask
from tonne.interfaces.web.guard import ANY_MEMBER, pages
from tonne.interfaces.web.pages import admin, audit, operator, trader, verifier

router = pages()
#: role -> what answers its question.
HOMES: dict[str, Callable[[Ask], Response]] = {
    "operator": operator.home,
    "verifier": verifier.home,
    "trader": trader.home,
    "administrator": admin.home,
    "auditor": audit.home,
}


@router.get("/{system}/home", allow=ANY_MEMBER)
def home(ask: Asked, system: str) -> Response:
    """What somebody of this role comes for."""
    return HOMES.get(ask.visitor.role, plain_home)(ask)


def plain_home(ask: Ask) -> Response:
    """For roles without a question of their own: what they can do."""
    own, _menu, more = navigation.items(ask)
    here = ask.here("/home")
    return ask.page("home.html", ways=[(address, label) for address, label, _icon, _current in (*own, *more) if address != here])
