"""A person at the real window who makes an instance of a kernel of their own, and works with it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QPushButton, QWidget

from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.exposure import ExposureResult
from confvm_gui.domain.instance import Instance, InstanceState
from confvm_gui.domain.operation import OperationKind
from confvm_gui.domain.ports.provider import HasSnapshots
from confvm_gui.ui.panels.console import ConsolePanel
from confvm_gui.ui.panels.exposure.panel import ExposurePanel
from tests.support.embedded_window import EmbeddedWindow
from tests.support.linux_kernel import initramfs, kernel_path
from tests.support.shell_driver import until
from tests.support.wizard_driver import WizardDriver

SECRET = "the keeper's other ledger lies at Port Isolde"
# No file holds the secret as a whole: init puts it together in the guest's RAM. A seed is read as cloud-init
# does. The shell answers what is typed, and the power button ends the guest: that and nothing else, as keyboards report
# by themselves, and a machine without a button would be off before it is spoken to.
INIT = """
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
for disk in /dev/vd*; do mount -t iso9660 -o ro $disk /sys && cp /sys/user-data /tmp/; done 2> /dev/null
port="Port Isolde"
for at in $(seq 50); do echo "the keeper's other ledger lies at $port" >> /tmp/ledger; done
for button in $(grep -A 4 '"Power Button"' /proc/bus/input/devices | grep -o 'event[0-9]*'); do
    (head -c 24 /dev/input/$button > /dev/null && poweroff -f) &
done
echo system-is-up-$((6 * 7))
while read line; do
    case "$line" in
        add*) set -- $line; echo "the sum is $(($2 + $3))" ;;
        *) echo "what is $line" ;;
    esac
done
"""
W = TypeVar("W", bound=QWidget)


class Person:
    """Works the window by its widgets."""

    def __init__(self, opened: EmbeddedWindow, folder: Path) -> None:
        """`folder`: where their kernel and initrd are."""
        self._opened = opened
        self._window = opened.window
        self._folder = folder
        shutil.copy(kernel_path(), folder / "vmlinuz")
        (folder / "initrd.img").write_bytes(initramfs(INIT, ("button", "evdev", "virtio_pci", "virtio_blk", "isofs")))

    async def open_wizard(self) -> WizardDriver:
        """By its key."""
        self._window.actions_.new.trigger()
        await until(lambda: self._window.wizard is not None and self._window.wizard.isVisible(), "the wizard")
        assert self._window.wizard is not None
        return WizardDriver(self._window.wizard)

    async def add_kernel(self, wizard: WizardDriver) -> str:
        """On the page Image, by the file dialog. Returns the name of the image, which is the chosen one."""
        wizard.click("addKernel")
        dialog = wizard.find(QFileDialog, "kernelDialog")
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        assert name is not None
        name.setText(" ".join(f'"{self._folder / file}"' for file in ("vmlinuz", "initrd.img")))
        QTest.keyClick(name, Qt.Key.Key_Return)
        await until(lambda: wizard.wizard.draft.own_image and not wizard.reason(), "the kernel in the library", 30)
        return wizard.wizard.draft.request.image

    async def create(self, wizard: WizardDriver) -> Instance:
        """From the last page; returns the instance as it runs, with its page in sight."""
        name = wizard.wizard.draft.request.name
        wizard.click("create")
        await until(lambda: self._state(name) is InstanceState.RUNNING, f"{name} runs", 60)
        made = self._opened.session.inventory.find(name)
        await until(
            lambda: self._window.page_shown and self._window.instance_page.instance_id == made.id, "the instance's page"
        )
        return made

    async def console(self) -> ConsolePanel:
        """The tab with the terminal."""
        return await self._tab("console", ConsolePanel)

    async def reads(self, panel: ConsolePanel, text: str, seconds: float = 60) -> None:
        """Wait until the terminal shows `text`."""
        await until(lambda: text in panel.output.screen_text(), f"{text!r} in the terminal", seconds)

    def types(self, panel: ConsolePanel, line: str) -> None:
        """Key by key, into the terminal."""
        QTest.mouseClick(panel.output.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
        QTest.keyClicks(panel.output, line)
        QTest.keyClick(panel.output, Qt.Key.Key_Return)

    async def searches(self, *texts: str) -> ExposureResult:
        """For texts, on the tab Exposure, in all memory."""
        panel = await self._tab("exposure", ExposurePanel)
        form, field = self._on(panel, QComboBox, "exposure-form"), self._on(panel, QLineEdit, "exposure-text")
        await until(field.isEnabled, "the tab has its instance")
        for text in texts:
            form.setCurrentIndex(0)
            field.setFocus()
            QTest.keyClicks(field, text)
            QTest.keyClick(field, Qt.Key.Key_Return)
        start = self._on(panel, QPushButton, "exposure-start")
        await until(start.isEnabled, "the search can begin")
        QTest.mouseClick(start, Qt.MouseButton.LeftButton)
        await until(lambda: not panel.tasks.is_running("scan"), "the search's end", 60)
        result = self._opened.session.exposures.last(panel.instance_id)
        assert result is not None, panel.error.text()
        return result

    async def does(self, kind: OperationKind, instance: Instance) -> None:
        """An action of the window on the instance; a question is answered with yes."""
        self._window.fleet.view.set_current(instance.id)
        action = self._window.actions_.on_instances[kind]
        await until(action.isEnabled, f"{kind.value} can be asked for")
        action.trigger()
        banner = self._window.banners.banner("confirm")
        if banner is not None:
            assert banner.action_button is not None
            QTest.mouseClick(banner.action_button, Qt.MouseButton.LeftButton)

    async def snapshots(self, instance: Instance) -> int:
        """How many there are once the one that was asked for has been taken."""
        provider = self._opened.session.providers[instance.provider]
        assert isinstance(provider, HasSnapshots)
        await until(self._opened.session.jobs.active, "the job")
        await until(lambda: not self._opened.session.jobs.active(), "the snapshot", 60)
        return len(await provider.snapshots(instance.id))

    async def sees(self, instance: Instance, state: InstanceState | None, seconds: float = 30) -> None:
        """Wait until the instance is in `state`; None: until it is gone."""
        await until(lambda: self._state(instance.name) is state, f"{instance.name} is {state}", seconds)
        await until(lambda: not self._opened.session.jobs.active(), "the job's end", seconds)

    def _state(self, name: str) -> InstanceState | None:
        return next((one.state for one in self._opened.session.inventory.all() if one.name == name), None)

    async def _tab(self, key: str, kind: type[W]) -> W:
        self._window.show_tab(key)
        await until(lambda: isinstance(self._window.instance_page.panel(key), kind), f"the tab {key}")
        panel = self._window.instance_page.panel(key)
        assert isinstance(panel, kind)
        return panel

    @staticmethod
    def _on(panel: QWidget, kind: type[W], name: str) -> W:
        found = panel.findChild(kind, name)
        assert found is not None, name
        return found


def make_plain(wizard: WizardDriver) -> None:
    """On the page Confidential: neither encrypted nor with a vTPM, which a kernel that is booted directly needs not."""
    if wizard.wizard.draft.request.technology is not Technology.NONE:
        wizard.click("confidential")
    if wizard.wizard.draft.request.vtpm:
        wizard.click("vtpm")
