"""The equivalent `aws ec2 run-instances` command (AWS CLI Command Reference).

The image is looked up by the command itself: an AMI's id is another in each region, and a newer one replaces it.
"""

from __future__ import annotations

import json
import shlex

from confvm_gui.catalog import Catalog
from confvm_gui.domain.catalogue import Technology
from confvm_gui.domain.instance import LaunchRequest, check_labels


def aws_command(catalog: Catalog, request: LaunchRequest) -> str:
    """The command, one flag a line joined by backslashes, for a POSIX shell. Raises NotFound, InvalidInput."""
    flags = [f"--region {shlex.quote(request.region)}", f'--image-id "$({_image_query(catalog, request)})"']
    flags += [f"--{name} {shlex.quote(value)}" for name, value in aws_flags(request).items()]
    return " \\\n    ".join(["aws ec2 run-instances", *flags])


def aws_flags(request: LaunchRequest) -> dict[str, str]:
    """Flags and their values, unquoted, but for region and image."""
    labels = check_labels(request.labels)
    tags = [{"Key": "Name", "Value": request.name}, *({"Key": key, "Value": labels[key]} for key in sorted(labels))]
    flags = {
        "instance-type": request.machine_type,
        "placement": f"AvailabilityZone={request.zone}",
        "metadata-options": "HttpTokens=required",
        "tag-specifications": json.dumps([{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")]),
    }
    if request.technology is Technology.SEV_SNP:
        flags["cpu-options"] = "AmdSevSnp=enabled"
    if request.technology is Technology.NITRO:
        flags["enclave-options"] = "Enabled=true"
    return flags


def aws_notes() -> tuple[str, ...]:
    """What the text leaves out or assumes."""
    return (
        "The network is the default one of the zone",
        "The boot volume is encrypted as the account's default says; the console itself always encrypts it",
    )


def _image_query(catalog: Catalog, request: LaunchRequest) -> str:
    image = catalog.image(request.cloud, request.image)
    words = ["aws", "ec2", "describe-images", "--region", request.region, "--owners", image.project, "--filters"]
    words += [f"Name=name,Values={image.family or image.name}", "Name=architecture,Values=x86_64"]
    words += ["Name=state,Values=available", "--query", "sort_by(Images, &CreationDate)[-1].ImageId"]
    return " ".join(map(shlex.quote, [*words, "--output", "text"]))
