"""An SNP guest launched on the embedded secure processor, and its report with certificates, for verifiers of others."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from confvm_gui.domain.attestation import Endorsements, TrustedRoot
from confvm_gui.domain.release import Conditions
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.snp_launch_commands import VMPCK0_OFFSET
from confvm_gui.engine.secure_processor.snp_messages import GuestMessage, MessageType, seal_message
from confvm_gui.providers.embedded.evidence import ROOT_NAME
from confvm_gui.sev.snp_launch_digest import PageType, SnpLaunchDigest
from confvm_gui.sev.snp_product import ProductLine
from tests.support.embedded_rig import shared_root
from tests.unit.engine.secure_processor.fakes import FakeMemory

PAGE = 4096
GCTX, IMAGE, SECRETS = 0x0000, 0x2000, 0x5000
NONCE = bytes(range(64))
POLICY = 0x30000


class SnpEvidence(NamedTuple):
    """A report and what it takes to verify it; certificates in DER."""

    report: bytes
    vcek: bytes
    ask: bytes
    ark: bytes
    launch_digest: bytes
    """What its owner expects, 48 bytes."""


def snp_evidence(root: EmulatedRoot, *, policy: int = POLICY, report_data: bytes = NONCE) -> SnpEvidence:
    """A guest of one page, launched, and the report with `report_data` (64 bytes) that it asks for."""
    processor, report = _launched_report(root, policy, report_data)
    expected = SnpLaunchDigest()
    expected.add_normal(0x100000, b"\xf4" * PAGE)
    expected.add_secrets(0x41000)
    line = ProductLine.GENOA
    return SnpEvidence(report, processor.vcek_certificate(), root.ask_x509(line), root.ark_x509(line), expected.digest)


def _launched_report(root: EmulatedRoot, policy: int, report_data: bytes) -> tuple[SecureProcessor, bytes]:
    """A guest of one page, launched, and the report that it asks for."""
    memory = FakeMemory()
    processor = SecureProcessor(memory, model=replace(GENOA, min_sev_asid=4), root=root)
    processor.snp_init()
    processor.wbinvd()
    processor.snp_df_flush()
    processor.rmp.rmpupdate(GCTX, assigned=True, immutable=True)
    processor.snp_gctx_create(GCTX)
    processor.snp_launch_start(GCTX, policy)
    processor.snp_activate(GCTX, 1)
    memory.dram[IMAGE : IMAGE + PAGE] = b"\xf4" * PAGE
    for spa, gpa, kind in ((IMAGE, 0x100000, PageType.NORMAL), (SECRETS, 0x41000, PageType.SECRETS)):
        processor.rmp.rmpupdate(spa, assigned=True, asid=1, gpa=gpa, immutable=True)
        processor.snp_launch_update(GCTX, spa, kind)
    processor.snp_launch_finish(GCTX)
    key = memory.read_private(1, SECRETS, PAGE)[VMPCK0_OFFSET : VMPCK0_OFFSET + 32]
    request = struct.pack("<64sII24s", report_data, 0, 0, b"")
    sealed = seal_message(key, MessageType.REPORT_REQ, request, sequence=1, vmpck=0)
    return processor, GuestMessage.parse(processor.snp_guest_request(GCTX, sealed)).open(key)[32:]


def endorsed(made: SnpEvidence) -> Endorsements:
    return Endorsements(certificates=(made.vcek, made.ask, made.ark))


def met_conditions() -> Conditions:
    """That a guest of `snp_evidence` meets."""
    spki = shared_root().ark.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    root = TrustedRoot(ROOT_NAME, hashlib.sha256(spki).hexdigest(), emulated=True)
    return Conditions((snp_evidence(shared_root()).launch_digest,), ("0x30000",), roots=(root,))
