"""Who gets units for free, or may emit so much."""
