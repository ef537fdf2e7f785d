"""The one error of the registers; apart from the tables so that participants need no Polars."""

from __future__ import annotations


class RegisterError(ValueError):
    """A register was given, or asked for, something that cannot be so. The text names the register, the key and the reason."""
