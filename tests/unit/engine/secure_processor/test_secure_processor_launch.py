"""A launch from LAUNCH_START to LAUNCH_FINISH, and everything that can be wrong on the way."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.engine.secure_processor.emulated_root import EmulatedRoot
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.volume_key import VolumeKey
from confvm_gui.sev.attestation_report import AttestationReport
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.guest_owner import GuestOwner
from confvm_gui.sev.key_usage import Algorithm, Usage
from confvm_gui.sev.measurement import launch_digest
from confvm_gui.sev.secret_packet import PACKET_HEADER_SIZE
from confvm_gui.sev.secret_table import DISK_KEY_GUID, SecretEntry, build_secret_table, parse_secret_table
from confvm_gui.sev.sev_certificate import SEV_CERTIFICATE_SIZE, SevCertificate
from confvm_gui.sev.states import GUEST_COMMANDS, GuestState, PlatformState
from confvm_gui.sev.status import Status
from tests.unit.engine.secure_processor.fakes import SMALL, FakeMemory, brought_up

IMAGE = bytes(range(256)) * 16
IMAGE_AT = 0x1000
SECRET_AT = 0x8000
ASID = 3


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def processor(memory: FakeMemory) -> SecureProcessor:
    return brought_up(memory)


def owner_for(processor: SecureProcessor, policy: int = 1) -> GuestOwner:
    return GuestOwner.for_platform(processor.pdh_cert_export(chain=False).pdh, policy)


def accept(processor: SecureProcessor, owner: GuestOwner, blob: bytes, image: bytes = IMAGE) -> None:
    version = processor.platform_status().version
    owner.check_measurement(
        blob,
        api_major=version.api_major,
        api_minor=version.api_minor,
        build=version.build,
        launch_digest=launch_digest([image]),
    )


def refused(status: Status, attempt: Callable[[], object]) -> FirmwareError:
    with pytest.raises(FirmwareError) as caught:
        attempt()
    error = caught.value
    assert (error.status, error.status_name) == (status.value, status.name)
    assert error.message.startswith(f"{error.command}: {status.wording}; ")
    return error


def guest_in(state: GuestState, processor: SecureProcessor) -> int:
    """A guest that is active on ASID and was brought to `state`."""
    handle = processor.launch_start(0)
    processor.activate(handle, ASID)
    if state is not GuestState.LUPDATE:
        processor.launch_measure(handle)
    if state is GuestState.RUNNING:
        processor.launch_finish(handle)
    return handle


@given(dh_cert=st.binary(max_size=16) | st.binary(min_size=2084, max_size=2084), session=st.binary(max_size=200))
def test_arbitrary_launch_input_is_refused_and_leaves_no_guest(dh_cert: bytes, session: bytes) -> None:
    processor = brought_up(FakeMemory())
    with pytest.raises(FirmwareError):
        processor.launch_start(1, dh_cert, session)
    assert processor.platform_status().guest_count == 0


def test_whole_launch(memory: FakeMemory, processor: SecureProcessor) -> None:
    memory.dram[IMAGE_AT : IMAGE_AT + len(IMAGE)] = IMAGE
    owner = owner_for(processor)
    handle = processor.launch_start(1, owner.dh_cert, owner.session)
    assert processor.guest_status(handle).state is GuestState.LUPDATE
    processor.activate(handle, ASID)
    processor.launch_update_data(handle, IMAGE_AT, len(IMAGE))
    assert memory.dram[IMAGE_AT : IMAGE_AT + len(IMAGE)] != IMAGE
    assert memory.read_private(ASID, IMAGE_AT, len(IMAGE)) == IMAGE
    blob = processor.launch_measure(handle)
    assert processor.guest_status(handle).state is GuestState.LSECRET
    accept(processor, owner, blob)
    table = build_secret_table([SecretEntry(DISK_KEY_GUID, b"k" * 64)])
    header, payload = owner.secret_packet(table, blob)
    processor.launch_secret(handle, header, payload, spa=SECRET_AT)
    (entry,) = parse_secret_table(memory.read_private(ASID, SECRET_AT, len(table)))
    assert (entry.guid, entry.data) == (DISK_KEY_GUID, b"k" * 64)
    processor.launch_finish(handle)
    status = processor.guest_status(handle)
    assert (status.state, status.asid, status.policy.to_int()) == (GuestState.RUNNING, ASID, 1)
    processor.deactivate(handle)
    assert not memory.keys
    processor.decommission(handle)
    assert processor.platform_status().state is PlatformState.INIT


GUEST_CALLS: dict[CommandId, Callable[[SecureProcessor, int], object]] = {
    CommandId.ACTIVATE: lambda p, handle: p.activate(handle, 4),
    CommandId.DEACTIVATE: lambda p, handle: p.deactivate(handle),
    CommandId.DECOMMISSION: lambda p, handle: p.decommission(handle),
    CommandId.GUEST_STATUS: lambda p, handle: p.guest_status(handle),
    CommandId.LAUNCH_UPDATE_DATA: lambda p, handle: p.launch_update_data(handle, 0, 16),
    CommandId.LAUNCH_MEASURE: lambda p, handle: p.launch_measure(handle),
    CommandId.LAUNCH_SECRET: lambda p, handle: p.launch_secret(handle, bytes(52), bytes(16), spa=0),
    CommandId.LAUNCH_FINISH: lambda p, handle: p.launch_finish(handle),
    CommandId.ATTESTATION: lambda p, handle: p.attestation(handle, bytes(16)),
}


@pytest.mark.parametrize("state", [GuestState.LUPDATE, GuestState.LSECRET, GuestState.RUNNING])
@pytest.mark.parametrize("command", GUEST_CALLS)
def test_every_command_is_legal_where_the_specification_says(
    command: CommandId, state: GuestState, processor: SecureProcessor
) -> None:
    handle = guest_in(state, processor)
    try:
        GUEST_CALLS[command](processor, handle)
    except FirmwareError as error:
        refused_for_its_state = error.status == Status.INVALID_GUEST_STATE
    else:
        refused_for_its_state = False
    assert refused_for_its_state is (command not in GUEST_COMMANDS[state])


@pytest.mark.parametrize("command", GUEST_CALLS)
def test_unknown_handle(command: CommandId, processor: SecureProcessor) -> None:
    processor.launch_start(0)
    error = refused(Status.INVALID_GUEST, lambda: GUEST_CALLS[command](processor, 77))
    assert error.command == command.name


def test_handles_are_not_reused(processor: SecureProcessor) -> None:
    first = processor.launch_start(0)
    processor.decommission(first)
    assert processor.launch_start(0) != first


class TestLaunchStart:
    def test_policy(self, processor: SecureProcessor) -> None:
        refused(Status.INVALID_PARAM, lambda: processor.launch_start(0x40))
        refused(Status.INVALID_PARAM, lambda: processor.launch_start(1 << 32))
        newer = 2 << 16
        assert "2.0" in refused(Status.POLICY_FAILURE, lambda: processor.launch_start(newer)).message
        assert processor.launch_start(55 << 24 | 1 << 16)

    def test_es_needs_a_platform_with_es(self, memory: FakeMemory, processor: SecureProcessor) -> None:
        refused(Status.POLICY_FAILURE, lambda: processor.launch_start(4))
        assert brought_up(memory, es=True).launch_start(4)

    def test_session_and_certificate_belong_together(self, processor: SecureProcessor) -> None:
        owner = owner_for(processor)
        refused(Status.INVALID_PARAM, lambda: processor.launch_start(1, owner.dh_cert))
        refused(Status.INVALID_PARAM, lambda: processor.launch_start(1, None, owner.session))
        refused(Status.INVALID_LENGTH, lambda: processor.launch_start(1, owner.dh_cert[:-1], owner.session))
        refused(Status.INVALID_LENGTH, lambda: processor.launch_start(1, owner.dh_cert, owner.session + b"x"))

    def test_certificate_must_be_one(self, processor: SecureProcessor) -> None:
        owner = owner_for(processor)
        refused(Status.INVALID_CERTIFICATE, lambda: processor.launch_start(1, bytes(2084), owner.session))
        off_curve = bytearray(owner.dh_cert)
        off_curve[0x20] ^= 1
        refused(Status.INVALID_CERTIFICATE, lambda: processor.launch_start(1, bytes(off_curve), owner.session))

    def test_certificate_on_another_curve(self, processor: SecureProcessor) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = SevCertificate.unsigned(Usage.PDH, key.public_key(), algorithm=Algorithm.ECDH_SHA256)
        error = refused(
            Status.INVALID_CERTIFICATE, lambda: processor.launch_start(1, certificate.to_bytes(), bytes(128))
        )
        assert "P-384" in error.message

    def test_session_of_another_platform_policy_or_owner(self, processor: SecureProcessor) -> None:
        owner, other = owner_for(processor), owner_for(brought_up(FakeMemory()))
        refused(Status.BAD_MEASUREMENT, lambda: processor.launch_start(1, other.dh_cert, other.session))
        refused(Status.BAD_MEASUREMENT, lambda: processor.launch_start(0, owner.dh_cert, owner.session))
        refused(Status.BAD_MEASUREMENT, lambda: processor.launch_start(1, owner.dh_cert, other.session))
        assert processor.platform_status().state is PlatformState.INIT

    def test_session_does_not_outlive_its_pdh(self, processor: SecureProcessor) -> None:
        owner = owner_for(processor)
        processor.pdh_gen()
        refused(Status.BAD_MEASUREMENT, lambda: processor.launch_start(1, owner.dh_cert, owner.session))

    def test_guest_contexts_are_limited(self) -> None:
        processor = SecureProcessor(FakeMemory(), model=SMALL, guest_limit=2)
        processor.platform_init()
        first = processor.launch_start(0)
        processor.launch_start(0)
        refused(Status.RESOURCE_LIMIT, lambda: processor.launch_start(0))
        processor.decommission(first)
        assert processor.launch_start(0)

    def test_every_guest_has_a_key_of_its_own_unless_shared(
        self, memory: FakeMemory, processor: SecureProcessor
    ) -> None:
        first = processor.launch_start(0)
        second = processor.launch_start(0, share_key_with=first)
        processor.activate(first, 3)
        processor.activate(second, 4)
        assert memory.keys[3] == memory.keys[4]
        processor.deactivate(first)
        processor.decommission(first)
        third = processor.launch_start(0)
        processor.wbinvd()
        processor.df_flush()
        processor.activate(third, 3)
        assert memory.keys[3] != memory.keys[4]

    def test_noks_forbids_sharing(self, processor: SecureProcessor) -> None:
        alone, open_guest = processor.launch_start(2), processor.launch_start(0)
        refused(Status.POLICY_FAILURE, lambda: processor.launch_start(0, share_key_with=alone))
        refused(Status.POLICY_FAILURE, lambda: processor.launch_start(2, share_key_with=open_guest))
        refused(Status.INVALID_GUEST, lambda: processor.launch_start(0, share_key_with=99))


class TestUpdateAndMeasure:
    def test_update_needs_an_active_guest(self, processor: SecureProcessor) -> None:
        handle = processor.launch_start(0)
        refused(Status.INACTIVE, lambda: processor.launch_update_data(handle, 0, 16))

    @pytest.mark.parametrize(
        ("spa", "length", "status"),
        [
            (8, 16, Status.INVALID_ADDRESS),
            (-16, 16, Status.INVALID_ADDRESS),
            (64 * 1024, 16, Status.INVALID_ADDRESS),
            (0, 0, Status.INVALID_LENGTH),
            (0, -16, Status.INVALID_LENGTH),
            (0, 24, Status.INVALID_LENGTH),
        ],
    )
    def test_blocks_of_sixteen(self, processor: SecureProcessor, spa: int, length: int, status: Status) -> None:
        handle = guest_in(GuestState.LUPDATE, processor)
        refused(status, lambda: processor.launch_update_data(handle, spa, length))

    def test_refused_update_is_not_measured(self, memory: FakeMemory, processor: SecureProcessor) -> None:
        memory.dram[IMAGE_AT : IMAGE_AT + len(IMAGE)] = IMAGE
        owner = owner_for(processor)
        handle = processor.launch_start(1, owner.dh_cert, owner.session)
        processor.activate(handle, ASID)
        refused(Status.INVALID_ADDRESS, lambda: processor.launch_update_data(handle, 64 * 1024, 16))
        processor.launch_update_data(handle, IMAGE_AT, len(IMAGE))
        accept(processor, owner, processor.launch_measure(handle))

    def test_digest_is_of_plaintext_in_order_of_the_calls(self, memory: FakeMemory, processor: SecureProcessor) -> None:
        parts = [IMAGE[:64], IMAGE[64:96], IMAGE[96:]]
        owner = owner_for(processor)
        handle = processor.launch_start(1, owner.dh_cert, owner.session)
        processor.activate(handle, ASID)
        # Where the parts lie does not matter: SEV hashes no addresses.
        for part, at in zip(parts, (0x9000, 0x0, 0x4000), strict=True):
            memory.dram[at : at + len(part)] = part
            processor.launch_update_data(handle, at, len(part))
        accept(processor, owner, processor.launch_measure(handle))

    def test_launch_without_owner_runs(self, processor: SecureProcessor) -> None:
        handle = guest_in(GuestState.RUNNING, processor)
        assert processor.guest_status(handle).state is GuestState.RUNNING


class TestSecret:
    @pytest.fixture
    def measured(self, processor: SecureProcessor) -> tuple[int, bytes, bytes]:
        """A guest in LSECRET and a packet for it."""
        owner = owner_for(processor)
        handle = processor.launch_start(1, owner.dh_cert, owner.session)
        processor.activate(handle, ASID)
        blob = processor.launch_measure(handle)
        accept(processor, owner, blob, image=b"")
        header, payload = owner.secret_packet(b"s" * 32, blob)
        return handle, header, payload

    def test_lengths_and_addresses(self, processor: SecureProcessor, measured: tuple[int, bytes, bytes]) -> None:
        handle, header, payload = measured
        attempts: list[tuple[Status, bytes, bytes, int, int | None]] = [
            (Status.INVALID_LENGTH, header[:-1], payload, 0, None),
            (Status.INVALID_LENGTH, header, payload[:-1], 0, None),
            (Status.INVALID_LENGTH, header, b"", 0, None),
            (Status.INVALID_LENGTH, header, bytes(16 * 1024 + 16), 0, None),
            (Status.INVALID_LENGTH, header, payload, 0, 48),
            (Status.INVALID_ADDRESS, header, payload, 8, None),
            (Status.INVALID_ADDRESS, header, payload, 64 * 1024, None),
            (Status.INVALID_PARAM, b"\x02" + header[1:], payload, 0, None),
            (Status.UNSUPPORTED, b"\x01" + header[1:], payload, 0, None),
        ]
        for status, raw_header, raw_payload, spa, length in attempts:
            attempt = partial(processor.launch_secret, handle, raw_header, raw_payload, spa=spa, guest_length=length)
            refused(status, attempt)
        processor.launch_secret(handle, header, payload, spa=SECRET_AT)

    @given(
        header=st.binary(min_size=PACKET_HEADER_SIZE - 4, max_size=PACKET_HEADER_SIZE - 4),
        payload=st.binary(min_size=16, max_size=16),
    )
    def test_no_forged_packet_gets_in(self, header: bytes, payload: bytes) -> None:
        memory = FakeMemory()
        processor = brought_up(memory)
        handle = guest_in(GuestState.LSECRET, processor)
        before = bytes(memory.dram)
        refused(
            Status.BAD_MEASUREMENT,
            lambda: processor.launch_secret(handle, bytes(4) + header, payload, spa=SECRET_AT),
        )
        assert memory.dram == before

    def test_packet_of_another_launch(self, processor: SecureProcessor, measured: tuple[int, bytes, bytes]) -> None:
        _, header, payload = measured
        other = processor.launch_start(0)
        processor.activate(other, 4)
        processor.launch_measure(other)
        refused(Status.BAD_MEASUREMENT, lambda: processor.launch_secret(other, header, payload, spa=SECRET_AT))

    def test_inactive_guest(self, processor: SecureProcessor, measured: tuple[int, bytes, bytes]) -> None:
        handle, header, payload = measured
        processor.deactivate(handle)
        refused(Status.INACTIVE, lambda: processor.launch_secret(handle, header, payload, spa=SECRET_AT))


class TestAsids:
    def test_ranges(self, memory: FakeMemory) -> None:
        processor = brought_up(memory, es=True)
        plain, encrypted_state = processor.launch_start(0), processor.launch_start(4)
        for asid in (-1, 0, 1, 2, 5):
            refused(Status.INVALID_ASID, partial(processor.activate, plain, asid))
        for asid in (0, 3, 4):
            refused(Status.INVALID_ASID, partial(processor.activate, encrypted_state, asid))
        processor.activate(plain, 3)
        processor.activate(encrypted_state, 2)

    def test_one_guest_one_asid(self, processor: SecureProcessor) -> None:
        first, second = processor.launch_start(0), processor.launch_start(0)
        processor.activate(first, 3)
        assert "guest 1" in refused(Status.ASID_OWNED, lambda: processor.activate(second, 3)).message
        refused(Status.ACTIVE, lambda: processor.activate(first, 4))
        refused(Status.ACTIVE, lambda: processor.decommission(first))
        refused(Status.INACTIVE, lambda: processor.deactivate(second))

    def test_used_asid_needs_wbinvd_then_df_flush(self, processor: SecureProcessor) -> None:
        handle = processor.launch_start(0)
        processor.activate(handle, 3)
        processor.deactivate(handle)
        refused(Status.DF_FLUSH_REQUIRED, lambda: processor.activate(handle, 3))
        refused(Status.WBINVD_REQUIRED, processor.df_flush)
        processor.wbinvd()
        refused(Status.DF_FLUSH_REQUIRED, lambda: processor.activate(handle, 3))
        # An ASID that was released after the WBINVD takes part in the next one only.
        other = processor.launch_start(0)
        processor.activate(other, 4)
        processor.deactivate(other)
        refused(Status.WBINVD_REQUIRED, processor.df_flush)
        processor.wbinvd()
        processor.df_flush()
        processor.activate(handle, 3)
        processor.activate(other, 4)

    def test_flush_leaves_active_guests_alone(self, memory: FakeMemory, processor: SecureProcessor) -> None:
        handle = guest_in(GuestState.RUNNING, processor)
        processor.wbinvd()
        processor.df_flush()
        assert processor.guest_status(handle).asid == ASID
        assert ASID in memory.keys

    def test_first_guest_after_init_needs_both_flushes(self, memory: FakeMemory) -> None:
        processor = SecureProcessor(memory, model=SMALL)
        processor.platform_init()
        handle = processor.launch_start(0)
        refused(Status.DF_FLUSH_REQUIRED, lambda: processor.activate(handle, 3))
        refused(Status.WBINVD_REQUIRED, processor.df_flush)


def test_attestation_reports_digest_and_policy(memory: FakeMemory) -> None:
    processor = brought_up(memory, root=EmulatedRoot(bits=2048))
    memory.dram[: len(IMAGE)] = IMAGE
    handle = processor.launch_start(1)
    processor.activate(handle, ASID)
    processor.launch_update_data(handle, 0, len(IMAGE))
    processor.launch_measure(handle)
    report = AttestationReport.parse(processor.attestation(handle, b"n" * 16))
    pek = SevCertificate.parse(processor.pdh_cert_export().chain[:SEV_CERTIFICATE_SIZE])
    assert (report.mnonce, report.launch_digest) == (b"n" * 16, launch_digest([IMAGE]))
    assert report.policy.to_int() == 1
    assert report.is_signed_by(pek)
    assert not AttestationReport(b"m" * 16, report.launch_digest, report.policy, report.signature).is_signed_by(pek)
    refused(Status.INVALID_LENGTH, lambda: processor.attestation(handle, b"short"))


def test_keys_do_not_show(memory: FakeMemory, processor: SecureProcessor) -> None:
    owner = owner_for(processor)
    handle = processor.launch_start(1, owner.dh_cert, owner.session)
    processor.activate(handle, ASID)
    key = memory.keys[ASID]
    forms = (key.hex(), repr(key)[2:-1])
    context = processor._guests[handle]
    shown = [repr(processor), repr(context), repr(context.vek), repr(context.keys), str(vars(processor))]
    error = refused(Status.INVALID_ASID, lambda: processor.activate(processor.launch_start(0), 99))
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown.append("".join(report.format()))
    shown.append(pickle.dumps(error).decode("latin-1"))
    assert not [text for text in shown for form in forms if form in text]
    for secret in (context, context.vek, context.keys):
        with pytest.raises(TypeError):
            pickle.dumps(secret)
        with pytest.raises(TypeError):
            copy.deepcopy(secret)
    assert len(VolumeKey.generate().cipher_key()) == 16


def test_decommissioned_keys_are_destroyed(processor: SecureProcessor) -> None:
    handle = processor.launch_start(0)
    context = processor._guests[handle]
    vek, keys = context.vek, context.keys
    processor.decommission(handle)
    assert not any((vek._material, keys.tek._material, keys.tik._material))
