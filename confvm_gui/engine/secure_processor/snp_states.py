"""The two state machines of SEV-SNP (56860): the platform's and a guest's, and which command is legal where."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from confvm_gui.sev.commands import CommandId


class SnpPlatformState(IntEnum):
    """STATE of SNP_PLATFORM_STATUS."""

    UNINIT = 0
    INIT = 1


class SnpGuestState(IntEnum):
    """STATE of SNP_GUEST_STATUS."""

    INIT = 0
    """There is a context, and nothing else."""
    LAUNCH = 1
    RUNNING = 2


SNP_PLATFORM_COMMANDS: Final[Mapping[SnpPlatformState, frozenset[CommandId]]] = MappingProxyType(
    {
        SnpPlatformState.UNINIT: frozenset({CommandId.SNP_INIT, CommandId.SNP_PLATFORM_STATUS}),
        SnpPlatformState.INIT: frozenset(
            {
                CommandId.SNP_SHUTDOWN,
                CommandId.SNP_PLATFORM_STATUS,
                CommandId.SNP_DF_FLUSH,
                CommandId.SNP_CONFIG,
                CommandId.SNP_COMMIT,
                CommandId.SNP_GCTX_CREATE,
                CommandId.SNP_ACTIVATE,
                CommandId.SNP_DECOMMISSION,
                CommandId.SNP_GUEST_STATUS,
                CommandId.SNP_PAGE_RECLAIM,
                CommandId.SNP_LAUNCH_START,
                CommandId.SNP_LAUNCH_UPDATE,
                CommandId.SNP_LAUNCH_FINISH,
                CommandId.SNP_GUEST_REQUEST,
                CommandId.SNP_DBG_DECRYPT,
                CommandId.SNP_DBG_ENCRYPT,
            }
        ),
    }
)
"""Commands that are legal in each platform state."""

_ANY_GUEST = frozenset({CommandId.SNP_DECOMMISSION, CommandId.SNP_GUEST_STATUS})

SNP_GUEST_COMMANDS: Final[Mapping[SnpGuestState, frozenset[CommandId]]] = MappingProxyType(
    {
        SnpGuestState.INIT: _ANY_GUEST | {CommandId.SNP_LAUNCH_START},
        SnpGuestState.LAUNCH: _ANY_GUEST
        | {CommandId.SNP_ACTIVATE, CommandId.SNP_LAUNCH_UPDATE, CommandId.SNP_LAUNCH_FINISH},
        SnpGuestState.RUNNING: _ANY_GUEST
        | {
            CommandId.SNP_ACTIVATE,
            CommandId.SNP_GUEST_REQUEST,
            CommandId.SNP_DBG_DECRYPT,
            CommandId.SNP_DBG_ENCRYPT,
        },
    }
)
"""Guest commands that are legal in each guest state."""
