"""Counts the calls of libvirt's C library that go to the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_LOCAL: Final = frozenset({"virDomainGetName", "virDomainGetUUID", "virDomainGetUUIDString", "virDomainGetID"})
"""They read what came with the object."""
_OWN: Final = ("virEvent", "virRegister", "virGetLastError")
"""What begins so is between the program and its copy of the library."""


class _Counting:
    """Stands in for the binding's module of C functions: each is looked up in it once for each call."""

    def __init__(self, functions: Any, calls: Counter[str]) -> None:
        self._functions = functions
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        if name.startswith("vir") and not (name in _LOCAL or name.startswith(_OWN) or name.endswith("Free")):
            self._calls[name] += 1
        return getattr(self._functions, name)


@contextmanager
def counted_calls() -> Iterator[Counter[str]]:
    """The calls that all threads of this process make meanwhile, by the C function's name."""
    import libvirt

    calls: Counter[str] = Counter()
    binding = vars(libvirt)
    functions = binding["libvirtmod"]
    binding["libvirtmod"] = _Counting(functions, calls)
    try:
        yield calls
    finally:
        binding["libvirtmod"] = functions
