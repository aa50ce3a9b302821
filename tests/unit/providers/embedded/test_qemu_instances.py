"""A real Linux under QEMU as an embedded instance: measured, released after approval, ciphertext to its host."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from confvm_gui.domain.attestation import EvidenceFormat
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.errors import EvidenceRefused, InvalidInput, OperationCancelled, Unsupported, WrongState
from confvm_gui.domain.images import ImageDownload, ImageFiles, ImageKind, ImageState, LibraryImage, SeedSpec
from confvm_gui.domain.instance import Instance, InstanceState, LaunchRequest, Trust
from confvm_gui.domain.memory import PageKind, Viewer
from confvm_gui.domain.ports.memory_source import WritableMemory
from confvm_gui.engine.memory_controller.controller import GuestRange
from confvm_gui.engine.qemu.linux_boot import KERNEL_GPA
from confvm_gui.providers.embedded.provider import EmbeddedProvider
from tests.support.embedded_rig import (
    Hosts,
    SpyKeyStore,
    catalog,
    embedded,
    host_keys,
    launch_request,
    listed,
    ram,
)
from tests.support.linux_kernel import COMMAND_LINE, initramfs, kernel_path
from tests.support.operations import OperationRecord

MARKER = "the lighthouse keeper's ledger"
# The marker stands in no measured byte: init puts it together.
SCRIPT = """
part=keeper
text="the lighthouse $part's ledger"
for at in $(seq 200); do echo "$text $at"; done > /tmp/ledger
echo ready-$((6 * 7))
while read line; do
    case "$line" in
        end) reboot -f ;;
        *) echo "heard <$line>" ;;
    esac
done
"""


class OneKernel:
    """domain.ports.image_library.ImageLibrary with one kernel and its initrd."""

    def __init__(self, folder: Path, script: str = SCRIPT) -> None:
        self.kernel, self.initrd = folder / "vmlinuz", folder / "initrd"
        folder.mkdir(parents=True)
        shutil.copy(kernel_path(), self.kernel)
        self.initrd.write_bytes(initramfs(script))

    def images(self) -> Sequence[LibraryImage]:
        return (
            LibraryImage(
                "linux", "Linux", ImageKind.KERNEL, ImageState.READY, 1, 0, "", 0.0, "", command_line=COMMAND_LINE
            ),
        )

    def subscribe(self, changed: Callable[[LibraryImage], None]) -> Callable[[], None]:
        return lambda: None

    async def add_disk(self, path: Path, image_id: str, title: str = "") -> LibraryImage:
        raise NotImplementedError

    async def add_kernel(
        self, kernel: Path, initrd: Path | None, image_id: str, *, command_line: str = "", title: str = ""
    ) -> LibraryImage:
        raise NotImplementedError

    async def download(self, download: ImageDownload, image_id: str, title: str = "") -> LibraryImage:
        raise NotImplementedError

    async def cancel(self, image_id: str) -> None: ...

    async def remove(self, image_id: str) -> None: ...

    async def files(self, image_id: str) -> ImageFiles:
        return ImageFiles(None, self.kernel, self.initrd)

    async def seed(self, spec: SeedSpec) -> bytes:
        raise NotImplementedError


def kernel_request(technology: Technology = Technology.SEV) -> LaunchRequest:
    return replace(launch_request(technology=technology), image="local:linux")


@asynccontextmanager
async def with_library(
    data_dir: Path, library: OneKernel, hosts: Hosts | None = None
) -> AsyncIterator[EmbeddedProvider]:
    provider = EmbeddedProvider(
        data_dir, catalog(), SpyKeyStore(), library=library, make_site=hosts or Hosts(), make_keys=host_keys
    )
    try:
        await provider.connect()
        yield provider
    finally:
        await provider.aclose()


@pytest.fixture
def library(tmp_path: Path) -> OneKernel:
    return OneKernel(tmp_path / "images")


async def said(provider: EmbeddedProvider, instance_id: str, text: bytes) -> None:
    """Wait until the guest has written `text`."""
    seen = b""
    async for data in provider.console(instance_id).stream():
        seen += data
        if text in seen:
            return
    raise AssertionError(seen)


async def state_of(provider: EmbeddedProvider, instance_id: str, state: InstanceState) -> Instance:
    """Wait until it is in `state`."""
    changes = provider.watch()
    while (found := (await listed(provider))[instance_id]).state is not state:
        await anext(changes)
    return found


@pytest.mark.parametrize("technology", [Technology.SEV, Technology.SEV_ES, Technology.NONE])
async def test_what_linux_writes_into_ram_is_read_by_the_host_of_a_plain_instance_only(
    data_dir: Path, library: OneKernel, technology: Technology
) -> None:
    async with with_library(data_dir, library) as provider:
        operation = OperationRecord()
        made = await provider.create(kernel_request(technology), operation)
        assert (made.state, made.emulated, made.runs) == (InstanceState.RUNNING, True, "")
        await said(provider, made.id, b"ready-42")
        # Held: what is looked at does not move.
        await provider.pause(made.id, OperationRecord(made.id))
        guest, host = await ram(provider, made.id, Viewer.GUEST), await ram(provider, made.id, Viewer.HYPERVISOR)
        plain = technology is Technology.NONE
        for text in (f"{MARKER} 200".encode(), b"Linux version"):
            assert text in guest
            assert (text in host) is plain
        kinds = set((await provider.memory(made.id, Viewer.HYPERVISOR).read(KERNEL_GPA, 1 << 20)).kinds)
        assert kinds == {PageKind.PLAINTEXT if plain else PageKind.CIPHERTEXT}
        assert made.trust is (Trust.NOT_APPLICABLE if plain else Trust.MEASURED)
        assert len(operation.launches) == (0 if plain else 1)
        if not plain:
            assert operation.names[-4:] == ["LAUNCH_START", "LAUNCH_MEASURE", "LAUNCH_FINISH", "release vCPU"]
            given = await provider.evidence(made.id, EvidenceFormat.SEV_REPORT, bytes(32))
            assert operation.launches[0].reference.measurements[0] in given.evidence.data


async def test_input_reaches_linux_also_after_a_pause(data_dir: Path, library: OneKernel) -> None:
    async with with_library(data_dir, library) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        await said(provider, made.id, b"ready-42")
        await provider.pause(made.id, OperationRecord(made.id))
        await provider.console(made.id).write(b"is there\n")
        (sample,) = await provider.sample([made.id])
        assert sample.memory_bytes > 16 << 20
        assert sample.console_bytes > 0
        await provider.resume(made.id, OperationRecord(made.id))
        await said(provider, made.id, b"heard <is there>")


async def test_another_kernel_than_the_owners_is_refused_and_never_runs(
    data_dir: Path, library: OneKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts()
    async with with_library(data_dir, library, hosts) as provider:
        honest = hosts.last.controller.hypervisor_write

        def hijacked(guest: GuestRange, offset: int, data: bytes) -> None:
            honest(guest, offset, data[:-1] + b"\x01" if offset == KERNEL_GPA else data)

        monkeypatch.setattr(hosts.last.controller, "hypervisor_write", hijacked)
        operation = OperationRecord()
        with pytest.raises(EvidenceRefused):
            await provider.create(kernel_request(), operation)
        assert operation.names[-1] == "LAUNCH_MEASURE"
        assert await listed(provider) == {}
        assert hosts.in_use == (0, 0)


@pytest.mark.parametrize("step", range(1, 5))
async def test_a_create_that_is_cancelled_leaves_nothing(data_dir: Path, library: OneKernel, step: int) -> None:
    hosts = Hosts()
    async with with_library(data_dir, library, hosts) as provider:
        with pytest.raises(OperationCancelled):
            await provider.create(kernel_request(), OperationRecord(cancel_at=step))
        assert await listed(provider) == {}
        assert hosts.in_use == (0, 0)
        assert not hosts.site.qemu_guests


async def test_files_that_were_replaced_in_the_library_are_not_launched(data_dir: Path, library: OneKernel) -> None:
    hosts = Hosts()
    async with with_library(data_dir, library, hosts) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        await provider.stop(made.id, OperationRecord(made.id))
        assert hosts.in_use == (0, 0)
        library.initrd.write_bytes(initramfs("echo something else"))
        with pytest.raises(EvidenceRefused, match="another than when"):
            await provider.start(made.id, OperationRecord(made.id))
        assert (await listed(provider))[made.id].state is InstanceState.STOPPED


async def test_a_write_by_the_host_is_noise_to_the_guest(data_dir: Path, library: OneKernel) -> None:
    async with with_library(data_dir, library) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        await said(provider, made.id, b"ready-42")
        await provider.pause(made.id, OperationRecord(made.id))
        host, guest = (provider.memory(made.id, viewer) for viewer in (Viewer.HYPERVISOR, Viewer.GUEST))
        assert isinstance(host, WritableMemory)
        unused = guest.regions()[0].length // 2
        for gpa in (KERNEL_GPA, unused):
            await host.write(gpa, bytes(4096))
            assert (await host.read(gpa, 4096)).data == bytes(4096)
            assert (await guest.read(gpa, 4096)).data != bytes(4096)


async def test_a_killed_qemu_is_a_crash_and_leaves_nothing(data_dir: Path, library: OneKernel) -> None:
    hosts = Hosts()
    async with with_library(data_dir, library, hosts) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        (qemu,) = hosts.site.qemu_guests
        assert qemu.process is not None
        memory = provider.memory(made.id, Viewer.HYPERVISOR)
        os.kill(qemu.process.pid, signal.SIGKILL)
        assert "SIGKILL" in (await state_of(provider, made.id, InstanceState.CRASHED)).state_reason
        with pytest.raises(WrongState):
            await memory.read(0, 4096)
        again = await provider.start(made.id, OperationRecord(made.id))
        assert again.state is InstanceState.RUNNING
        await provider.delete(made.id, OperationRecord(made.id))
        assert hosts.in_use == (0, 0)
        assert not hosts.site.qemu_guests


async def test_a_guest_that_restarts_itself_stops_and_a_reset_measures_anew(data_dir: Path, library: OneKernel) -> None:
    async with with_library(data_dir, library) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        reset = OperationRecord(made.id)
        await provider.reset(made.id, reset)
        assert "LAUNCH_MEASURE" in reset.names
        await said(provider, made.id, b"ready-42")
        await provider.console(made.id).write(b"end\n")
        stopped = await state_of(provider, made.id, InstanceState.STOPPED)
        assert "restarted itself" in stopped.state_reason


async def test_what_a_kernel_cannot_have_is_refused_before_anything_is_made(
    data_dir: Path, library: OneKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with with_library(data_dir, library) as provider:
        for request, field in (
            (kernel_request(Technology.SEV_SNP), "technology"),
            (replace(kernel_request(), secure_boot=True), "secure_boot"),
        ):
            with pytest.raises(InvalidInput) as refused:
                await provider.create(request, OperationRecord())
            assert refused.value.field == field
        library.kernel.write_bytes(b"no kernel")
        with pytest.raises(InvalidInput, match="no Linux kernel"):
            await provider.create(kernel_request(), OperationRecord())
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(Unsupported, match="qemu-system-x86"):
            await provider.create(kernel_request(), OperationRecord())
        assert await listed(provider) == {}


async def test_without_a_library_the_reason_says_so(data_dir: Path) -> None:
    async with embedded(data_dir) as provider:
        assert "image library" in provider.kernels.unfit()
        with pytest.raises(Unsupported, match="image library"):
            await provider.create(kernel_request(), OperationRecord())


async def test_closing_the_console_ends_qemu(data_dir: Path, library: OneKernel) -> None:
    hosts = Hosts()
    async with with_library(data_dir, library, hosts) as provider:
        made = await provider.create(kernel_request(), OperationRecord())
        (qemu,) = hosts.site.qemu_guests
        assert qemu.process is not None
        pid = qemu.process.pid
        assert made.state is InstanceState.RUNNING
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
