"""Who owes how many units, and what settles them."""
