"""`verify`: an SEV-SNP report verified in full, its chain known, against the one signature that cannot be saved.

Measured: `attestation.verify.evaluate` over reports that all differ, each with the nonce that it must carry, the
expected launch digest and the platform's certificates and revocation list, to a verdict with all claims. The chain has
been looked at before, as it has for all but the first report of a chip. Reference: `cryptography` verifying the ECDSA
P-384 signatures of the same reports, with the key loaded and the signatures in DER beforehand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.app.bench.figure import Figure, Judged, Target, in_turns, throughput
from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Endorsements, Evidence, EvidenceFormat, ReferenceValues, TrustedRoot
from confvm_gui.domain.errors import BugError
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.sev.cpu_identity import CpuIdentity
from confvm_gui.sev.ecc_format import ECDSA_SIZE, decode_ecdsa
from confvm_gui.sev.measurement import FirmwareVersion
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.snp_report import SIGNED_SIZE, SnpReport
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.vek_extensions import VekExtensions
from confvm_gui.sev.x509_certificate import X509Certificate

REPORTS: Final = 100
"""In a round."""
ROUNDS: Final = 15
ROOT_BITS: Final = 4096
"""As AMD's."""
TARGET: Final = Target(Judged.RATIO, 0.7, at_least=True)
_TCB: Final = TcbVersion(boot_loader=4, tee=0, snp=24, microcode=219)
_VERSION: Final = FirmwareVersion(1, 55, 22)
_ECDSA: Final = ec.ECDSA(hashes.SHA384())


@dataclass(frozen=True, slots=True)
class _Case:
    """One report and what is expected of it."""

    evidence: Evidence
    reference: ReferenceValues
    signature: bytes
    """DER."""
    signed: bytes


def measure(reports: int = REPORTS, rounds: int = ROUNDS, root_bits: int = ROOT_BITS) -> Figure:
    """`reports`: in each round, every one of them made for it."""
    root, key, chip = EmulatedRoot(root_bits), ec.generate_private_key(ec.SECP384R1()), os.urandom(64)
    line = ProductLine.MILAN
    vcek = root.certify_vcek(line, key.public_key(), VekExtensions("Milan-B1", _TCB, chip))
    ark = root.ark_x509(line)
    endorsements = Endorsements(certificates=(vcek, root.ask_x509(line), ark), crls=(root.crl(line),))
    trusted = TrustedRoot("bench", X509Certificate(ark).public_key_fingerprint().hex(), emulated=True)
    public = key.public_key()

    def verified(cases: Sequence[_Case]) -> float:
        at = datetime.now(UTC)
        began = time.perf_counter()
        verdicts = [evaluate(case.evidence, endorsements, case.reference, at) for case in cases]
        seconds = time.perf_counter() - began
        if not all(verdict.trusted for verdict in verdicts):
            raise BugError("A report that was made here is not trusted: nothing was measured")
        return seconds

    def raw(cases: Sequence[_Case]) -> float:
        began = time.perf_counter()
        for case in cases:
            public.verify(case.signature, case.signed, _ECDSA)
        return time.perf_counter() - began

    verified(_cases(1, key, chip, trusted))
    made = [_cases(reports, key, chip, trusted) for _ in range(rounds)]
    ours, theirs = iter(made), iter(made)
    found = in_turns(rounds, lambda: verified(next(ours)), lambda: raw(next(theirs)))
    return throughput(
        "verify",
        f"SNP reports verified in full, their chain known, {reports} different ones in a round",
        "cryptography verifying the ECDSA P-384 signature alone of the same reports, its key loaded",
        found,
        work=reports,
        unit="reports/s",
        target=TARGET,
        detail={"microseconds beside the signature": (found.seconds - found.reference_seconds) / reports * 1e6},
    )


def _cases(count: int, key: ec.EllipticCurvePrivateKey, chip: bytes, root: TrustedRoot) -> list[_Case]:
    tcb = _TCB.to_int()
    found = []
    for _ in range(count):
        nonce, measurement = os.urandom(64), os.urandom(48)
        report = SnpReport(
            version=3,
            report_data=nonce,
            measurement=measurement,
            report_id=os.urandom(32),
            cpu=CpuIdentity(0x19, 0x01, 1),
            chip_id=chip,
            reported_tcb=tcb,
            current_tcb=tcb,
            committed_tcb=tcb,
            launch_tcb=tcb,
            current_version=_VERSION,
            committed_version=_VERSION,
        )
        data = report.signed(key).to_bytes()
        found.append(
            _Case(
                Evidence(data, EvidenceFormat.SNP_REPORT),
                ReferenceValues(report_data=nonce, measurements=(measurement,), trusted_roots=(root,)),
                decode_ecdsa(data[SIGNED_SIZE : SIGNED_SIZE + ECDSA_SIZE]),
                data[:SIGNED_SIZE],
            )
        )
    return found
