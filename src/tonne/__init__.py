"""tonne runs a carbon market from its law."""

from tonne.interfaces.api import Run, market, rulebook, run, systems

__all__ = ["Run", "market", "rulebook", "run", "systems"]
__version__ = "0.1.0"
