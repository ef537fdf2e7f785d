"""Credits of projects in place of units: how many, which, how."""
