"""SEV-ES, debugging, COPY and INIT_EX."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from confvm_gui.domain.errors import FirmwareError, InvalidInput
from confvm_gui.engine.secure_processor.chip_secret import ChipSecret
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.identity import NV_SIZE
from confvm_gui.engine.secure_processor.model import GENOA
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.guest_owner import GuestOwner
from confvm_gui.sev.measurement import launch_digest
from confvm_gui.sev.sev_certificate import SevCertificate
from confvm_gui.sev.states import GuestState, PlatformState, guest_states_for
from confvm_gui.sev.status import Status
from tests.unit.engine.secure_processor.fakes import SMALL, FakeMemory, brought_up

ES = 0x4
NODBG = 0x1
PAGE = 4096
VMSA_AT = 0x3000
VMSA = bytes(range(256)) * 16


def refused(status: Status, attempt: Callable[[], object]) -> FirmwareError:
    with pytest.raises(FirmwareError) as caught:
        attempt()
    assert caught.value.status_name == status.name
    return caught.value


@pytest.fixture
def memory() -> FakeMemory:
    memory = FakeMemory()
    memory.dram[VMSA_AT : VMSA_AT + PAGE] = VMSA
    return memory


@pytest.fixture
def processor(memory: FakeMemory) -> SecureProcessor:
    return brought_up(memory, es=True)


def test_a_launch_with_vmsas_is_measured_in_the_order_of_the_calls(
    memory: FakeMemory, processor: SecureProcessor
) -> None:
    owner = GuestOwner.for_platform(processor.pdh_cert_export(chain=False).pdh, ES | NODBG)
    handle = processor.launch_start(ES | NODBG, owner.dh_cert, owner.session)
    processor.activate(handle, 1)
    image = bytes(memory.dram[:PAGE])
    processor.launch_update_data(handle, 0, PAGE)
    processor.launch_update_vmsa(handle, VMSA_AT)
    assert bytes(memory.dram[VMSA_AT : VMSA_AT + PAGE]) != VMSA
    assert memory.read_private(1, VMSA_AT, PAGE) == VMSA
    blob = processor.launch_measure(handle)
    version = processor.platform_status().version
    owner.check_measurement(
        blob,
        api_major=version.api_major,
        api_minor=version.api_minor,
        build=version.build,
        launch_digest=launch_digest([image, VMSA]),
    )


def test_es_policy_needs_a_platform_with_es(memory: FakeMemory) -> None:
    refused(Status.POLICY_FAILURE, lambda: brought_up(memory).launch_start(ES))


def test_a_vmsa_needs_an_es_guest(processor: SecureProcessor) -> None:
    handle = processor.launch_start(0)
    processor.activate(handle, 3)
    refused(Status.POLICY_FAILURE, lambda: processor.launch_update_vmsa(handle, VMSA_AT))


@pytest.mark.parametrize(
    ("spa", "length", "status"),
    [
        (VMSA_AT + 16, PAGE, Status.INVALID_ADDRESS),
        (-PAGE, PAGE, Status.INVALID_ADDRESS),
        (1 << 40, PAGE, Status.INVALID_ADDRESS),
        (VMSA_AT, 16, Status.INVALID_LENGTH),
        (VMSA_AT, 2 * PAGE, Status.INVALID_LENGTH),
    ],
)
def test_a_vmsa_is_one_page(processor: SecureProcessor, spa: int, length: int, status: Status) -> None:
    handle = processor.launch_start(ES)
    processor.activate(handle, 2)
    refused(status, lambda: processor.launch_update_vmsa(handle, spa, length))


def test_a_vmsa_needs_an_active_guest_in_lupdate(processor: SecureProcessor) -> None:
    handle = processor.launch_start(ES)
    refused(Status.INACTIVE, lambda: processor.launch_update_vmsa(handle, VMSA_AT))
    processor.activate(handle, 1)
    processor.launch_measure(handle)
    refused(Status.INVALID_GUEST_STATE, lambda: processor.launch_update_vmsa(handle, VMSA_AT))


@pytest.mark.parametrize(
    ("policy", "asid", "legal"),
    [(ES, 0, False), (ES, 1, True), (ES, 2, True), (ES, 3, False), (0, 2, False), (0, 3, True), (0, 5, False)],
)
def test_asids_are_split_between_sev_es_and_sev(
    processor: SecureProcessor, policy: int, asid: int, legal: bool
) -> None:
    handle = processor.launch_start(policy)
    if legal:
        processor.activate(handle, asid)
        assert processor.guest_status(handle).asid == asid
    else:
        refused(Status.INVALID_ASID, lambda: processor.activate(handle, asid))


def test_a_host_sets_asids_apart() -> None:
    model = GENOA.with_es_asids(252)
    assert model.min_sev_asid == 253
    assert model.serves(252, es=True)
    assert not model.serves(252, es=False)
    assert model.serves(1006, es=False)
    with pytest.raises(InvalidInput):
        GENOA.with_es_asids(1007)


def test_debugging_reads_and_writes_what_the_guest_sees(memory: FakeMemory, processor: SecureProcessor) -> None:
    handle = processor.launch_start(0)
    processor.activate(handle, 3)
    memory.write_private(3, 0x100, b"a guest's secret")
    assert processor.dbg_decrypt(handle, 0x100, 16) == b"a guest's secret"
    processor.dbg_encrypt(handle, 0x110, b"the host's words")
    assert memory.read_private(3, 0x110, 16) == b"the host's words"


def test_nodbg_refuses_the_debugger(memory: FakeMemory, processor: SecureProcessor) -> None:
    handle = processor.launch_start(NODBG)
    processor.activate(handle, 3)
    before = bytes(memory.dram)
    error = refused(Status.POLICY_FAILURE, lambda: processor.dbg_decrypt(handle, 0, 16))
    assert "NODBG" in error.message
    refused(Status.POLICY_FAILURE, lambda: processor.dbg_encrypt(handle, 0, bytes(16)))
    assert bytes(memory.dram) == before


def test_copy_needs_no_debug_policy(memory: FakeMemory, processor: SecureProcessor) -> None:
    handle = processor.launch_start(NODBG)
    refused(Status.INACTIVE, lambda: processor.copy(handle, 0, 0x200, 32))
    processor.activate(handle, 3)
    memory.write_private(3, 0x100, bytes(range(32)))
    processor.copy(handle, 0x100, 0x200, 32)
    assert memory.read_private(3, 0x200, 32) == bytes(range(32))


@pytest.mark.parametrize("spa", [1, -16, 1 << 40])
def test_debugger_and_copy_check_addresses(processor: SecureProcessor, spa: int) -> None:
    handle = processor.launch_start(0)
    processor.activate(handle, 3)
    refused(Status.INVALID_ADDRESS, lambda: processor.dbg_decrypt(handle, spa, 16))
    refused(Status.INVALID_ADDRESS, lambda: processor.dbg_encrypt(handle, spa, bytes(16)))
    refused(Status.INVALID_ADDRESS, lambda: processor.copy(handle, spa, 0, 16))
    refused(Status.INVALID_ADDRESS, lambda: processor.copy(handle, 0, spa, 16))
    refused(Status.INVALID_LENGTH, lambda: processor.dbg_decrypt(handle, 0, 15))
    refused(Status.INVALID_LENGTH, lambda: processor.copy(handle, 0, 16, 0))


def test_debugger_needs_a_guest(processor: SecureProcessor) -> None:
    refused(Status.INVALID_GUEST, lambda: processor.dbg_decrypt(9, 0, 16))
    assert {GuestState.UNINIT, GuestState.SENT} == set(GuestState) - guest_states_for(CommandId.DBG_DECRYPT)


def platform(chip: ChipSecret, memory: FakeMemory | None = None) -> SecureProcessor:
    return SecureProcessor(memory or FakeMemory(), model=SMALL, root=EmulatedRoot(2048), chip=chip)


def test_the_same_secret_is_the_same_chip() -> None:
    material = ChipSecret.generate().reveal()
    first, second = platform(ChipSecret(material)), platform(ChipSecret(material))
    assert first.get_id() == second.get_id()
    assert platform(ChipSecret.generate()).get_id() != first.get_id()
    assert material.hex() not in repr(ChipSecret(material))


def test_init_ex_keeps_the_platforms_keys() -> None:
    chip = ChipSecret.generate()
    nv = bytearray(b"\xff" * NV_SIZE)
    first = platform(ChipSecret(chip.reveal()))
    first.platform_init_ex(nv, es=True)
    assert first.platform_status().es_enabled
    first.pdh_gen()
    pdh = first.pdh_cert_export(chain=False).pdh
    first.platform_shutdown()
    second = platform(chip)
    second.platform_init_ex(nv)
    assert second.pdh_cert_export(chain=False).pdh == pdh
    pek, oca, cek = chain_of(second)
    assert SevCertificate.parse(pdh).is_signed_by(pek)
    assert pek.is_signed_by(oca)
    assert pek.is_signed_by(cek)
    # The key is there and not its certificate alone: a session for it opens.
    owner = GuestOwner.for_platform(pdh, 0)
    second.launch_start(0, owner.dh_cert, owner.session)


def chain_of(processor: SecureProcessor) -> tuple[SevCertificate, ...]:
    chain = processor.pdh_cert_export().chain
    return tuple(SevCertificate.parse(chain[n : n + 2084]) for n in range(0, len(chain), 2084))


def test_changes_after_shutdown_are_not_kept() -> None:
    chip = ChipSecret.generate()
    nv = bytearray(b"\xff" * NV_SIZE)
    processor = platform(chip)
    processor.platform_init_ex(nv)
    processor.platform_shutdown()
    kept = bytes(nv)
    processor.platform_init()
    processor.pek_gen()
    assert bytes(nv) == kept


@pytest.mark.parametrize("damage", [0, 9, 30, 4000])
def test_init_ex_refuses_what_this_chip_did_not_write(damage: int) -> None:
    nv = bytearray(b"\xff" * NV_SIZE)
    chip = ChipSecret.generate()
    processor = platform(chip)
    processor.platform_init_ex(nv)
    pdh = processor.pdh_cert_export(chain=False).pdh
    processor.platform_shutdown()
    refused(Status.SECURE_DATA_INVALID, lambda: platform(ChipSecret.generate()).platform_init_ex(bytearray(nv)))
    broken = bytearray(nv)
    broken[damage] ^= 1
    refused(Status.SECURE_DATA_INVALID, lambda: processor.platform_init_ex(broken))
    refused(Status.INVALID_LENGTH, lambda: processor.platform_init_ex(bytearray(16)))
    assert processor.platform_status().state is PlatformState.UNINIT
    processor.platform_init()
    assert processor.pdh_cert_export(chain=False).pdh == pdh
