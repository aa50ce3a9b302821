"""The serial console of a real machine: what SeaBIOS writes there."""

from __future__ import annotations

import asyncio

import pytest

from confvm_gui.domain.errors import NotFound, WrongState
from tests.support.libvirt_rig import define, provider_at
from tests.support.libvirtd import Daemon
from tests.support.operations import OperationRecord
from tests.support.patience import until

BIOS = b"SeaBIOS"


async def test_output_from_the_first_line_on_input_and_another_power_on(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        console = provider.console(instance_id)
        assert console.writable
        with pytest.raises(WrongState):
            await console.write(b"x")
        await provider.start(instance_id, OperationRecord(instance_id))
        await until(lambda: BIOS in console.scrollback())
        await console.write(b"typed")
        await provider.stop(instance_id, OperationRecord(instance_id))
        with pytest.raises(WrongState):
            await console.write(b"x")
        await provider.start(instance_id, OperationRecord(instance_id))
        await until(lambda: console.scrollback().count(BIOS) == 2)
        assert console.written >= len(console.scrollback())
        so_far = console.written
        (sample,) = await provider.sample([instance_id])
        assert so_far <= sample.console_bytes <= console.written


async def test_a_stream_gives_the_scrollback_first_and_ends_with_the_instance(libvirtd: Daemon) -> None:
    async with provider_at(libvirtd.uri) as provider:
        instance_id = await define(provider)
        await provider.start(instance_id, OperationRecord(instance_id))
        console = provider.console(instance_id)
        await until(lambda: BIOS in console.scrollback())

        async def whole() -> bytes:
            return b"".join([data async for data in console.stream()])

        streams = [asyncio.ensure_future(whole()) for _ in range(2)]
        await asyncio.sleep(0)
        await provider.delete(instance_id, OperationRecord(instance_id))
        for stream in streams:
            assert BIOS in await stream
        assert await whole() == console.scrollback()
        with pytest.raises(NotFound):
            provider.console(instance_id)


async def test_it_is_opened_again_after_the_daemon_was_restarted(own_libvirtd: Daemon) -> None:
    async with provider_at(own_libvirtd.uri) as provider:
        instance_id = await define(provider)
        console = provider.console(instance_id)
        await provider.start(instance_id, OperationRecord(instance_id))
        await until(lambda: BIOS in console.scrollback())
        own_libvirtd.kill()
        await until(lambda: not provider.connection.connected)
        assert not console.attached
        own_libvirtd.start_libvirtd()
        await provider.connect()
        await until(lambda: console.attached or bool(console.trouble))
        assert console.trouble == ""
        await provider.reset(instance_id, OperationRecord(instance_id))
        await until(lambda: console.scrollback().count(BIOS) == 2)
