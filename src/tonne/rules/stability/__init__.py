"""Reserves and measures that hold supply and price."""
