"""What the tests of every room stand on: guards that fail a test on what it left behind, and runners for coroutines.

Loaded as pytest plugins by `tests/conftest.py`, which lists the fixtures.
"""
