"""Kernels of the image library as an embedded instance's system: whether they can be booted here, and their launch.

The code of it is loaded with the first such instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from confvm_gui.domain.errors import Unsupported

if TYPE_CHECKING:
    from confvm_gui.domain.instance import LaunchRequest
    from confvm_gui.domain.ports.image_library import ImageLibrary
    from confvm_gui.domain.ports.provider import OperationContext
    from confvm_gui.engine.guest_host.host import GuestHooks
    from confvm_gui.providers.embedded.definitions import Definition
    from confvm_gui.providers.embedded.launch import PoweredOn
    from confvm_gui.providers.embedded.site import Site


class KernelImages:
    """The library's kernels, or none."""

    def __init__(self, library: ImageLibrary | None) -> None:
        self._library = library

    def unfit(self) -> str:
        """Why no kernel can be booted here, in one sentence, or ""."""
        from confvm_gui.engine.qemu.process import unfit

        if self._library is None:
            return "This console has no image library whose kernels could be booted"
        return unfit()

    async def with_files(self, definition: Definition, request: LaunchRequest) -> Definition:
        """`definition`, with what it boots if that is a kernel of the library.

        Raises Unsupported with the reason where none can be booted, and what `qemu_guest.with_kernel` raises.
        """
        if not definition.runs_image:
            return definition
        from confvm_gui.providers.embedded.qemu_guest import with_kernel

        return await with_kernel(definition, request, self._require_library())

    async def power_on(
        self, site: Site, definition: Definition, hooks: GuestHooks, operation: OperationContext
    ) -> PoweredOn | None:
        """None for an instance that runs a built-in guest. Raises what `qemu_guest.power_on_kernel` raises."""
        if not definition.runs_image:
            return None
        from confvm_gui.providers.embedded.qemu_guest import power_on_kernel

        return await power_on_kernel(site, definition, self._require_library(), hooks, operation)

    def _require_library(self) -> ImageLibrary:
        reason = self.unfit()
        if self._library is None or reason:
            raise Unsupported(reason)
        return self._library
