"""The rules of venues: prices of a day, limits on orders, contracts."""
