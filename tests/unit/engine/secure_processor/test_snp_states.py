"""SEV-SNP's state tables: every command in every state of platform and guest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from confvm_gui.domain.errors import FirmwareError
from confvm_gui.engine.secure_processor.processor import SecureProcessor
from confvm_gui.engine.secure_processor.snp_states import (
    SNP_GUEST_COMMANDS,
    SNP_PLATFORM_COMMANDS,
    SnpGuestState,
    SnpPlatformState,
)
from confvm_gui.sev.commands import CommandId
from confvm_gui.sev.snp_launch_digest import PageType
from tests.unit.engine.secure_processor.fakes import FakeMemory
from tests.unit.engine.secure_processor.test_snp_firmware import (
    ASID,
    GCTX,
    IMAGE,
    MODEL,
    OTHER,
    PAGE,
    POLICY,
    ROOT,
    Host,
)

COMMANDS: dict[CommandId, Callable[[SecureProcessor], object]] = {
    CommandId.SNP_INIT: lambda p: p.snp_init(),
    CommandId.SNP_SHUTDOWN: lambda p: p.snp_shutdown(),
    CommandId.SNP_PLATFORM_STATUS: lambda p: p.snp_platform_status(),
    CommandId.SNP_DF_FLUSH: lambda p: p.snp_df_flush(),
    CommandId.SNP_CONFIG: lambda p: p.snp_set_config(),
    CommandId.SNP_COMMIT: lambda p: p.snp_commit(),
    CommandId.SNP_GCTX_CREATE: lambda p: p.snp_gctx_create(GCTX),
    CommandId.SNP_ACTIVATE: lambda p: p.snp_activate(GCTX, ASID),
    CommandId.SNP_DECOMMISSION: lambda p: p.snp_decommission(GCTX),
    CommandId.SNP_GUEST_STATUS: lambda p: p.snp_guest_status(GCTX),
    CommandId.SNP_PAGE_RECLAIM: lambda p: p.snp_page_reclaim(GCTX),
    CommandId.SNP_LAUNCH_START: lambda p: p.snp_launch_start(GCTX, POLICY),
    CommandId.SNP_LAUNCH_UPDATE: lambda p: p.snp_launch_update(GCTX, OTHER, PageType.ZERO),
    CommandId.SNP_LAUNCH_FINISH: lambda p: p.snp_launch_finish(GCTX),
    CommandId.SNP_GUEST_REQUEST: lambda p: p.snp_guest_request(GCTX, b""),
    CommandId.SNP_DBG_DECRYPT: lambda p: p.snp_dbg_decrypt(GCTX, IMAGE),
    CommandId.SNP_DBG_ENCRYPT: lambda p: p.snp_dbg_encrypt(GCTX, IMAGE, bytes(PAGE)),
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except FirmwareError as error:
        return error.status_name
    return "SUCCESS"


@pytest.mark.parametrize("state", SnpPlatformState)
@pytest.mark.parametrize("command", COMMANDS)
def test_platform_states(command: CommandId, state: SnpPlatformState) -> None:
    processor = SecureProcessor(FakeMemory(), model=MODEL, root=ROOT)
    if state is SnpPlatformState.INIT:
        processor.snp_init()
    is_refused = outcome(lambda: COMMANDS[command](processor)) == "INVALID_PLATFORM_STATE"
    assert is_refused is (command not in SNP_PLATFORM_COMMANDS[state])


@pytest.mark.parametrize("state", SnpGuestState)
@pytest.mark.parametrize("command", sorted(frozenset.union(*SNP_GUEST_COMMANDS.values())))
def test_guest_states(command: CommandId, state: SnpGuestState) -> None:
    host = Host(state)
    is_refused = outcome(lambda: COMMANDS[command](host.processor)) == "INVALID_GUEST_STATE"
    assert is_refused is (command not in SNP_GUEST_COMMANDS[state])


def test_every_snp_command_is_in_the_tables() -> None:
    assert set(COMMANDS) == frozenset.union(*SNP_PLATFORM_COMMANDS.values())
