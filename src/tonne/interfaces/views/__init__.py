"""Read models: what pages and the JSON interface show, as pure functions from a market's state, its law and a day to plain values and tables.

No HTTP, no HTML, no clock, no translation: codes, numbers and days come out, labels are the page's. A view is called under a lock that is held for
milliseconds, so what costs more is kept in a `Cache` that the caller hands in. Who may see a view is the caller's to decide; what nobody may see yet
(transactions inside the law's delay, compliance before its day) no view gives out.
"""
