"""What a shortfall costs, in money and in units."""
