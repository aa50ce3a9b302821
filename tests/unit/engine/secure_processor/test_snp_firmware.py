"""SEV-SNP: launch, pages, reports and keys, and everything that can be wrong on the way."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import FirmwareError, InvalidInput
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA, MILAN
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.rmp_entry import PageState, Permission, RmpFault
from confvm_gui.engine.secure_processor.snp_launch_commands import VMPCK0_OFFSET
from confvm_gui.engine.secure_processor.snp_messages import GuestMessage, MessageType, seal_message
from confvm_gui.engine.secure_processor.snp_states import (
    SnpGuestState,
)
from confvm_gui.sev.id_block import IdAuth, IdBlock
from confvm_gui.sev.snp_launch_digest import PageType, SnpLaunchDigest
from confvm_gui.sev.snp_policy import SnpPolicy
from confvm_gui.sev.snp_product import ProductLine
from confvm_gui.sev.snp_report import SnpReport
from confvm_gui.sev.snp_report_flags import SigningKey
from confvm_gui.sev.status import Status
from confvm_gui.sev.tcb_version import TcbVersion
from confvm_gui.sev.x509_certificate import X509Certificate
from tests.unit.engine.secure_processor.fakes import SMALL, FakeMemory

PAGE = 4096
POLICY = 0x30000
DEBUG = 1 << 19
ROOT = EmulatedRoot(bits=2048)
assert MILAN.snp is not None
PROVISIONAL = replace(MILAN.snp, committed_tcb=TcbVersion(boot_loader=3, tee=0, snp=0x16, microcode=0xD0))
MODEL = replace(SMALL, snp=PROVISIONAL)
GCTX, IMAGE, VMSA, SECRETS, OTHER = 0x0000, 0x2000, 0x4000, 0x5000, 0x6000
GPA = 0x100000
ASID = 1


def refused(status: Status, attempt: Callable[[], object]) -> FirmwareError:
    with pytest.raises(FirmwareError) as caught:
        attempt()
    assert caught.value.status_name == status.name
    return caught.value


class Host:
    """A hypervisor with a platform; `state` says how far its guest at GCTX was brought."""

    def __init__(self, state: SnpGuestState | None = None, policy: int = POLICY) -> None:
        self.memory = FakeMemory()
        self.processor = SecureProcessor(self.memory, model=MODEL, root=ROOT)
        self.processor.snp_init()
        self.processor.wbinvd()
        self.processor.snp_df_flush()
        self.rmp = self.processor.rmp
        if state is None:
            return
        self.rmp.rmpupdate(GCTX, assigned=True, immutable=True)
        self.processor.snp_gctx_create(GCTX)
        if state is SnpGuestState.INIT:
            return
        self.processor.snp_launch_start(GCTX, policy)
        self.processor.snp_activate(GCTX, ASID)
        if state is SnpGuestState.RUNNING:
            self.load()
            self.processor.snp_launch_finish(GCTX)

    def give(self, spa: int, gpa: int, count: int = 1, asid: int = ASID) -> None:
        self.rmp.rmpupdate(spa, assigned=True, asid=asid, gpa=gpa, immutable=True, count=count)

    def load(self) -> bytes:
        """Two image pages, secrets and a VMSA; the digest that its owner expects."""
        self.memory.dram[IMAGE : IMAGE + 2 * PAGE] = b"\x90" * PAGE + b"\xf4" * PAGE
        self.memory.dram[VMSA : VMSA + PAGE] = b"\x11" * PAGE
        self.give(IMAGE, GPA, 2)
        self.give(VMSA, 0xFFFF_FFFF_F000)
        self.give(SECRETS, 0x8000)
        update = self.processor.snp_launch_update
        update(GCTX, IMAGE, PageType.NORMAL, count=2)
        update(GCTX, SECRETS, PageType.SECRETS)
        update(GCTX, VMSA, PageType.VMSA)
        expected = SnpLaunchDigest()
        expected.add_normal(GPA, b"\x90" * PAGE + b"\xf4" * PAGE)
        expected.add_secrets(0x8000)
        expected.add_vmsa(b"\x11" * PAGE)
        return expected.digest

    def vmpck(self, number: int) -> bytes:
        """As the guest reads it in its secrets page."""
        page = self.memory.read_private(ASID, SECRETS, PAGE)
        return page[VMPCK0_OFFSET + 32 * number : VMPCK0_OFFSET + 32 * (number + 1)]

    def ask(self, kind: MessageType, payload: bytes, *, sequence: int = 1, vmpck: int = 0) -> bytes:
        key = self.vmpck(vmpck)
        sealed = seal_message(key, kind, payload, sequence=sequence, vmpck=vmpck)
        answer = GuestMessage.parse(self.processor.snp_guest_request(GCTX, sealed))
        assert (answer.sequence, answer.message_type) == (sequence + 1, kind + 1)
        return answer.open(key)

    def report(self, data: bytes = bytes(64), *, sequence: int = 1, vmpl: int = 0) -> SnpReport:
        answer = self.ask(MessageType.REPORT_REQ, report_request(data, vmpl), sequence=sequence)
        assert answer[:4] == bytes(4)
        return SnpReport.parse(answer[32:])


def report_request(data: bytes = bytes(64), vmpl: int = 0, selection: int = 0) -> bytes:
    return struct.pack("<64sII24s", data, vmpl, selection, b"")


def key_request(*, root: int = 0, fields: int = 0, vmpl: int = 0, svn: int = 0, tcb: int = 0) -> bytes:
    return struct.pack("<IIQIIQ", root, 0, fields, vmpl, svn, tcb)


def test_a_launch_gives_the_digest_that_its_owner_expects() -> None:
    host = Host(SnpGuestState.LAUNCH)
    expected = host.load()
    host.processor.snp_launch_finish(GCTX, host_data=b"\x07" * 32)
    report = host.report(b"nonce" * 12 + b"1234")
    assert report.measurement == expected
    assert report.policy.value == POLICY
    assert report.host_data == b"\x07" * 32
    assert report.report_data.startswith(b"nonce")
    assert report.reserved_findings() == ()
    assert report.product is ProductLine.MILAN


def test_a_report_is_signed_by_the_vcek_that_is_certified_under_the_emulated_root() -> None:
    host = Host(SnpGuestState.RUNNING)
    report = host.report()
    vcek = X509Certificate(host.processor.vcek_certificate())
    ask, ark = X509Certificate(ROOT.ask_x509(ProductLine.MILAN)), X509Certificate(ROOT.ark_x509(ProductLine.MILAN))
    assert report.is_signed_by(vcek.public_key())
    assert vcek.is_signed_by(ask)
    assert vcek.names_issuer(ask)
    assert ask.is_signed_by(ark)
    assert ask.names_issuer(ark)
    assert ark.is_signed_by(ark)
    assert ark.is_ca
    assert not vcek.is_ca
    assert all("Emulated" in str(certificate.subject) for certificate in (vcek, ask, ark))
    assert vcek.amd is not None
    assert vcek.amd.hwid == report.chip_id == host.processor.snp_chip_id
    assert vcek.amd.tcb == report.tcb(report.reported_tcb) == PROVISIONAL.committed_tcb
    assert vcek.amd.product is ProductLine.MILAN
    assert not replace(report, report_data=b"\x01" * 64).is_signed_by(vcek.public_key())


def test_a_vceks_certificate_is_signed_once_for_each_tcb() -> None:
    """PSS is salted: a second signature would not have the same bytes."""
    host = Host(SnpGuestState.RUNNING)
    lower = replace(PROVISIONAL.committed_tcb, snp=1)
    first, of_lower = host.processor.vcek_certificate(), host.processor.vcek_certificate(lower)
    assert first != of_lower
    assert host.processor.vcek_certificate() == host.processor.vcek_certificate(PROVISIONAL.committed_tcb) == first
    assert host.processor.vcek_certificate(lower) == of_lower


def test_another_tcb_is_another_vcek() -> None:
    host = Host(SnpGuestState.RUNNING)
    old = X509Certificate(host.processor.vcek_certificate()).public_key()
    host.processor.snp_commit()
    report = host.report()
    assert report.committed_tcb == report.reported_tcb == report.current_tcb == PROVISIONAL.current_tcb.to_int()
    assert not report.is_signed_by(old)
    assert report.is_signed_by(X509Certificate(host.processor.vcek_certificate()).public_key())
    too_new = replace(PROVISIONAL.current_tcb, microcode=0xFF)
    with pytest.raises(InvalidInput):
        host.processor.vcek_certificate(too_new)


def test_set_config_chooses_the_reported_tcb_and_hides_the_chip() -> None:
    host = Host(SnpGuestState.RUNNING)
    lower = replace(PROVISIONAL.committed_tcb, snp=1)
    host.processor.snp_set_config(lower, mask_chip_id=True)
    report = host.report()
    assert report.reported_tcb == lower.to_int()
    assert report.chip_id_is_masked
    assert report.is_signed_by(X509Certificate(host.processor.vcek_certificate(lower)).public_key())
    refused(Status.INVALID_PARAM, lambda: host.processor.snp_set_config(PROVISIONAL.current_tcb))
    host.processor.snp_set_config(mask_chip_key=True)
    masked = host.report(sequence=3)
    assert masked.key_info.signing_key is SigningKey.NONE
    assert not any(masked.signature)
    status = host.processor.snp_platform_status()
    assert (status.mask_chip_id, status.mask_chip_key) == (False, True)
    assert len(status.to_bytes()) == 32


def test_the_root_can_be_kept() -> None:
    again = EmulatedRoot.from_pem(ROOT.to_pem())
    assert again.ark.body() == ROOT.ark.body()
    ark = X509Certificate(ROOT.ark_x509(ProductLine.GENOA))
    assert X509Certificate(again.ask_x509(ProductLine.GENOA)).is_signed_by(ark)
    for damaged in (b"", ROOT.to_pem()[:900], ROOT.to_pem() * 2):
        with pytest.raises(InvalidInput):
            EmulatedRoot.from_pem(damaged)


def test_pages_become_the_guests_and_the_host_cannot_write_them() -> None:
    host = Host(SnpGuestState.RUNNING)
    for spa, gpa in ((IMAGE, GPA), (IMAGE + PAGE, GPA + PAGE), (SECRETS, 0x8000)):
        assert host.rmp.state(spa) is PageState.GUEST_VALID
        assert host.rmp.host_write_fault(spa) is RmpFault.ASSIGNED
        assert host.rmp.guest_fault(ASID, gpa, spa, access=Permission.WRITE) is None
    assert host.rmp.entry(VMSA).vmsa
    assert host.memory.read_private(ASID, IMAGE, 4) == b"\x90" * 4
    assert host.vmpck(0) not in bytes(host.memory.dram)


def test_launch_update_checks_state_and_owner_of_pages() -> None:
    host = Host(SnpGuestState.LAUNCH)
    update = host.processor.snp_launch_update
    refused(Status.INVALID_PAGE_STATE, lambda: update(GCTX, OTHER, PageType.NORMAL))
    host.rmp.rmpupdate(OTHER, assigned=True, asid=ASID)
    refused(Status.INVALID_PAGE_STATE, lambda: update(GCTX, OTHER, PageType.NORMAL))
    host.give(OTHER, 0, asid=2)
    refused(Status.INVALID_PAGE_OWNER, lambda: update(GCTX, OTHER, PageType.NORMAL))
    refused(Status.INVALID_ADDRESS, lambda: update(GCTX, OTHER + 1, PageType.NORMAL))
    refused(Status.INVALID_PARAM, lambda: update(GCTX, OTHER, PageType.NORMAL, count=0))
    host.give(1 << 40, 0)
    refused(Status.INVALID_ADDRESS, lambda: update(GCTX, 1 << 40, PageType.NORMAL))


@pytest.mark.parametrize("kind", [PageType.ZERO, PageType.UNMEASURED, PageType.CPUID])
def test_pages_without_measured_content(kind: PageType) -> None:
    host = Host(SnpGuestState.LAUNCH)
    host.memory.dram[OTHER : OTHER + PAGE] = b"\x55" * PAGE
    host.give(OTHER, GPA)
    host.processor.snp_launch_update(
        GCTX, OTHER, kind, vmpl_permissions=(Permission.READ, Permission.NONE, Permission.NONE)
    )
    expected = SnpLaunchDigest()
    expected.add_page(kind, GPA, vmpl_permissions=(1, 0, 0))
    host.load()
    assert host.memory.read_private(ASID, OTHER, 1) == (b"\x00" if kind is PageType.ZERO else b"\x55")
    assert host.rmp.guest_fault(ASID, GPA, OTHER, vmpl=1, access=Permission.READ) is None
    host.processor.snp_launch_finish(GCTX)
    assert host.report().measurement != expected.digest


def test_zero_pages_are_measured_by_their_address() -> None:
    host = Host(SnpGuestState.LAUNCH)
    host.give(SECRETS, 0x8000)
    host.processor.snp_launch_update(GCTX, SECRETS, PageType.SECRETS)
    host.give(OTHER, GPA)
    host.processor.snp_launch_update(GCTX, OTHER, PageType.ZERO)
    expected = SnpLaunchDigest()
    expected.add_secrets(0x8000)
    expected.add_zero(GPA, PAGE)
    host.processor.snp_launch_finish(GCTX)
    assert host.report().measurement == expected.digest


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (0x10000, Status.INVALID_PARAM),
        (POLICY | 1 << 30, Status.INVALID_PARAM),
        (1 << 17, Status.POLICY_FAILURE),
        (POLICY | 1 << 23, Status.POLICY_FAILURE),
        (POLICY | 1 << 24, Status.POLICY_FAILURE),
        (POLICY | 2 << 8, Status.POLICY_FAILURE),
    ],
)
def test_policies_that_this_platform_cannot_keep(policy: int, status: Status) -> None:
    host = Host(SnpGuestState.INIT)
    refused(status, lambda: host.processor.snp_launch_start(GCTX, policy))
    assert host.processor.snp_guest_status(GCTX).state is SnpGuestState.INIT


def test_id_block_checks_in_the_firmwares_order() -> None:
    host = Host(SnpGuestState.LAUNCH)
    digest = host.load()
    id_key, author = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    good = IdBlock(digest, SnpPolicy(POLICY), b"family".ljust(16), b"image".ljust(16), guest_svn=5)
    auth = IdAuth.sign(good, id_key, author)
    wrong_both = replace(good, launch_digest=bytes(48), policy=SnpPolicy(POLICY | DEBUG))
    wrong_policy = replace(good, policy=SnpPolicy(POLICY | DEBUG))
    uncertified = replace(auth, id_key_signature=bytes(512))

    def finish(block: IdBlock, by: IdAuth, *, author_key: bool = True) -> None:
        host.processor.snp_launch_finish(
            GCTX, id_block=block.to_bytes(), id_auth=by.to_bytes(), author_key_enabled=author_key
        )

    refused(Status.BAD_MEASUREMENT, lambda: finish(wrong_both, auth))
    refused(Status.POLICY_FAILURE, lambda: finish(wrong_policy, auth))
    refused(Status.BAD_SIGNATURE, lambda: finish(replace(good, guest_svn=6), auth))
    refused(Status.BAD_SIGNATURE, lambda: finish(good, uncertified))
    refused(Status.INVALID_PARAM, lambda: host.processor.snp_launch_finish(GCTX, id_block=good.to_bytes()))
    refused(Status.INVALID_PARAM, lambda: host.processor.snp_launch_finish(GCTX, author_key_enabled=True))
    refused(Status.INVALID_PARAM, lambda: host.processor.snp_launch_finish(GCTX, id_block=b"", id_auth=auth.to_bytes()))
    finish(good, auth)
    report = host.report()
    assert (report.guest_svn, report.family_id, report.image_id) == (5, good.family_id, good.image_id)
    assert (report.id_key_digest, report.author_key_digest) == (auth.id_key_digest, auth.author_key_digest)
    assert report.key_info.author_key_enabled


def test_vmpls_ask_for_themselves_and_those_below() -> None:
    host = Host(SnpGuestState.RUNNING)
    assert host.report(vmpl=2).vmpl == 2
    refusal = host.ask(MessageType.REPORT_REQ, report_request(vmpl=0), vmpck=1)
    assert (int.from_bytes(refusal[:4], "little"), len(refusal)) == (Status.INVALID_PARAM, 32)
    vlek = host.ask(MessageType.REPORT_REQ, report_request(selection=2), sequence=3)
    assert int.from_bytes(vlek[:4], "little") == 0x27


def test_messages_are_sealed_and_counted() -> None:
    host = Host(SnpGuestState.RUNNING)
    key = host.vmpck(0)
    send = host.processor.snp_guest_request
    first = seal_message(key, MessageType.REPORT_REQ, report_request(), sequence=1, vmpck=0)
    forged = seal_message(bytes(32), MessageType.REPORT_REQ, report_request(), sequence=1, vmpck=0)
    refused(Status.BAD_MEASUREMENT, lambda: send(GCTX, forged))
    send(GCTX, first)
    refused(Status.INVALID_PARAM, lambda: send(GCTX, first))
    refused(Status.INVALID_PARAM, lambda: send(GCTX, b""))
    refused(Status.INVALID_PARAM, lambda: send(GCTX, first + b"\x00"))
    odd = seal_message(key, MessageType.KEY_REQ, b"short", sequence=3, vmpck=0)
    refused(Status.INVALID_PARAM, lambda: send(GCTX, odd))
    host.report(sequence=3)


@given(position=st.integers(0, 0x60 + 96 - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_message_is_refused(position: int, bit: int) -> None:
    raw = bytearray(RUNNING_REQUEST)
    raw[position] ^= 1 << bit
    with pytest.raises(FirmwareError) as caught:
        RUNNING_HOST.processor.snp_guest_request(GCTX, bytes(raw))
    assert caught.value.status_name in ("INVALID_PARAM", "BAD_MEASUREMENT")


@given(st.binary(max_size=200))
def test_messages_of_any_bytes(data: bytes) -> None:
    with suppress(InvalidInput):
        GuestMessage.parse(data)


RUNNING_HOST = Host(SnpGuestState.RUNNING)
RUNNING_REQUEST = seal_message(RUNNING_HOST.vmpck(0), MessageType.REPORT_REQ, report_request(), sequence=1, vmpck=0)


def test_derived_keys_depend_on_what_was_chosen() -> None:
    host = Host(SnpGuestState.RUNNING)
    committed = PROVISIONAL.committed_tcb.to_int()
    requests = [
        key_request(),
        key_request(root=1),
        key_request(vmpl=1),
        key_request(fields=1 << 3),
        key_request(fields=1 << 5, tcb=committed),
        key_request(fields=1 << 5),
    ]
    answers = [host.ask(MessageType.KEY_REQ, raw, sequence=1 + 2 * n) for n, raw in enumerate(requests)]
    keys = [answer[32:] for answer in answers]
    assert all(len(answer) == 64 and answer[:4] == bytes(4) for answer in answers)
    assert len(set(keys)) == len(keys)
    again = host.ask(MessageType.KEY_REQ, requests[0], sequence=1 + 2 * len(requests))
    assert again[32:] == keys[0]


@pytest.mark.parametrize(
    "payload",
    [
        key_request(root=2),
        key_request(fields=1 << 20),
        key_request(vmpl=4),
        key_request(svn=1),
        key_request(tcb=PROVISIONAL.current_tcb.to_int()),
    ],
)
def test_keys_that_are_not_granted(payload: bytes) -> None:
    answer = Host(SnpGuestState.RUNNING).ask(MessageType.KEY_REQ, payload)
    assert int.from_bytes(answer[:4], "little") == Status.INVALID_PARAM
    assert not any(answer[32:])


def test_asids_of_snp_guests() -> None:
    host = Host(SnpGuestState.INIT)
    host.processor.snp_launch_start(GCTX, POLICY)
    for asid in (0, 3, 5):
        refused(Status.INVALID_ASID, partial(host.processor.snp_activate, GCTX, asid))
    host.processor.snp_activate(GCTX, ASID)
    refused(Status.ACTIVE, lambda: host.processor.snp_activate(GCTX, 2))
    host.rmp.rmpupdate(OTHER, assigned=True, immutable=True)
    host.processor.snp_gctx_create(OTHER)
    host.processor.snp_launch_start(OTHER, POLICY)
    refused(Status.ASID_OWNED, lambda: host.processor.snp_activate(OTHER, ASID))
    host.processor.snp_decommission(GCTX)
    refused(Status.DF_FLUSH_REQUIRED, lambda: host.processor.snp_activate(OTHER, ASID))
    refused(Status.WBINVD_REQUIRED, host.processor.snp_df_flush)
    host.processor.wbinvd()
    host.processor.snp_df_flush()
    host.processor.snp_activate(OTHER, ASID)


def test_context_pages() -> None:
    host = Host(SnpGuestState.INIT)
    assert host.rmp.state(GCTX) is PageState.CONTEXT
    refused(Status.INVALID_PAGE_STATE, lambda: host.processor.snp_gctx_create(GCTX))
    refused(Status.INVALID_PAGE_STATE, lambda: host.processor.snp_gctx_create(OTHER))
    refused(Status.INVALID_ADDRESS, lambda: host.processor.snp_gctx_create(8))
    refused(Status.INVALID_PAGE_STATE, lambda: host.processor.snp_page_reclaim(GCTX))
    refused(Status.INVALID_GUEST, lambda: host.processor.snp_guest_status(OTHER))
    host.processor.snp_decommission(GCTX)
    assert host.rmp.state(GCTX) is PageState.FIRMWARE
    host.processor.snp_page_reclaim(GCTX)
    assert host.rmp.state(GCTX) is PageState.RECLAIM
    host.give(OTHER, 0)
    host.processor.snp_page_reclaim(OTHER)
    assert host.rmp.state(OTHER) is PageState.GUEST_INVALID


def test_debugging_needs_the_debug_policy() -> None:
    closed = Host(SnpGuestState.RUNNING)
    refused(Status.POLICY_FAILURE, lambda: closed.processor.snp_dbg_decrypt(GCTX, IMAGE))
    refused(Status.POLICY_FAILURE, lambda: closed.processor.snp_dbg_encrypt(GCTX, IMAGE, bytes(PAGE)))
    host = Host(SnpGuestState.RUNNING, POLICY | DEBUG)
    assert host.processor.snp_dbg_decrypt(GCTX, IMAGE) == b"\x90" * PAGE
    host.processor.snp_dbg_encrypt(GCTX, IMAGE, b"\xcc" * PAGE)
    assert host.memory.read_private(ASID, IMAGE, 1) == b"\xcc"
    refused(Status.INVALID_PAGE_STATE, lambda: host.processor.snp_dbg_decrypt(GCTX, OTHER))
    refused(Status.INVALID_LENGTH, lambda: host.processor.snp_dbg_encrypt(GCTX, IMAGE, b""))


def test_snp_comes_before_init_and_only_where_there_is_snp() -> None:
    old = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    refused(Status.UNSUPPORTED, old.snp_init)
    refused(Status.UNSUPPORTED, old.snp_platform_status)
    with pytest.raises(InvalidInput):
        old.vcek_certificate()
    late = SecureProcessor(FakeMemory(), model=MODEL, root=ROOT)
    late.platform_init()
    refused(Status.INVALID_PLATFORM_STATE, late.snp_init)
    assert GENOA.snp is not None


def test_shutdown_ends_all_guests() -> None:
    host = Host(SnpGuestState.RUNNING)
    host.processor.snp_shutdown()
    assert host.memory.keys == {}
    assert host.processor.snp_platform_status().guest_count == 0
    assert host.rmp.host_write_fault(IMAGE) is None
