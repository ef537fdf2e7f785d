"""tonne runs a carbon market from its law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tonne.interfaces.api import Run, open_market, rulebook, run, systems
    from tonne.interfaces.client import Client, Refused

__all__ = ["Client", "Refused", "Run", "open_market", "rulebook", "run", "systems"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The public names are loaded when they are used, so that `tonne --help` need not wait for them."""
    if name not in __all__:
        raise AttributeError(f"module 'tonne' has no attribute {name!r}")
    if name in ("Client", "Refused"):
        from tonne.interfaces import client

        return getattr(client, name)
    from tonne.interfaces import api

    return getattr(api, name)
