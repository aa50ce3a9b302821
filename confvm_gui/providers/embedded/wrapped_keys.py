"""The keys of the instances' disks, each wrapped by a key of a KeyStore: which hold whom, and wrapping them anew."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from confvm_gui.domain.errors import KeyUnavailable, NotFound, StoreCorrupt, Unsupported
from confvm_gui.domain.keys import KeyUse
from confvm_gui.domain.ports.keystore import KeyStore
from confvm_gui.domain.ports.provider import OperationContext
from confvm_gui.engine.finish import finish
from confvm_gui.providers.embedded.definitions import Definition, Definitions
from confvm_gui.providers.embedded.entry import Entry
from confvm_gui.providers.embedded.host_keys import KEY_REF, HostKeyFile

HOSTS_NAME: Final = "the emulated hosts"
"""What stands for an instance's name where the key holds the hosts' own secrets."""


class WrappedKeys:
    """HoldsWrappedKeys, for the embedded provider. It works whether or not the hosts are switched on."""

    _definitions: Definitions
    _key_store: KeyStore
    _host_keys: HostKeyFile
    _entries: Mapping[str, Entry]

    async def key_uses(self) -> Sequence[KeyUse]:
        """Raises StoreCorrupt, StoreError."""
        found, _ = await asyncio.to_thread(self._definitions.load_all)
        uses = await asyncio.to_thread(lambda: [use for each in found for use in self._uses_of(each)])
        hosts = await self._host_keys.key_ref()
        return [*uses, KeyUse("", HOSTS_NAME, hosts, "chip")] if hosts else uses

    async def rewrap(self, instance_id: str, key_ref: str, operation: OperationContext) -> None:
        """Raises NotFound, KeyUnavailable, Unsupported, StoreError. An instance that runs goes on running."""
        if not instance_id:
            if key_ref != KEY_REF:
                raise Unsupported(f"The hosts' own secrets are wrapped by {KEY_REF} and by no other key")
            await self._host_keys.rewrap()
            return
        async with AsyncExitStack() as stack:
            entry = self._entries.get(instance_id)
            if entry is not None:
                await stack.enter_async_context(entry.lock)
            from confvm_gui.engine.guests.records_disk import DiskHeader

            path = self._definitions.disk(instance_id)
            old = DiskHeader.decode(await asyncio.to_thread(_head, path))
            operation.step("unwrap", 0.2, old.key_ref)
            dek = await self._key_store.unwrap(old.key_ref, old.wrapped_dek)
            operation.step("wrap", 0.5, key_ref)
            new = DiskHeader(key_ref, await self._key_store.wrap(key_ref, dek))
            if not hmac.compare_digest(await self._key_store.unwrap(key_ref, new.wrapped_dek), dek):
                raise KeyUnavailable(f"What {key_ref} wrapped it does not unwrap again; the disk stays as it was")
            operation.step("replace header", 0.8)
            await finish(partial(self._definitions.replace_disk_head, instance_id, new.encode()))

    def _uses_of(self, definition: Definition) -> Sequence[KeyUse]:
        from confvm_gui.engine.guests.records_disk import DiskHeader

        try:
            header = DiskHeader.decode(_head(self._definitions.disk(definition.id)))
        except (NotFound, StoreCorrupt):
            return ()  # it has no disk, or one that no key opens any more
        return [KeyUse(definition.id, definition.name, header.key_ref, "disk")]


def _head(path: Path) -> bytes:
    """Raises NotFound, StoreCorrupt."""
    from confvm_gui.engine.guests.records_disk import HEADER_BYTES

    try:
        with path.open("rb") as file:
            return file.read(HEADER_BYTES)
    except FileNotFoundError:
        raise NotFound("This instance has no encrypted disk") from None
    except OSError as error:
        raise StoreCorrupt(f"The disk {path} cannot be read: {error.strerror}") from error
