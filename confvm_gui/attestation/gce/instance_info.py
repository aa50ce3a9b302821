"""The extension of GCE's EK and AK certificates that names the instance (1.3.6.1.4.1.11129.2.1.21).

SEQUENCE { zone UTF8String, projectNumber INTEGER, projectId UTF8String, instanceId INTEGER, instanceName UTF8String,
           securityProperties [0] { securityVersion [0], isProduction [1], tpmDataAlwaysEncrypted [2],
           suspendResumeAlwaysDisabled [3], vmtdAlwaysDisabled [4], alwaysInYawn [5] } OPTIONAL }
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from confvm_gui.sev.der import DerReader, Tag
from confvm_gui.sev.x509_certificate import X509Certificate

EXTENSION: Final = "1.3.6.1.4.1.11129.2.1.21"
_WHAT: Final = "The certificate's GCE instance information"


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """Which instance a vTPM belongs to."""

    zone: str
    project_number: int
    project_id: str
    instance_id: int
    instance_name: str
    is_production: bool | None = None
    """Whether the vTPM runs in Google's production; None if the certificate does not say."""
    security_version: int | None = None


def instance_info(certificate: X509Certificate) -> InstanceInfo | None:
    """What the certificate says, or None if it is not GCE's; InvalidInput("certificate")."""
    extension = certificate.extensions.get(EXTENSION)
    if extension is None:
        return None
    outer = DerReader(extension.value, "certificate", _WHAT)
    reader = outer.enter()
    outer.finish()
    zone, number, project = reader.text(), reader.integer(), reader.text()
    identifier, name = reader.integer(), reader.text()
    production: bool | None = None
    version: int | None = None
    if reader.more:
        properties = reader.enter(0xA0).enter()
        while properties.more:
            element = properties.next()
            inner = properties.inside(element)
            if element.tag == 0xA0:
                version = inner.integer()
            elif element.tag == 0xA1 and inner.peek() == Tag.BOOLEAN:
                production = inner.boolean()
    reader.finish()
    return InstanceInfo(zone, number, project, identifier, name, production, version)
