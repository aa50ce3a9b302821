"""Use cases over the fleet, asynchronous and without Qt.

`session` joins them for a window or a command line; `inventory` is what there is, `jobs` what is being done to it,
`events` what happened, `metrics` what it uses.
"""
