"""EC2 by HTTPS on this computer: moto, and what of EC2 moto does not keep.

Added to moto, each as Amazon's API Reference says: the client token of RunInstances makes one instance however often it
is asked; CpuOptions and EnclaveOptions are kept and described, and SNP is refused where the type does not have it.
botocore itself holds every request of ours against Amazon's service model before it is sent.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from tests.support.tls_site import TlsSite, environment, serving

REGION = "us-east-2"
ACCOUNT = "123456789012"
_ITEM = re.compile(r"<instanceId>(i-[0-9a-f]+)</instanceId>")
_REGION_ITEM = re.compile(r"<item>(?:(?!</item>).)*<regionName>([^<]+)</regionName>.*?</item>", re.DOTALL)
_SNP_TYPES = ("m6a", "c6a", "r6a")


@dataclass
class FakeEc2:
    """What is between the console and moto."""

    moto: Any
    failing: list[tuple[int, str]] = field(default_factory=list)
    """HTTP status and code of the next answers."""
    fail_only: str = ""
    """The action that `failing` is for; "" for all."""
    fail_region: str = ""
    """A region that answers nothing."""
    drop_after: list[str] = field(default_factory=list)
    """Actions that are done, and whose answer is lost."""
    slow: float = 0
    """Seconds before each answer."""
    denied: set[str] = field(default_factory=set)
    """Actions that the account may not do."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Action and parameters of each request."""
    by_token: dict[str, Response] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    """XML of what moto does not keep, by instance."""
    said: dict[str, str] = field(default_factory=dict)
    """What each instance has written to its serial port."""
    regions: tuple[str, ...] = ("eu-west-1", REGION)
    """Turned on in the account."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = _Body(body)
        given = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        action = given.get("Action", "")
        self.asked.append((action, given))
        if self.slow:
            time.sleep(self.slow)
        answer = self._answer(action, given, environ)
        if action in self.drop_after:
            self.drop_after.remove(action)
            raise ConnectionAbortedError("the answer is lost")
        return answer(environ, start_response)

    def _answer(self, action: str, given: dict[str, str], environ: dict[str, Any]) -> Response:
        if self.fail_region and f"/{self.fail_region}/ec2/" in environ.get("HTTP_AUTHORIZATION", ""):
            return refusal(500, "InternalError")
        if self.failing and self.fail_only in ("", action):
            status, code = self.failing.pop(0)
            return refusal(status, code)
        if action in self.denied:
            return refusal(
                403, "UnauthorizedOperation", "You are not authorized. Encoded authorization failure message: xyz"
            )
        if given.get("DryRun") == "true":
            return refusal(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        token = given.get("ClientToken", "")
        if action == "RunInstances":
            if token in self.by_token:
                return self.by_token[token]
            if given.get("CpuOptions.AmdSevSnp") == "enabled" and not given["InstanceType"].startswith(_SNP_TYPES):
                return refusal(400, "Unsupported", "The instance type does not support AMD SEV-SNP")
        answer = Response.from_app(self.moto, environ)
        text = answer.get_data(as_text=True)
        if action == "RunInstances" and answer.status_code == 200:
            (number,) = _ITEM.findall(text)
            self.options[number] = _options(given)
        if action in ("RunInstances", "DescribeInstances"):
            text = _ITEM.sub(lambda match: match.group() + self.options.get(match.group(1), ""), text)
            answer.set_data(text)
        if action == "DescribeRegions":
            answer.set_data(
                _REGION_ITEM.sub(lambda match: match.group() if match.group(1) in self.regions else "", text)
            )
        if action == "GetConsoleOutput" and answer.status_code == 200:
            answer = console_answer(given["InstanceId"], self.said.get(given["InstanceId"], ""))
        if action == "RunInstances" and answer.status_code == 200:
            self.by_token[token] = answer
        return answer

    def _turned_on(self, match: re.Match[str]) -> str:
        return match.group() if match.group(1) in self.regions else ""

    def moto_image(self, image: str, region: str = REGION) -> str:
        """The name of an AMI."""
        return str(_backend(region).describe_images(ami_ids=[image])[0].name)

    @property
    def launches(self) -> list[dict[str, str]]:
        """Parameters of what was asked to be launched."""
        return [given for action, given in self.asked if action == "RunInstances" and "DryRun" not in given]

    def alive(self, region: str = REGION) -> list[str]:
        """EC2's ids of the instances that there are."""
        found = _backend(region).all_instances()
        return [str(each.id) for each in found if each.state != "terminated"]

    def put(self, name: str, region: str = REGION, options: str = "", **tags: str) -> str:
        """An instance that others made; its id."""
        reservation = _backend(region).run_instances(
            "ami-03cf127a",
            1,
            "",
            [],
            instance_type="m6a.large",
            placement=f"{region}a",
            is_instance_type_default=False,
            tags={"instance": {"Name": name, **tags}},
        )
        number = str(reservation.instances[0].id)
        self.options[number] = options
        return number


class _Body:
    """A request's body, to be read again."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        end = len(self._data) if size is None or size < 0 else size
        taken, self._data = self._data[:end], self._data[end:]
        return taken

    def readline(self, _size: int = -1) -> bytes:
        return self.read()


def refusal(status: int, code: str, message: str = "as the test asked for") -> Response:
    """As EC2 writes it."""
    text = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    return Response(text, status, content_type="text/xml")


def console_answer(number: str, text: str) -> Response:
    encoded = base64.b64encode(text.encode()).decode()
    return Response(
        f'<GetConsoleOutputResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instanceId>{number}</instanceId>'
        f"<output>{encoded}</output></GetConsoleOutputResponse>",
        content_type="text/xml",
    )


@contextmanager
def amazon_ec2(folder: Path) -> Iterator[tuple[TlsSite, FakeEc2]]:
    """Within, boto3 asks the local EC2."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    fake = FakeEc2(DomainDispatcherApplication(create_backend_app))
    with serving(fake, folder) as site:
        values = {
            "AWS_ENDPOINT_URL": site.base,
            "AWS_CA_BUNDLE": str(site.ca_file),
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(folder / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        }
        with environment(values):
            yield site, fake
    _reset()


def _options(given: dict[str, str]) -> str:
    text = ""
    if "CpuOptions.AmdSevSnp" in given:
        text += f"<cpuOptions><amdSevSnp>{given['CpuOptions.AmdSevSnp']}</amdSevSnp></cpuOptions>"
    if "EnclaveOptions.Enabled" in given:
        text += f"<enclaveOptions><enabled>{given['EnclaveOptions.Enabled']}</enabled></enclaveOptions>"
    return text


def _backend(region: str) -> Any:
    from moto.ec2.models import ec2_backends

    return ec2_backends[ACCOUNT][region]


def _reset() -> None:
    from moto.ec2.models import ec2_backends

    for backend in ec2_backends[ACCOUNT].values():
        backend.reset()
