"""Who must take part, and what of it counts."""
