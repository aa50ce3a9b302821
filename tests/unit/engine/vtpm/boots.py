"""Boots of an embedded guest, and verdicts on the quotes of its vTPM."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues, Verdict
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.vtpm.authority import VtpmAuthority
from confvm_gui.engine.vtpm.measured_boot import MeasuredBoot
from confvm_gui.engine.vtpm.virtual_tpm import VirtualTpm
from confvm_gui.sev.expected_digest import LaunchMode

AUTHORITY: Final = VtpmAuthority(ChipSecret(bytes(range(32))))
NONCE: Final = bytes(range(100, 132))
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
BOOT: Final = MeasuredBoot(
    image_name="records",
    image=b"guest code " * 1000,
    command_line="label=grade rounds=40",
    technology=LaunchMode.SEV_SNP,
    secure_boot=True,
    disk_header=b"CVMDISK1" + bytes(4088),
)


def started(instance: str = "0123456789abcdef", resets: int = 0, **changes: Any) -> VirtualTpm:
    """The vTPM after BOOT with `changes`."""
    return VirtualTpm.power_on(replace(BOOT, **changes), AUTHORITY, instance=instance, resets=resets)


def judged(evidence: Evidence, *, believe: bool = True, nonce: bytes = NONCE) -> Verdict:
    """The verdict of somebody who believes the emulated root, or not."""
    roots = (AUTHORITY.trusted_root,) if believe else ()
    return evaluate(evidence, Endorsements(), ReferenceValues(report_data=nonce, trusted_roots=roots), NOW)
