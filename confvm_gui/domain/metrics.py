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
    disk_write_bytes: int = 0
    """Since the instance was started; 0 as the rest where its provider does not tell."""
    net_rx_bytes: int = 0
    """Received by the guest since the instance was started."""
    net_tx_bytes: int = 0
    """Sent by the guest since the instance was started."""
