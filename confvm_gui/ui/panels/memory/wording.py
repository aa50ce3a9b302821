"""The panel's words for numbers, page kinds and viewers."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from confvm_gui.domain.instance import Instance
from confvm_gui.domain.memory import PAGE_SIZE, PageKind, Viewer


def kind_label(kind: PageKind) -> str:
    """As the source says it, never a guess."""
    return {
        PageKind.UNTOUCHED: QCoreApplication.translate("memory", "UNTOUCHED"),
        PageKind.CIPHERTEXT: QCoreApplication.translate("memory", "CIPHERTEXT"),
        PageKind.SHARED: QCoreApplication.translate("memory", "SHARED"),
        PageKind.PLAINTEXT: QCoreApplication.translate("memory", "PLAINTEXT"),
        PageKind.UNREADABLE: QCoreApplication.translate("memory", "UNREADABLE"),
    }[kind]


def kind_meaning(kind: PageKind) -> str:
    """One sentence for the legend."""
    return {
        PageKind.UNTOUCHED: QCoreApplication.translate("memory", "The guest has not used this page yet."),
        PageKind.CIPHERTEXT: QCoreApplication.translate(
            "memory", "Encrypted with the guest's key, which this viewer does not have."
        ),
        PageKind.SHARED: QCoreApplication.translate(
            "memory", "The guest left this page unencrypted to exchange data with the host: both read it."
        ),
        PageKind.PLAINTEXT: QCoreApplication.translate("memory", "Readable content for whoever has this view."),
        PageKind.UNREADABLE: QCoreApplication.translate("memory", "Could not be read; nothing is known of it."),
    }[kind]


def headline(viewer: Viewer) -> str:
    if viewer is Viewer.HYPERVISOR:
        return QCoreApplication.translate("memory", "What the hypervisor sees")
    return QCoreApplication.translate("memory", "What the guest sees")


def short_name(viewer: Viewer) -> str:
    if viewer is Viewer.HYPERVISOR:
        return QCoreApplication.translate("memory", "Hypervisor")
    return QCoreApplication.translate("memory", "Guest")


def note(viewer: Viewer, instance: Instance) -> str:
    """Who has this view of this machine, in plain words."""
    if viewer is Viewer.HYPERVISOR:
        if not instance.confidential:
            return QCoreApplication.translate("memory", "The host reads everything of this VM: it is not confidential.")
        return QCoreApplication.translate(
            "memory", "What the host, its administrator and whoever breaks into it can read of this VM ({technology})."
        ).format(technology=instance.technology.title)
    if not instance.confidential:
        return QCoreApplication.translate("memory", "The same bytes as on the left: nothing keeps them from the host.")
    if instance.emulated:
        return QCoreApplication.translate(
            "memory", "On real hardware nobody outside the guest has this view: the emulator shows it for comparison."
        )
    return QCoreApplication.translate("memory", "What the guest's own programs read.")


def size(count: int) -> str:
    """Bytes in the largest binary unit that leaves at least one."""
    locale = QLocale()
    if count < 1024:
        return QCoreApplication.translate("memory", "{count} bytes").format(count=locale.toString(count))
    value = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024 or unit == "TiB":
            break
    precision = 0 if value == int(value) or value >= 100 else 1
    return f"{locale.toString(value, 'f', precision)} {unit}"


def pages_size(pages: int) -> str:
    return size(pages * PAGE_SIZE)


def number(value: int) -> str:
    return QLocale().toString(value)


def decimal(value: float, places: int) -> str:
    return QLocale().toString(value, "f", places)


def address(gpa: int, digits: int) -> str:
    return f"0x{gpa:0{digits}x}"
