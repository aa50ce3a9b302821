"""Guardrails over the fleet: which packs are on, what they deny, what they find, and what would pass."""
