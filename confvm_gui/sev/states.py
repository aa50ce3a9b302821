"""The two state machines of the SEV firmware: the platform's (55766, section 5.1.2) and a guest's (6.1.1).

The tables say which command is legal in which state; a command that is absent from a machine's table does not
depend on that machine. SNP has machines of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from confvm_gui.sev.commands import CommandId


class PlatformState(IntEnum):
    """STATE of PLATFORM_STATUS."""

    UNINIT = 0
    """Not initialized."""
    INIT = 1
    """Initialized, managing no guest."""
    WORKING = 2
    """Initialized and managing guests."""


class GuestState(IntEnum):
    """GSTATE of GUEST_STATUS."""

    UNINIT = 0
    """No context."""
    LUPDATE = 1
    """Being launched: plaintext is imported and measured."""
    LSECRET = 2
    """Being launched: measured, secrets are imported."""
    RUNNING = 3
    SUPDATE = 4
    """Being migrated out."""
    RUPDATE = 5
    """Being migrated in."""
    SENT = 6


_ANY_GUEST = frozenset({CommandId.ACTIVATE, CommandId.DEACTIVATE, CommandId.DECOMMISSION, CommandId.GUEST_STATUS})

_INITIALIZED = frozenset(
    {
        CommandId.SHUTDOWN,
        CommandId.PLATFORM_STATUS,
        CommandId.PDH_GEN,
        CommandId.PDH_CERT_EXPORT,
        CommandId.DF_FLUSH,
        CommandId.GET_ID,
    }
)

PLATFORM_COMMANDS: Mapping[PlatformState, frozenset[CommandId]] = MappingProxyType(
    {
        PlatformState.UNINIT: frozenset(
            {
                CommandId.INIT,
                CommandId.INIT_EX,
                CommandId.PLATFORM_RESET,
                CommandId.PLATFORM_STATUS,
                CommandId.DOWNLOAD_FIRMWARE,
                CommandId.GET_ID,
            }
        ),
        PlatformState.INIT: _INITIALIZED | {CommandId.PEK_GEN, CommandId.PEK_CSR, CommandId.PEK_CERT_IMPORT},
        PlatformState.WORKING: _INITIALIZED,
    }
)
"""Platform commands that are legal in each platform state."""

_DEBUGGING = frozenset({CommandId.DBG_DECRYPT, CommandId.DBG_ENCRYPT, CommandId.COPY})
"""The specification leaves their states open; they are legal here while there is memory to work on."""

GUEST_COMMANDS: Mapping[GuestState, frozenset[CommandId]] = MappingProxyType(
    {
        GuestState.UNINIT: frozenset({CommandId.LAUNCH_START, CommandId.RECEIVE_START}),
        GuestState.LUPDATE: _ANY_GUEST
        | _DEBUGGING
        | {CommandId.LAUNCH_UPDATE_DATA, CommandId.LAUNCH_UPDATE_VMSA, CommandId.LAUNCH_MEASURE},
        # ATTESTATION is younger than the state tables that this follows; the launch digest that it reports is
        # final from LAUNCH_MEASURE on, so it is legal from there.
        GuestState.LSECRET: _ANY_GUEST
        | _DEBUGGING
        | {CommandId.LAUNCH_SECRET, CommandId.LAUNCH_FINISH, CommandId.ATTESTATION},
        GuestState.RUNNING: _ANY_GUEST | _DEBUGGING | {CommandId.SEND_START, CommandId.ATTESTATION},
        GuestState.SUPDATE: _ANY_GUEST
        | _DEBUGGING
        | {CommandId.SEND_UPDATE_DATA, CommandId.SEND_UPDATE_VMSA, CommandId.SEND_FINISH, CommandId.SEND_CANCEL},
        GuestState.RUPDATE: _ANY_GUEST
        | _DEBUGGING
        | {CommandId.RECEIVE_UPDATE_DATA, CommandId.RECEIVE_UPDATE_VMSA, CommandId.RECEIVE_FINISH},
        GuestState.SENT: _ANY_GUEST,
    }
)
"""Guest commands that are legal in each guest state. All need the platform to be INIT or WORKING."""


def platform_states_for(command: CommandId) -> frozenset[PlatformState]:
    """Platform states in which `command` is legal. Guest commands: whenever the platform is initialized."""
    states = frozenset(state for state, legal in PLATFORM_COMMANDS.items() if command in legal)
    return states or frozenset({PlatformState.INIT, PlatformState.WORKING})


def guest_states_for(command: CommandId) -> frozenset[GuestState]:
    """Guest states in which `command` is legal; empty for a command that names no guest."""
    return frozenset(state for state, legal in GUEST_COMMANDS.items() if command in legal)
