"""Units over time: banking, borrowing, vintages, holding limits."""
