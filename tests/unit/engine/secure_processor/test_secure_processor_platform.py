"""Platform commands: states, owner, keys and chains."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.engine.secure_processor.emulated_root import KEY_ID_PREFIX, EmulatedRoot
from confvm_gui.engine.secure_processor.model import GENOA, MILAN
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.platform_buffers import PlatformStatus
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import PLATFORM_COMMANDS, PlatformState
from confvm_gui.sev.status import WORDING, Status
from tests.unit.engine.secure_processor.fakes import SMALL, FakeMemory, brought_up

ROOT = EmulatedRoot(bits=2048)
"""Shared: its keys are made once for all tests."""

COMMANDS: dict[CommandId, Callable[[SecureProcessor], object]] = {
    CommandId.INIT: lambda p: p.platform_init(),
    CommandId.SHUTDOWN: lambda p: p.platform_shutdown(),
    CommandId.PLATFORM_RESET: lambda p: p.platform_reset(),
    CommandId.PLATFORM_STATUS: lambda p: p.platform_status(),
    CommandId.PEK_GEN: lambda p: p.pek_gen(),
    CommandId.PEK_CSR: lambda p: p.pek_csr(),
    CommandId.PEK_CERT_IMPORT: lambda p: p.pek_cert_import(*owner_certificates(p)),
    CommandId.PDH_GEN: lambda p: p.pdh_gen(),
    CommandId.PDH_CERT_EXPORT: lambda p: p.pdh_cert_export(chain=False),
    CommandId.DF_FLUSH: lambda p: p.df_flush(),
    CommandId.GET_ID: lambda p: p.get_id(),
}


def owner_certificates(processor: SecureProcessor) -> tuple[bytes, bytes]:
    """An owner's answer to PEK_CSR; a blank where there is no CSR to be had."""
    key = ec.generate_private_key(ec.SECP384R1())
    oca = SevCertificate.unsigned(Usage.OCA, key.public_key(), algorithm=Algorithm.ECDSA_SHA256).signed(key, Usage.OCA)
    if processor.platform_status().state is not PlatformState.INIT:
        return bytes(SEV_CERTIFICATE_SIZE), oca.to_bytes()
    pek = SevCertificate.parse(processor.pek_csr()).signed(key, Usage.OCA)
    return pek.to_bytes(), oca.to_bytes()


def in_state(state: PlatformState) -> SecureProcessor:
    memory = FakeMemory()
    if state is PlatformState.UNINIT:
        return SecureProcessor(memory, model=SMALL, root=ROOT)
    processor = brought_up(memory)
    if state is PlatformState.WORKING:
        processor.launch_start(0)
    return processor


def chain_of(processor: SecureProcessor) -> tuple[SevCertificate, ...]:
    """PDH, PEK, OCA, CEK."""
    export = processor.pdh_cert_export()
    chain = [export.chain[n : n + SEV_CERTIFICATE_SIZE] for n in range(0, len(export.chain), SEV_CERTIFICATE_SIZE)]
    return tuple(SevCertificate.parse(raw) for raw in (export.pdh, *chain))


@pytest.mark.parametrize("state", PlatformState)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_legal_where_the_specification_says(command: CommandId, state: PlatformState) -> None:
    processor = in_state(state)
    assert processor.platform_status().state is state
    if command in PLATFORM_COMMANDS[state]:
        COMMANDS[command](processor)
        return
    with pytest.raises(FirmwareError) as caught:
        COMMANDS[command](processor)
    assert caught.value.command == command.name
    assert caught.value.status == Status.INVALID_PLATFORM_STATE
    assert caught.value.status_name == "INVALID_PLATFORM_STATE"
    assert "The platform state is invalid for this command" in caught.value.message
    assert state.name in caught.value.message
    assert processor.platform_status().state is state


def test_guest_commands_need_an_initialized_platform() -> None:
    processor = in_state(PlatformState.UNINIT)
    for attempt in (lambda: processor.launch_start(0), lambda: processor.guest_status(1)):
        with pytest.raises(FirmwareError) as caught:
            attempt()
        assert caught.value.status_name == "INVALID_PLATFORM_STATE"


def test_platform_works_while_it_has_guests() -> None:
    processor = in_state(PlatformState.INIT)
    first, second = processor.launch_start(0), processor.launch_start(0)
    status = processor.platform_status()
    assert (status.state, status.guest_count) == (PlatformState.WORKING, 2)
    assert PlatformStatus.parse(status.to_bytes()) == status
    processor.decommission(first)
    assert processor.platform_status().state is PlatformState.WORKING
    processor.decommission(second)
    assert processor.platform_status().state is PlatformState.INIT


def test_shutdown_takes_guests_and_keys_away() -> None:
    memory = FakeMemory()
    processor = brought_up(memory)
    handle = processor.launch_start(0)
    processor.activate(handle, 3)
    assert memory.keys
    processor.platform_shutdown()
    assert not memory.keys
    assert processor.platform_status().guest_count == 0
    processor.platform_init()
    with pytest.raises(FirmwareError) as caught:
        processor.guest_status(handle)
    assert caught.value.status_name == "INVALID_GUEST"


def test_pdh_needs_no_chain_and_no_root() -> None:
    root = EmulatedRoot()
    processor = SecureProcessor(FakeMemory(), model=SMALL, root=root)
    processor.platform_init()
    export = processor.pdh_cert_export(chain=False)
    assert export.chain == b""
    assert SevCertificate.parse(export.pdh).ecdh_key()


def test_chain_verifies_up_to_the_emulated_root() -> None:
    processor = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    processor.platform_init()
    pdh, pek, oca, cek = chain_of(processor)
    assert pdh.is_signed_by(pek)
    assert pek.is_signed_by(cek)
    assert pek.is_signed_by(oca)
    assert oca.is_signed_by(oca)
    assert cek.is_signed_by(ROOT.ask)
    assert ROOT.ask.is_signed_by(ROOT.ark)
    assert ROOT.ark.is_signed_by(ROOT.ark)
    assert ROOT.ask.names_issuer(ROOT.ark)
    assert ROOT.ark.key_id.startswith(KEY_ID_PREFIX)
    assert ROOT.ask.key_id.startswith(b"EMULATED")
    assert chain_of(processor)[3] == cek


def test_each_processor_is_a_chip_of_its_own() -> None:
    one, other = (SecureProcessor(FakeMemory(), model=SMALL, root=ROOT) for _ in range(2))
    for processor in (one, other):
        processor.platform_init()
    assert len(one.get_id()) == 64
    assert one.get_id() != other.get_id()
    assert not chain_of(one)[1].is_signed_by(chain_of(other)[3])


def test_owner_takes_the_platform_and_gives_it_back() -> None:
    processor = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    processor.platform_init()
    before = chain_of(processor)
    pek_cert, oca_cert = owner_certificates(processor)
    processor.pek_cert_import(pek_cert, oca_cert)
    assert processor.platform_status().externally_owned
    pdh, pek, oca, cek = chain_of(processor)
    assert oca.to_bytes() == oca_cert
    assert pek.is_signed_by(oca)
    assert pek.is_signed_by(cek)
    assert pdh.is_signed_by(pek)
    assert pdh != before[0]
    with pytest.raises(FirmwareError) as caught:
        processor.pek_cert_import(pek_cert, oca_cert)
    assert caught.value.status_name == "ALREADY_OWNED"
    processor.pek_gen()
    assert not processor.platform_status().externally_owned
    assert chain_of(processor)[1] != pek


def test_reset_forgets_the_owner_but_not_the_chip() -> None:
    processor = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    processor.platform_init()
    cek, chip = chain_of(processor)[3], processor.get_id()
    processor.pek_cert_import(*owner_certificates(processor))
    processor.platform_shutdown()
    assert processor.platform_status().externally_owned
    processor.platform_reset()
    assert not processor.platform_status().externally_owned
    processor.platform_init()
    assert (chain_of(processor)[3], processor.get_id()) == (cek, chip)


def test_bad_owner_certificates_change_nothing() -> None:
    processor = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    processor.platform_init()
    before = chain_of(processor)
    pek, oca = owner_certificates(processor)
    _, stranger = owner_certificates(processor)
    other = SecureProcessor(FakeMemory(), model=SMALL, root=ROOT)
    other.platform_init()
    elsewhere, elsewhere_oca = owner_certificates(other)
    attempts = (
        (pek[:-1], oca, Status.INVALID_LENGTH),
        (bytes(2084), oca, Status.INVALID_CERTIFICATE),
        (oca, pek, Status.INVALID_CERTIFICATE),
        (elsewhere, elsewhere_oca, Status.INVALID_CERTIFICATE),
        (processor.pek_csr(), oca, Status.BAD_SIGNATURE),
        (pek, stranger, Status.BAD_SIGNATURE),
    )
    for pek_cert, oca_cert, status in attempts:
        with pytest.raises(FirmwareError) as caught:
            processor.pek_cert_import(pek_cert, oca_cert)
        assert caught.value.status_name == status.name
    assert chain_of(processor) == before


def test_csr_has_no_signatures() -> None:
    csr = SevCertificate.parse(in_state(PlatformState.INIT).pek_csr())
    assert csr.usage is Usage.PEK
    assert all(slot.usage is Usage.INVALID for slot in csr.signatures)
    assert (csr.api_major, csr.api_minor) == (1, 55)


def test_new_pdh_is_another_key() -> None:
    processor = in_state(PlatformState.WORKING)
    before = processor.pdh_cert_export(chain=False).pdh
    processor.pdh_gen()
    assert processor.pdh_cert_export(chain=False).pdh != before


def test_models_have_their_published_figures() -> None:
    assert (MILAN.asid_count, GENOA.asid_count) == (509, 1006)
    assert MILAN.c_bit == GENOA.c_bit == 51
    assert SecureProcessor(FakeMemory()).model is MILAN


def test_every_status_has_its_wording() -> None:
    assert set(WORDING) == set(Status)
    assert all(status.wording and not status.wording.endswith(".") for status in Status)


def test_processor_does_not_leave_its_process() -> None:
    processor = in_state(PlatformState.WORKING)
    assert repr(processor) == "<SecureProcessor (emulated Small), WORKING, 1 guests>"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(processor)
