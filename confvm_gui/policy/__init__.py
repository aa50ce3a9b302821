"""Guardrails as rules: what they may look at, how they are read, bounded, evaluated and reported.

Pure: no files, no network, no clock. `fleet.guard` says which rules are on and what happens when one does not hold.
"""
