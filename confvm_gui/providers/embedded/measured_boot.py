"""What an embedded instance's vTPM measures when it is powered on: its place among the guest's own parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confvm_gui.engine.vtpm.measured_boot import MeasuredBoot
from confvm_gui.engine.vtpm.virtual_tpm import VirtualTpm
from confvm_gui.providers.embedded.owner import launch_mode

if TYPE_CHECKING:
    from confvm_gui.engine.guests.image import GuestImage
    from confvm_gui.engine.vtpm.authority import VtpmAuthority
    from confvm_gui.providers.embedded.definitions import Definition


def power_on_tpm(
    authority: VtpmAuthority,
    definition: Definition,
    image: GuestImage,
    command_line: str,
    disk_header: bytes,
    resets: int,
) -> VirtualTpm:
    """A vTPM that has seen the boot of this instance; `resets` power-ons went before. Not on the event loop."""
    boot = MeasuredBoot(
        image_name=image.name,
        image=image.data,
        command_line=command_line,
        technology=launch_mode(definition.technology_kind) if definition.confidential else None,
        secure_boot=definition.secure_boot,
        disk_header=disk_header,
    )
    return VirtualTpm.power_on(boot, authority, instance=definition.id, resets=resets)
