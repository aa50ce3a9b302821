"""SEND and RECEIVE between two emulated platforms."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.send_commands import SendStart
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.sev_certificate import SevCertificate
from confvm_gui.sev.states import GUEST_COMMANDS, GuestState
from confvm_gui.sev.status import Status
from tests.unit.engine.secure_processor.fakes import FakeMemory, brought_up

NODBG, NOKS, ES, NOSEND, DOMAIN, SEV = (1 << bit for bit in range(6))
ROOT = EmulatedRoot(bits=2048)
RECORDS_AT = 0x2000
RECORDS = bytes(range(256)) * 32
VMSA_AT = 0x8000
VMSA = bytes(4080) + b"registers of cpu"


def refused(status: Status, attempt: Callable[[], object]) -> FirmwareError:
    with pytest.raises(FirmwareError) as caught:
        attempt()
    assert caught.value.status_name == status.name
    return caught.value


class Host:
    """A platform with its memory."""

    def __init__(self, root: EmulatedRoot = ROOT) -> None:
        self.memory = FakeMemory()
        self.processor = brought_up(self.memory, es=True, root=root)

    @property
    def pdh(self) -> bytes:
        return self.processor.pdh_cert_export(chain=False).pdh

    @property
    def chain(self) -> bytes:
        return self.processor.pdh_cert_export().chain

    def running(self, policy: int) -> int:
        """A guest that runs, its records in memory and, with ES, a VMSA."""
        handle = self.processor.launch_start(policy)
        asid = 1 if policy & ES else 3
        self.processor.activate(handle, asid)
        if policy & ES:
            self.memory.dram[VMSA_AT : VMSA_AT + 4096] = VMSA
            self.processor.launch_update_vmsa(handle, VMSA_AT)
        self.processor.launch_measure(handle)
        self.processor.launch_finish(handle)
        self.memory.write_private(asid, RECORDS_AT, RECORDS)
        return handle

    def owned_by(self, key: ec.EllipticCurvePrivateKey) -> Host:
        oca = SevCertificate.unsigned(Usage.OCA, key.public_key(), algorithm=Algorithm.ECDSA_SHA256)
        pek = SevCertificate.parse(self.processor.pek_csr()).signed(key, Usage.OCA)
        self.processor.pek_cert_import(pek.to_bytes(), oca.signed(key, Usage.OCA).to_bytes())
        return self


def amd(root: EmulatedRoot = ROOT) -> bytes:
    return root.ask.to_bytes() + root.ark.to_bytes()


def send_start(source: Host, handle: int, target: Host) -> SendStart:
    return source.processor.send_start(handle, target.pdh, target.chain, amd())


@pytest.mark.parametrize("policy", [0, NODBG | NOKS | SEV, ES | NODBG | SEV])
def test_a_guest_moves_with_its_memory_and_registers(policy: int) -> None:
    source, target = Host(), Host()
    es = bool(policy & ES)
    handle = source.running(policy)
    start = send_start(source, handle, target)
    assert start.policy == policy
    there = target.processor.receive_start(start.policy, source.pdh, start.session)
    assert target.processor.guest_status(there).state is GuestState.RUPDATE
    asid = 2 if es else 4
    target.processor.activate(there, asid)
    for offset in range(0, len(RECORDS), 4096):
        packet = source.processor.send_update_data(handle, RECORDS_AT + offset, 4096)
        assert RECORDS[offset : offset + 32] not in packet.payload
        target.processor.receive_update_data(there, *packet, spa=0x4000 + offset)
    if es:
        target.processor.receive_update_vmsa(there, *source.processor.send_update_vmsa(handle, VMSA_AT), spa=0x1000)
        assert target.memory.read_private(asid, 0x1000, 4096) == VMSA
    source.processor.send_finish(handle)
    target.processor.receive_finish(there)
    assert target.memory.read_private(asid, 0x4000, len(RECORDS)) == RECORDS
    status = target.processor.guest_status(there)
    assert (status.state, status.policy.to_int()) == (GuestState.RUNNING, policy)
    assert source.processor.guest_status(handle).state is GuestState.SENT
    source.processor.deactivate(handle)
    source.processor.decommission(handle)
    refused(Status.INVALID_GUEST_STATE, lambda: target.processor.attestation(there, bytes(16)))


def test_a_received_guest_can_be_sent_on() -> None:
    hosts = [Host(), Host(), Host()]
    handle, asid, spa = hosts[0].running(0), 3, RECORDS_AT
    for source, target in pairwise(hosts):
        start = send_start(source, handle, target)
        there = target.processor.receive_start(start.policy, source.pdh, start.session)
        target.processor.activate(there, asid)
        packet = source.processor.send_update_data(handle, spa, 4096)
        target.processor.receive_update_data(there, *packet, spa=spa)
        source.processor.send_finish(handle)
        target.processor.receive_finish(there)
        handle = there
    assert hosts[2].memory.read_private(asid, spa, 4096) == RECORDS[:4096]


def test_nosend_stays() -> None:
    source, target = Host(), Host()
    handle = source.running(NOSEND)
    error = refused(Status.POLICY_FAILURE, lambda: send_start(source, handle, target))
    assert "NOSEND" in error.message
    assert source.processor.guest_status(handle).state is GuestState.RUNNING


def test_without_sev_and_domain_any_key_will_do() -> None:
    source, target = Host(), Host()
    handle = source.running(0)
    assert source.processor.send_start(handle, target.pdh).policy == 0


@pytest.mark.parametrize("policy", [SEV, DOMAIN])
def test_sev_and_domain_ask_who_the_target_is(policy: int) -> None:
    source, target = Host(), Host()
    handle = source.running(policy)
    refused(Status.INVALID_CERTIFICATE, lambda: source.processor.send_start(handle, target.pdh))


def test_sev_needs_a_target_under_the_same_root() -> None:
    source = Host()
    other = EmulatedRoot(bits=2048)
    target = Host(other)
    handle = source.running(SEV)
    start = source.processor.send_start
    refused(Status.INVALID_CERTIFICATE, lambda: start(handle, target.pdh, target.chain, amd(other)))
    refused(Status.BAD_SIGNATURE, lambda: start(handle, target.pdh, target.chain, amd()))
    refused(Status.INVALID_CERTIFICATE, lambda: start(handle, target.pdh, target.chain, b""))
    refused(Status.INVALID_CERTIFICATE, lambda: start(handle, target.pdh, target.chain, amd() + b"more"))


def test_a_pdh_that_the_chain_does_not_sign_is_refused() -> None:
    source, target, third = Host(), Host(), Host()
    handle = source.running(SEV)
    attempt = source.processor.send_start
    refused(Status.BAD_SIGNATURE, lambda: attempt(handle, third.pdh, target.chain, amd()))
    chain = target.chain
    refused(Status.INVALID_CERTIFICATE, lambda: attempt(handle, target.pdh, chain[2084:] + chain[:2084], amd()))
    refused(Status.INVALID_LENGTH, lambda: attempt(handle, target.pdh, chain[1:], amd()))
    refused(Status.INVALID_LENGTH, lambda: attempt(handle, b"", chain, amd()))


def test_domain_needs_the_same_owner() -> None:
    owner = ec.generate_private_key(ec.SECP384R1())
    source, stranger, sibling = Host().owned_by(owner), Host(), Host().owned_by(owner)
    handle = source.running(DOMAIN)
    refused(Status.POLICY_FAILURE, lambda: send_start(source, handle, stranger))
    assert send_start(source, handle, sibling).policy == DOMAIN


def test_the_targets_firmware_must_be_recent_enough() -> None:
    source, target = Host(), Host()
    handle = source.running(1 << 16 | 55 << 24)
    old = SevCertificate.parse(target.pdh)
    key = SevCertificate.unsigned(Usage.PDH, old.ecdh_key(), algorithm=Algorithm.ECDH_SHA256, api_major=1, api_minor=54)
    refused(Status.POLICY_FAILURE, lambda: source.processor.send_start(handle, key.to_bytes()))


def test_a_session_is_for_one_platform_and_one_policy() -> None:
    source, target, thief = Host(), Host(), Host()
    handle = source.running(SEV)
    start = send_start(source, handle, target)
    for processor, policy in ((thief.processor, SEV), (target.processor, 0)):
        with pytest.raises(FirmwareError) as caught:
            processor.receive_start(policy, source.pdh, start.session)
        assert caught.value.status_name == "BAD_MEASUREMENT"
    wrong = thief.pdh
    refused(Status.BAD_MEASUREMENT, lambda: target.processor.receive_start(SEV, wrong, start.session))
    refused(Status.INVALID_LENGTH, lambda: target.processor.receive_start(SEV, wrong, b""))
    refused(Status.INVALID_PARAM, lambda: target.processor.receive_start(0x40, source.pdh, start.session))


def test_cancel_leaves_the_guest_running_and_the_target_with_nothing_new() -> None:
    source, target = Host(), Host()
    handle = source.running(0)
    start = send_start(source, handle, target)
    there = target.processor.receive_start(start.policy, source.pdh, start.session)
    target.processor.activate(there, 3)
    source.processor.send_cancel(handle)
    assert source.processor.guest_status(handle).state is GuestState.RUNNING
    send_start(source, handle, target)
    packet = source.processor.send_update_data(handle, RECORDS_AT, 16)
    refused(Status.BAD_MEASUREMENT, lambda: target.processor.receive_update_data(there, *packet, spa=0))


@pytest.fixture(scope="module")
def pair() -> tuple[Host, int, Host, int]:
    """A SEV-ES guest that is on its way."""
    source, target = Host(), Host()
    handle = source.running(ES)
    start = send_start(source, handle, target)
    there = target.processor.receive_start(start.policy, source.pdh, start.session)
    target.processor.activate(there, 1)
    return source, handle, target, there


def test_a_page_of_data_is_no_vmsa(pair: tuple[Host, int, Host, int]) -> None:
    source, handle, target, there = pair
    data = source.processor.send_update_data(handle, RECORDS_AT, 4096)
    refused(Status.BAD_MEASUREMENT, lambda: target.processor.receive_update_vmsa(there, *data, spa=0))
    vmsa = source.processor.send_update_vmsa(handle, VMSA_AT)
    refused(Status.BAD_MEASUREMENT, lambda: target.processor.receive_update_data(there, *vmsa, spa=0))
    refused(Status.INVALID_ADDRESS, lambda: source.processor.send_update_vmsa(handle, 0))


@given(position=st.integers(0, 52 + 64 - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_is_refused(pair: tuple[Host, int, Host, int], position: int, bit: int) -> None:
    source, handle, target, there = pair
    packet = source.processor.send_update_data(handle, RECORDS_AT, 64)
    raw = bytearray(packet.header + packet.payload)
    raw[position] ^= 1 << bit
    before = bytes(target.memory.dram)
    with pytest.raises(FirmwareError) as caught:
        target.processor.receive_update_data(there, bytes(raw[:52]), bytes(raw[52:]), spa=0)
    assert caught.value.status_name in ("BAD_MEASUREMENT", "INVALID_PARAM", "UNSUPPORTED")
    assert bytes(target.memory.dram) == before


def test_lengths_and_addresses(pair: tuple[Host, int, Host, int]) -> None:
    source, handle, target, there = pair
    send = source.processor.send_update_data
    refused(Status.INVALID_LENGTH, lambda: send(handle, 0, 17))
    refused(Status.INVALID_LENGTH, lambda: send(handle, 0, 0x4010))
    refused(Status.INVALID_ADDRESS, lambda: send(handle, 8, 16))
    refused(Status.INVALID_ADDRESS, lambda: send(handle, 1 << 40, 16))
    packet = send(handle, 0, 16)
    receive = target.processor.receive_update_data
    refused(Status.INVALID_LENGTH, lambda: receive(there, b"", packet.payload, spa=0))
    refused(Status.INVALID_LENGTH, lambda: receive(there, packet.header, b"", spa=0))
    refused(Status.INVALID_ADDRESS, lambda: receive(there, *packet, spa=1 << 40))


SENDING: dict[CommandId, Callable[[SecureProcessor, int, Host], object]] = {
    CommandId.SEND_START: lambda p, h, other: p.send_start(h, other.pdh),
    CommandId.SEND_UPDATE_DATA: lambda p, h, _: p.send_update_data(h, 0, 16),
    CommandId.SEND_UPDATE_VMSA: lambda p, h, _: p.send_update_vmsa(h, VMSA_AT),
    CommandId.SEND_FINISH: lambda p, h, _: p.send_finish(h),
    CommandId.SEND_CANCEL: lambda p, h, _: p.send_cancel(h),
    CommandId.RECEIVE_UPDATE_DATA: lambda p, h, _: p.receive_update_data(h, bytes(52), bytes(16), spa=0),
    CommandId.RECEIVE_UPDATE_VMSA: lambda p, h, _: p.receive_update_vmsa(h, bytes(52), bytes(4096), spa=0),
    CommandId.RECEIVE_FINISH: lambda p, h, _: p.receive_finish(h),
}


@pytest.mark.parametrize("state", [state for state in GuestState if state is not GuestState.UNINIT])
@pytest.mark.parametrize("command", SENDING)
def test_every_command_is_legal_where_the_table_says(command: CommandId, state: GuestState) -> None:
    host, other = Host(), Host()
    handle = guest_in(state, host, other)
    assert host.processor.guest_status(handle).state is state
    if command in GUEST_COMMANDS[state]:
        if command in (CommandId.RECEIVE_UPDATE_DATA, CommandId.RECEIVE_UPDATE_VMSA):
            # A blank packet is refused for what it is and not for the state.
            refused(Status.BAD_MEASUREMENT, lambda: SENDING[command](host.processor, handle, other))
        else:
            SENDING[command](host.processor, handle, other)
        return
    refused(Status.INVALID_GUEST_STATE, lambda: SENDING[command](host.processor, handle, other))


def guest_in(state: GuestState, host: Host, other: Host) -> int:
    if state in (GuestState.LUPDATE, GuestState.LSECRET):
        handle = host.processor.launch_start(ES)
        if state is GuestState.LSECRET:
            host.processor.launch_measure(handle)
        host.processor.activate(handle, 2)
        return handle
    if state is GuestState.RUPDATE:
        there = other.running(ES)
        start = other.processor.send_start(there, host.pdh)
        handle = host.processor.receive_start(start.policy, other.pdh, start.session)
        host.processor.activate(handle, 2)
        return handle
    handle = host.running(ES)
    if state is not GuestState.RUNNING:
        host.processor.send_start(handle, other.pdh)
    if state is GuestState.SENT:
        host.processor.send_finish(handle)
    return handle
