"""The seams of the console, as Protocols.

`fleet` speaks to these; adapters (`providers`, `keys`, `store`) implement them; `app.bootstrap` joins the two.
Each seam has one contract suite in `tests/contract`.
"""
