"""The public reference data, by what they are; and what every test of a verdict asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from confvm_gui.attestation.endorsement_files import gather
from confvm_gui.attestation.verify import evaluate
from confvm_gui.domain.attestation import Endorsements, Evidence, ReferenceValues, Verdict
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.event import Severity
from tests.unit.attestation.authority import NOW

SEV = "virtee+sev/"
TRUSTEE = "confidential-containers+trustee/deps/verifier/test_data/"
TRUSTEE_CHAINS = "confidential-containers+trustee/deps/verifier/src/snp/"
TRUSTEE_LOGS = "confidential-containers+trustee/deps/eventlog/test_data/"
GO_SEV = "google+go-sev-guest/verify/"
GO_TDX = "google+go-tdx-guest/testing/testdata/"
GO_LOG = "google+go-eventlog/testdata/"
GO_TPM = "google+go-tpm-tools/"
DCAP = "Phala-Network+dcap-qvl/sample/"
DSTACK = "Dstack-TEE+dstack/dstack/"


class Vectors:
    """Files of the reference data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def endorsements(self, *paths: str) -> Endorsements:
        return gather(self.read(path) for path in paths)

    def milan_report(self) -> bytes:
        return bytes.fromhex(self.read(f"{SEV}tests/certs_data/report_milan.hex").decode())

    def milan(self) -> Endorsements:
        """VCEK, ASK and ARK of `milan_report`."""
        return self.endorsements(f"{SEV}tests/certs_data/vcek_milan.der", f"{SEV}tests/certs_data/cert_chain_milan")


def judge(
    data: bytes,
    endorsements: Endorsements | None = None,
    reference: ReferenceValues | None = None,
    *,
    at: datetime = NOW,
    parts: dict[str, bytes] | None = None,
) -> Verdict:
    """`evaluate` with defaults."""
    evidence = Evidence(data, parts=parts or {})
    return evaluate(evidence, endorsements or Endorsements(), reference or ReferenceValues(), at)


def errors(verdict: Verdict) -> set[str]:
    """Codes of the findings that make it untrusted."""
    return {finding.code for finding in verdict.findings if finding.severity is Severity.ERROR}


def warnings(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings if finding.severity is Severity.WARNING}


def flip(data: bytes, bit: int) -> bytes:
    """`data` with one bit changed; bits are counted from the lowest of the first byte."""
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


def trusted_flips(data: bytes, bits: Iterable[int], is_trusted: Callable[[bytes], bool]) -> list[int]:
    """The bits that can be changed with the result still trusted: none. InvalidInput is not trusted either."""
    found = []
    for bit in bits:
        with suppress(InvalidInput):
            if is_trusted(flip(data, bit)):
                found.append(bit)
    return found


def with_roots(reference: ReferenceValues, *parties: object) -> ReferenceValues:
    """The reference values, and belief in the roots of these parties."""
    from tests.unit.attestation.authority import Party

    roots = tuple(party.root() for party in parties if isinstance(party, Party))
    return replace(reference, trusted_roots=reference.trusted_roots + roots)
