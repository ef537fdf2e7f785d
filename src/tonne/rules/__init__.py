"""What follows from the text, by topic. `mechanisms()` is every rule there is, by mechanism and ask."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from tonne.rules.declare import MECHANISMS, Rule


@cache
def mechanisms() -> Mapping[str, Mapping[str, Rule]]:
    """Import every module of this room and its topics once and return mechanism -> ask -> rule."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return MECHANISMS
