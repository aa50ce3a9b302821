"""A request as the domain XML that its libvirt host would be given."""

from __future__ import annotations

from confvm_gui.domain.errors import ConfvmError
from confvm_gui.domain.instance import LaunchRequest
from confvm_gui.domain.ports.provider import Provider, WritesDefinitions
from confvm_gui.fleet.export.formats import Export, ExportFormat


def libvirt_export(provider: Provider | None, request: LaunchRequest) -> Export:
    """`request` for `virsh define` on the provider's host."""
    form = ExportFormat.LIBVIRT
    if provider is None or not isinstance(provider, WritesDefinitions):
        return Export(form, "", "Only a libvirt host takes libvirt's XML; choose one on the page Where", ())
    try:
        text = provider.definition(request)
    except ConfvmError as error:
        return Export(form, "", error.message, ())
    notes = ["Save it and give it to virsh define; the files that it names are made when the console creates it"]
    if request.confidential and request.attest:
        notes.append("virsh start does not verify the launch; the console does, before it releases a key")
    return Export(form, text, "", tuple(notes))
