"""Serial ports as EC2 tells of them: the last 64 KiB, on Nitro instances those of this moment (`Latest`)."""

from __future__ import annotations

from confvm_gui.providers.aws.connection import Clients
from confvm_gui.providers.cloud.console import TextConsole, after
from confvm_gui.providers.cloud.table import Entry


class SerialConsole(TextConsole):
    """Implements domain.ports.console.Console."""

    no_input = "EC2 takes input for serial consoles by SSH only: see `aws ec2-instance-connect` in the AWS CLI"
    _told = b""

    async def _news(self, entry: Entry) -> bytes:
        number, region = entry.seen.number, entry.instance.region

        def ask(clients: Clients) -> str:
            answer = clients.ec2(region).get_console_output(InstanceId=number, Latest=True)
            return str(answer.get("Output", ""))  # botocore has decoded the base64

        before, self._told = self._told, (await self._connection.call(ask)).encode("utf-8", "replace")
        return after(before, self._told)
