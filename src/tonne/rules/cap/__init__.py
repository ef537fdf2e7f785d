"""How many units there are for a year, and what they are made of."""
