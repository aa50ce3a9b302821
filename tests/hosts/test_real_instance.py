"""From the real window to a real Linux: on libvirt's QEMU its host reads everything, in the embedded engine nothing."""

from __future__ import annotations

from pathlib import Path

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.exposure import Readability, TermForm
from confvm_gui.domain.instance import InstanceState
from confvm_gui.domain.memory import Viewer
from confvm_gui.domain.operation import OperationKind
from confvm_gui.ui.wizard.draft import Step
from tests.support.embedded_window import embedded_window
from tests.support.libvirtd import Daemon
from tests.support.real_instance import SECRET, Person, make_plain
from tests.support.runners import Run


def test_a_plain_linux_on_a_libvirt_host_is_read_by_its_host(
    qasync_run: Run, libvirtd: Daemon, data_dir: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir, connect=[libvirtd.uri]) as opened:
            person = Person(opened, tmp_path)
            wizard = await person.open_wizard()
            wizard.type_text("name", "port-isolde")
            (host,) = (name for name in opened.session.providers if name != "embedded")
            wizard.take("provider", host)
            wizard.click("next")
            wizard.choose("machineType", "small-1")
            wizard.click("next")
            image = await person.add_kernel(wizard)
            wizard.click("next")
            make_plain(wizard)
            wizard.click("next")
            wizard.click("seedCanary")
            wizard.click("next")
            assert wizard.wizard.current_step() is Step.REVIEW
            made = await person.create(wizard)
            assert (made.image, made.technology, made.emulated) == (image, Technology.NONE, False)
            console = await person.console()
            await person.reads(console, "system-is-up-42")
            person.types(console, "add 40 7")
            await person.reads(console, "the sum is 47")
            result = await person.searches(SECRET, "a text that nobody wrote")
            assert result.complete
            found = {each.term.label: each for each in result.exposures if each.viewer is Viewer.HYPERVISOR}
            canary, secret, other = found.values()
            assert canary.term.form is TermForm.CANARY
            assert canary.readability is Readability.READABLE, "cloud-init's seed was read, and so the host finds it"
            assert secret.readability is Readability.READABLE
            assert secret.count >= 50
            assert other.readability is Readability.NOT_FOUND
            await person.does(OperationKind.SNAPSHOT, made)
            assert (await person.snapshots(made)) == 1
            await person.does(OperationKind.STOP, made)
            await person.sees(made, InstanceState.STOPPED)
            await person.does(OperationKind.DELETE, made)
            await person.sees(made, None)

    qasync_run(scenario(), timeout=110)


def test_the_same_linux_in_the_embedded_engine_is_ciphertext_to_its_host(
    qasync_run: Run, data_dir: Path, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with embedded_window(data_dir) as opened:
            person = Person(opened, tmp_path)
            wizard = await person.open_wizard()
            wizard.type_text("name", "port-isolde")
            wizard.click("next")
            wizard.click("next")
            image = await person.add_kernel(wizard)
            wizard.click("next")
            wizard.click("confidential")
            if wizard.wizard.draft.pending is not None:
                wizard.click("apply")
            wizard.click("next")
            wizard.click("next")
            assert wizard.wizard.current_step() is Step.REVIEW
            made = await person.create(wizard)
            assert (made.image, made.technology, made.emulated) == (image, Technology.SEV, True)
            console = await person.console()
            await person.reads(console, "system-is-up-42")
            person.types(console, "add 40 7")
            await person.reads(console, "the sum is 47")
            result = await person.searches(SECRET)
            assert result.complete
            found = {each.viewer: each for each in result.exposures}
            assert found[Viewer.HYPERVISOR].readability is Readability.NOT_FOUND
            assert found[Viewer.GUEST].count >= 50, "the text is there, for the guest alone"
            await person.does(OperationKind.STOP, made)
            await person.sees(made, InstanceState.STOPPED)
            await person.does(OperationKind.DELETE, made)
            await person.sees(made, None)

    qasync_run(scenario(), timeout=110)
