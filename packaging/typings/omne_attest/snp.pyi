"""What the tests use of omne-attest, which comes without types. Place: packaging/typings/omne_attest/snp.pyi."""

from enum import Enum

class FailKind(Enum):
    REPORT_SIGNATURE = "report_signature"
    CHAIN_SIGNATURE = "chain_signature"
    MEASUREMENT = "measurement"

class Fail(Exception):
    kind: FailKind

class Policy:
    def __init__(self, measurement: bytes | None = ..., report_data: bytes | None = ...) -> None: ...

class Report:
    measurement: bytes

def verify(
    report: bytes, vcek_der: bytes, ask_der: bytes, ark_der: bytes, pinned_ark_sha256: bytes, policy: Policy
) -> Report: ...
