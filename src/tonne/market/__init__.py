"""Trading: primary auctions, the order book, negotiated trades, market data."""
