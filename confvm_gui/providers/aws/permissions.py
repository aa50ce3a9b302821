"""What an account may do, asked of EC2 itself: a dry run of each action, which checks the permission and does nothing.

Source: Amazon EC2 API Reference, "Common query parameters", DryRun: DryRunOperation is told to who may, and
UnauthorizedOperation to who may not. Whatever else is told (the instance does not exist) comes after that check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from confvm_gui.domain.errors import Forbidden, NotFound
from confvm_gui.providers.aws import errors
from confvm_gui.providers.aws.connection import HOME_REGION, AwsConnection, Clients, sdk

_NOBODY: Final = "i-00000000000000000"
_NOTHING: Final = "ami-00000000000000000"
LOOKING: Final[Mapping[str, str]] = {
    "ec2:DescribeRegions": "find the regions that are turned on",
    "ec2:DescribeInstances": "list the instances",
    "ec2:DescribeImages": "find images",
    "ec2:DescribeInstanceTypes": "find machine types",
    "ec2:DescribeInstanceTypeOfferings": "find the zones of machine types",
    "ec2:GetConsoleOutput": "read serial ports",
}
CHANGING: Final[Mapping[str, str]] = {
    "ec2:RunInstances": "make instances",
    "ec2:StartInstances": "start instances",
    "ec2:StopInstances": "stop instances",
    "ec2:RebootInstances": "reset instances",
    "ec2:TerminateInstances": "delete instances",
    "ec2:CreateTags": "set labels",
    "ec2:DeleteTags": "take labels away",
}
_ASK: Final[Mapping[str, Callable[[Any], object]]] = {
    "ec2:DescribeRegions": lambda ec2: ec2.describe_regions(DryRun=True),
    "ec2:DescribeInstances": lambda ec2: ec2.describe_instances(DryRun=True),
    "ec2:DescribeImages": lambda ec2: ec2.describe_images(Owners=["self"], DryRun=True),
    "ec2:DescribeInstanceTypes": lambda ec2: ec2.describe_instance_types(DryRun=True),
    "ec2:DescribeInstanceTypeOfferings": lambda ec2: ec2.describe_instance_type_offerings(DryRun=True),
    "ec2:GetConsoleOutput": lambda ec2: ec2.get_console_output(InstanceId=_NOBODY, DryRun=True),
    "ec2:RunInstances": lambda ec2: ec2.run_instances(ImageId=_NOTHING, MinCount=1, MaxCount=1, DryRun=True),
    "ec2:StartInstances": lambda ec2: ec2.start_instances(InstanceIds=[_NOBODY], DryRun=True),
    "ec2:StopInstances": lambda ec2: ec2.stop_instances(InstanceIds=[_NOBODY], DryRun=True),
    "ec2:RebootInstances": lambda ec2: ec2.reboot_instances(InstanceIds=[_NOBODY], DryRun=True),
    "ec2:TerminateInstances": lambda ec2: ec2.terminate_instances(InstanceIds=[_NOBODY], DryRun=True),
    "ec2:CreateTags": lambda ec2: ec2.create_tags(Resources=[_NOBODY], Tags=[{"Key": "a"}], DryRun=True),
    "ec2:DeleteTags": lambda ec2: ec2.delete_tags(Resources=[_NOBODY], DryRun=True),
}


async def account_of(connection: AwsConnection) -> tuple[str, str]:
    """Account id and ARN of who asks. Raises Forbidden for credentials that do not hold."""

    def ask(clients: Clients) -> tuple[str, str]:
        told = clients.identity().get_caller_identity()
        return str(told["Account"]), str(told["Arn"])

    return await connection.call(ask)


async def granted(connection: AwsConnection, wanted: Mapping[str, str]) -> frozenset[str]:
    """Those of `wanted` that the account has. Raises Forbidden where it may not even ask, Transient."""
    return frozenset([name for name in wanted if await connection.call(partial(_may, name=name))])


def _may(clients: Clients, name: str) -> bool:
    client_error = sdk("botocore.exceptions").ClientError
    try:
        _ASK[name](clients.ec2(HOME_REGION))
    except client_error as error:
        code = errors.code_of(error)
        if code == "DryRunOperation":
            return True
        meaning = errors.of_call(error)
        if isinstance(meaning, Forbidden) and code in ("UnauthorizedOperation", "AccessDenied"):
            return False
        if isinstance(meaning, NotFound) or code.startswith(("Invalid", "Missing")):
            return True
        raise
    return True
