"""Composition root: the only package that knows every other.

`main` opens the window, `cli` is the command line; `bootstrap` hands the adapters to the use cases.
"""
