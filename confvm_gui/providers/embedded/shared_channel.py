"""Carrying what owners of shared data sealed to a running SNP guest's key, and the key for asking it.

The console that does so is the host's: it learns neither. Only where it is also the console of the owner who asks does
it have that owner's key for the mailbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from confvm_gui.domain.errors import EvidenceRefused, NotFound, Unsupported, WrongState
from confvm_gui.providers.embedded.definitions import Definition
from confvm_gui.providers.embedded.entry import Entry

if TYPE_CHECKING:
    from confvm_gui.engine.guests.attestation_page import ShareStatus
    from confvm_gui.providers.embedded.launch import PoweredOn

# By number: `ShareStatus` is loaded with the engine.
_REFUSED: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "was not sealed to this guest's key: it is for another launch, or was altered",
        2: "is not for the agreement of the others, or not for this disk",
        3: "is there with those of the others, and together they do not open the data sets: one of them is false",
    }
)


class SharedChannel:
    """HasSecretChannel, for the embedded provider."""

    _entries: Mapping[str, Entry]

    def secret_channel_unfit(self, instance_id: str) -> str:
        """Raises NotFound."""
        entry = self._entries.get(instance_id)
        if entry is None:
            raise NotFound("This instance does not exist any more")
        name, powered = entry.instance.name, entry.powered
        if powered is None:
            return f"{name} is {entry.instance.state.value}: secrets are released to a running guest"
        if powered.channel is None:
            return (
                f"{name} is not an SEV-SNP guest: only such a guest has a key of its own, named by its evidence while "
                "it runs, to which a secret can be sealed; under SEV and SEV-ES secrets go in at the launch"
            )
        if not powered.shared:
            return f"{name} does not work on shared data: its keys went in at its launch"
        return ""

    async def hand_over(self, instance_id: str, sealed: Sequence[bytes], mailbox_key: bytes) -> None:
        reason = self.secret_channel_unfit(instance_id)
        entry = self._entries[instance_id]
        powered = entry.powered
        if powered is None:
            raise WrongState(reason)
        if reason or powered.channel is None:
            raise Unsupported(reason)
        for number, share in enumerate(sealed, start=1):
            status = await powered.channel.give_share(share)
            if status:
                raise _refusal(status, number, len(sealed))
        if mailbox_key:
            await asyncio.to_thread(_open_mailbox, powered, mailbox_key)


def why_silent(definition: Definition, powered: PoweredOn) -> str:
    """Why an instance without a mailbox answers no questions."""
    if powered.shared:
        return "The owners of the data have not released them yet to this guest, or another of them is who may ask it"
    runs = "a kernel of the image library" if definition.runs_image else "the heartbeat guest"
    return f"This instance runs {runs}, which has no records to ask about"


def _refusal(status: ShareStatus, number: int, count: int) -> EvidenceRefused:
    return EvidenceRefused(
        f"The guest took nothing: release {number} of {count} {_REFUSED[status]}; ask the owners for new ones",
        record_id="",
    )


def _open_mailbox(powered: PoweredOn, key: bytes) -> None:
    from confvm_gui.engine.guests.mailbox import MailboxKey
    from confvm_gui.providers.embedded.queries import Mailbox

    powered.mailbox = Mailbox(powered.placement, MailboxKey(key))
