"""Samples of what an instance uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading."""

    instance_id: str
    at: float
    """Seconds since the epoch, UTC."""
    cpu: float
    """Share of one CPU since the previous sample, 0.0 to vCPUs."""
    memory_bytes: int
    """RAM that the guest has touched."""
    disk_read_bytes: int
    """Since the instance was started."""
    console_bytes: int
    """Written to the serial console since the instance was started."""
    queries: int
    """Mailbox queries answered since the instance was started."""
