"""What follows from what is agreed: positions, daily settlement, margin, delivery, default. Pure arithmetic on int64 arrays.

Accounts are rows, instruments columns, lots positive when long; prices are ticks, money is the currency's minor unit. The order of reading:
exact, position, settlement_price, variation, option, margin (plain_margin is its auditor), call, fee, limit, expiry, close_out, waterfall;
settlement moves units and money.
"""
