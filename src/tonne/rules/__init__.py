"""What follows from the text. `mechanisms()` is every rule there is, by mechanism and ask."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from tonne.rules.declare import MECHANISMS, Rule


@cache
def mechanisms() -> Mapping[str, Mapping[str, Rule]]:
    """Import every module of this room once and return mechanism -> ask -> rule."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return MECHANISMS
