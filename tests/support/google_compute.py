"""A local Compute Engine: the part of its API that the console uses, held against the discovery document.

Every request that the document does not allow is refused with 400, and noted in `refused`. Zones, machine types and
images are a handful. It can fail as told.
"""

from __future__ import annotations

import importlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from werkzeug.wrappers import Request, Response

from tests.support.google_discovery import Matched, RefusedError, discovery
from tests.support.tls_site import TlsSite, environment, serving

_OTHERS = {"/v3/": "cloudresourcemanager.v3", "/v2/entries": "logging.v2", "/v2/projects": "orgpolicy.v2"}
"""Services beside Compute Engine, by the start of their paths."""

PROJECT = "a-project"
TOKEN = "the-access-token-of-the-test"
ZONES: Mapping[str, tuple[str, ...]] = {
    "us-central1-a": ("AMD Rome", "AMD Milan", "Intel Sapphire Rapids"),
    "us-central1-b": ("AMD Milan", "Intel Sapphire Rapids"),
    "europe-west4-a": ("AMD Milan", "AMD Genoa", "Intel Sapphire Rapids"),
    "moon-base1-a": ("AMD Milan",),
}
"""The last one is in no shipped catalogue."""
MACHINE_TYPES: Mapping[str, tuple[int, int]] = {
    "n2d-standard-2": (2, 8192),
    "n2d-standard-4": (4, 16384),
    "n2d-standard-7": (7, 28672),
    "c3-standard-4": (4, 16384),
    "e2-small": (2, 2048),
}
IMAGES: Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "ubuntu-os-cloud": (
        (
            "ubuntu-2404-noble-amd64-v20261101",
            "ubuntu-2404-lts-amd64",
            ("SEV_CAPABLE", "SEV_SNP_CAPABLE", "SEV_LIVE_MIGRATABLE_V2", "TDX_CAPABLE", "GVNIC", "UEFI_COMPATIBLE"),
        ),
    ),
    PROJECT: (("golden-7", "golden", ("SEV_CAPABLE", "GVNIC", "UEFI_COMPATIBLE")),),
}
BASE = "https://www.googleapis.com/compute/v1"


@dataclass
class Machine:
    """One instance of the service."""

    resource: dict[str, Any]
    serial: bytes = b"SeaBIOS\r\nboot\r\n"


@dataclass
class Work:
    """One operation of the service."""

    name: str
    zone: str
    kind: str
    target: str
    finish: Callable[[], None]
    errors: list[dict[str, Any]] = field(default_factory=list)
    status: int = 0
    looks: int = 0
    done: bool = False
    inserted: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class FakeCompute:
    """WSGI application. Thread-safe."""

    def __init__(self) -> None:
        self.machines: dict[str, Machine] = {}
        """By the service's id."""
        self.works: dict[str, Work] = {}
        self.by_request: dict[str, str] = {}
        self.refused: list[str] = []
        self.methods: list[str] = []
        """Of each request that was allowed."""
        self.inserts: list[Mapping[str, Any]] = []
        """The bodies of inserts that were carried out."""
        self.permissions = {"compute.instances.list", "compute.instances.create"}
        self.failing: list[tuple[int, str]] = []
        """Status and reason of the next answers."""
        self.breaking: list[str] = []
        """Methods whose next answer breaks off after they were carried out."""
        self.slow: list[str] = []
        """Methods whose next answer does not come in time."""
        self.stockouts: dict[str, str] = {}
        """Zones without machines: the zones that have some."""
        self.quota = False
        self.half_way = False
        """Operations that insert fail in their middle, and forget the instance."""
        self.silent_zones: set[str] = set()
        self.page = 500
        self.public_key = ""
        """PEM, of the service account that may come in."""
        self.policies: dict[str, list[dict[str, Any]]] = {}
        """Rules of the organisation's policy by constraint."""
        self.forbidden: set[str] = set()
        """Methods that the account may not call."""
        self.log: list[dict[str, Any]] = []
        """Cloud Logging's entries, the oldest first."""
        self.ending = threading.Event()
        self._numbers = itertools.count(7_000_000_000_000_000_000)
        self._lock = threading.Lock()

    # What tests do --------------------------------------------------------------------------------------------------

    def put(self, name: str, zone: str = "us-central1-a", project: str = PROJECT, **more: Any) -> str:
        """An instance that somebody else has made; returns its number."""
        with self._lock:
            body = {"name": name, "machineType": f"zones/{zone}/machineTypes/n2d-standard-2", **more}
            return self._added(zone, body, more.get("status", "RUNNING"), project)

    def names(self) -> list[str]:
        return sorted(machine.resource["name"] for machine in self.machines.values())

    # WSGI -----------------------------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        answer = self._answer(Request(environ))
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/token":
            return _json({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        if not self._lets_in(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return _error(401, "authError", "Request had invalid authentication credentials.")
        name = next((each for start, each in _OTHERS.items() if request.path.startswith(start)), "compute.v1")
        query = {key: request.args.getlist(key) for key in request.args}
        try:
            matched = discovery(name).match(request.method, request.path, query, request.get_data())
        except RefusedError as error:
            self.refused.append(str(error))
            return _error(400, "invalid", str(error))
        with self._lock:
            self.methods.append(matched.method)
            if self.failing:
                status, reason = self.failing.pop(0)
                return _error(status, reason, f"The service says {reason}.")
            if matched.method in self.forbidden:
                return _error(403, "forbidden", "The caller does not have permission")
            answer = self._carry_out(matched)
        if matched.method in self.slow:
            self.slow.remove(matched.method)
            self.ending.wait(5)
        if matched.method in self.breaking:
            self.breaking.remove(matched.method)
            answer.set_data(answer.get_data()[:10])
            answer.headers["Content-Length"] = "1000"
        return answer

    def _lets_in(self, token: str) -> bool:
        """A token of the service's own, or one that the service account has signed itself (RFC 7523)."""
        if token == TOKEN or not self.public_key:
            return token == TOKEN
        jwt = importlib.import_module("google.auth.jwt")
        try:
            return bool(jwt.decode(token, certs=self.public_key))
        except ValueError:
            return False

    def _carry_out(self, matched: Matched) -> Response:
        do = self._calls().get(matched.method)
        if do is None:
            self.refused.append(f"{matched.method} is not there")
            return _error(501, "notImplemented", matched.method)
        try:
            return _json(do(matched))
        except _FailedError as failure:
            return failure.answer

    def _calls(self) -> Mapping[str, Callable[[Matched], Any]]:
        return {
            "compute.instances.insert": self._insert,
            "compute.instances.get": self._get,
            "compute.instances.aggregatedList": self._list_instances,
            "compute.instances.start": lambda matched: self._switched(matched, "start", "RUNNING"),
            "compute.instances.resume": lambda matched: self._switched(matched, "resume", "RUNNING"),
            "compute.instances.stop": lambda matched: self._switched(matched, "stop", "TERMINATED"),
            "compute.instances.reset": lambda matched: self._switched(matched, "reset", "RUNNING"),
            "compute.instances.delete": self._delete,
            "compute.instances.setLabels": self._set_labels,
            "compute.instances.getSerialPortOutput": self._serial,
            "compute.zoneOperations.get": self._look,
            "compute.globalOperations.aggregatedList": self._list_operations,
            "compute.zones.list": self._list_zones,
            "compute.machineTypes.aggregatedList": self._list_machine_types,
            "compute.images.list": self._list_images,
            "orgpolicy.projects.policies.getEffectivePolicy": lambda matched: {
                "name": matched.parameters["name"],
                "spec": {"rules": self.policies.get(matched.parameters["name"].rpartition("/")[2], [])},
            },
            "logging.entries.list": self._list_log,
            "cloudresourcemanager.projects.testIamPermissions": lambda matched: {
                "permissions": [each for each in matched.body["permissions"] if each in self.permissions]
            },
        }

    # Instances ------------------------------------------------------------------------------------------------------

    def _insert(self, matched: Matched) -> Any:
        zone, body = matched.parameters["zone"], dict(matched.body)
        unique = matched.parameters.get("requestId", "")
        if unique in self.by_request:
            return self._told(self.works[self.by_request[unique]])
        if self.quota:
            message = "Quota 'N2D_CPUS' exceeded.  Limit: 8.0 in region us-central1."
            raise _FailedError(_error(403, "quotaExceeded", message))
        if any(
            m.resource["name"] == body["name"] and m.resource["zone"].endswith(zone) for m in self.machines.values()
        ):
            raise _FailedError(_error(409, "alreadyExists", f"The resource '{body['name']}' already exists"))
        self.inserts.append(body)
        number = self._added(zone, body, "PROVISIONING")
        work = self._work("insert", zone, number, lambda: self._set(number, "RUNNING"))
        if zone in self.stockouts:
            detail = {
                "errorInfo": {"reason": "resource_availability", "metadatas": {"zonesAvailable": self.stockouts[zone]}}
            }
            work.errors = [
                {
                    "code": "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
                    "message": f"The zone '{zone}' does not have enough resources available.",
                    "errorDetails": [detail],
                }
            ]
            work.status, work.finish = 503, lambda: self._drop(number)
        elif self.half_way:
            work.errors = [{"code": "INTERNAL_ERROR", "message": "Internal error. Please try again."}]
            work.status, work.finish = 500, lambda: self._set(number, "TERMINATED")
        if unique:
            self.by_request[unique] = work.name
        return self._told(work)

    def _list_log(self, matched: Matched) -> Any:
        """Entries of one log and one instance: the filter that the console writes."""
        wanted = re.fullmatch(
            r'logName="(\S+)" AND resource.type="gce_instance" AND resource.labels.instance_id="(\d+)"',
            matched.body["filter"],
        )
        assert wanted is not None
        assert matched.body["orderBy"] == "timestamp desc"
        fitting = [
            entry
            for entry in self.log
            if entry["logName"] == wanted[1] and entry["resource"]["labels"]["instance_id"] == wanted[2]
        ]
        return {"entries": fitting[::-1]}

    def _get(self, matched: Matched) -> Any:
        machine = self._found(matched)
        for work in self.works.values():  # which goes on, whether it is looked at or not
            if work.target == machine.resource["id"]:
                self._goes_on(work)
        return self._found(matched).resource

    def _delete(self, matched: Matched) -> Any:
        machine = self._found(matched)
        number = machine.resource["id"]
        machine.resource["status"] = "STOPPING"
        return self._once(matched, "delete", number, lambda: self._drop(number))

    def _switched(self, matched: Matched, kind: str, status: str) -> Any:
        machine = self._found(matched)
        before = machine.resource["status"]
        if kind == "reset" and before != "RUNNING":
            raise _FailedError(_error(400, "resourceNotReady", "The instance does not run."))
        if kind != "reset" and before != status:
            machine.resource["status"] = "STOPPING" if kind == "stop" else "STAGING"
        number = machine.resource["id"]
        return self._once(matched, kind, number, lambda: self._set(number, status))

    def _set_labels(self, matched: Matched) -> Any:
        machine = self._found(matched)
        if matched.body.get("labelFingerprint") != machine.resource["labelFingerprint"]:
            raise _FailedError(_error(412, "conditionNotMet", "Labels fingerprint is not right."))
        machine.resource["labels"] = dict(matched.body["labels"])
        machine.resource["labelFingerprint"] += "x"
        return self._once(matched, "setLabels", machine.resource["id"], lambda: None)

    def _serial(self, matched: Matched) -> Any:
        machine = self._found(matched)
        start = int(matched.parameters.get("start", "0"))
        return {
            "kind": "compute#serialPortOutput",
            "contents": machine.serial[start:].decode(),
            "start": str(start),
            "next": str(len(machine.serial)),
        }

    def _list_instances(self, matched: Matched) -> Any:
        wanted = matched.parameters.get("filter", "")
        place = f"/projects/{matched.parameters['project']}/"
        found = [each.resource for each in self.machines.values() if place in each.resource["selfLink"]]
        if wanted:
            key, _, value = wanted.removeprefix("labels.").partition("=")
            found = [each for each in found if each.get("labels", {}).get(key) == value]
        found = [each for each in found if each["zone"].rpartition("/")[2] not in self.silent_zones]
        size = min(self.page, int(matched.parameters.get("maxResults", "500")))
        start = int(matched.parameters.get("pageToken", "0") or 0)
        items: dict[str, Any] = {}
        for each in found[start : start + size]:
            items.setdefault(f"zones/{each['zone'].rpartition('/')[2]}", {"instances": []})["instances"].append(each)
        for zone in self.silent_zones:
            items[f"zones/{zone}"] = {"warning": {"code": "UNREACHABLE", "message": "The zone does not answer"}}
        answer = {"kind": "compute#instanceAggregatedList", "items": items}
        if start + size < len(found):
            answer["nextPageToken"] = str(start + size)
        return answer

    def _found(self, matched: Matched) -> Machine:
        wanted, zone = matched.parameters["instance"], matched.parameters["zone"]
        for number, machine in self.machines.items():
            if machine.resource["zone"].endswith(f"/{zone}") and wanted in (number, machine.resource["name"]):
                return machine
        raise _FailedError(_error(404, "notFound", f"The resource '{wanted}' was not found"))

    def _added(self, zone: str, body: Mapping[str, Any], status: str, project: str = PROJECT) -> str:
        number = str(next(self._numbers))
        resource = {
            **body,
            "kind": "compute#instance",
            "id": number,
            "creationTimestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "status": status,
            "zone": f"{BASE}/projects/{PROJECT}/zones/{zone}",
            "selfLink": f"{BASE}/projects/{project}/zones/{zone}/instances/{body['name']}",
            "machineType": f"{BASE}/projects/{PROJECT}/{body['machineType']}",
            "labelFingerprint": "42WmSpB8rSM=",
            "disks": [{"boot": True, "licenses": [f"{BASE}/projects/debian-cloud/global/licenses/debian-12"]}],
        }
        discovery("compute.v1").check("Instance", resource, answer=True)
        self.machines[number] = Machine(resource)
        return number

    def _set(self, number: str, status: str) -> None:
        if number in self.machines:
            self.machines[number].resource["status"] = status

    def _drop(self, number: str) -> None:
        self.machines.pop(number, None)

    # Operations -----------------------------------------------------------------------------------------------------

    def _once(self, matched: Matched, kind: str, number: str, finish: Callable[[], None]) -> Any:
        unique = matched.parameters.get("requestId", "")
        if not unique:
            self.refused.append(f"{matched.method} without a request id")
        if unique in self.by_request:
            return self._told(self.works[self.by_request[unique]])
        work = self._work(kind, matched.parameters["zone"], number, finish)
        self.by_request[unique] = work.name
        return self._told(work)

    def _work(self, kind: str, zone: str, number: str, finish: Callable[[], None]) -> Work:
        work = Work(f"operation-{len(self.works) + 1}", zone, kind, number, finish)
        self.works[work.name] = work
        return work

    def _look(self, matched: Matched) -> Any:
        work = self.works.get(matched.parameters["operation"])
        if work is None:
            raise _FailedError(_error(404, "notFound", "no such operation"))
        self._goes_on(work)
        return self._told(work)

    @staticmethod
    def _goes_on(work: Work) -> None:
        work.looks += 1
        if work.looks >= 2 and not work.done:
            work.done = True
            work.finish()

    def _list_operations(self, matched: Matched) -> Any:
        items: dict[str, Any] = {}
        for work in self.works.values():
            items.setdefault(f"zones/{work.zone}", {"operations": []})["operations"].append(self._told(work))
        return {"kind": "compute#operationAggregatedList", "items": items}

    @staticmethod
    def _told(work: Work) -> dict[str, Any]:
        status = "DONE" if work.done else "RUNNING" if work.looks else "PENDING"
        answer: dict[str, Any] = {
            "kind": "compute#operation",
            "id": "1",
            "name": work.name,
            "operationType": work.kind,
            "status": status,
            "progress": 100 if work.done else 40 * work.looks,
            "zone": f"{BASE}/projects/{PROJECT}/zones/{work.zone}",
            "targetId": work.target,
            "insertTime": work.inserted,
        }
        if work.done and work.errors:
            answer |= {"error": {"errors": work.errors}, "httpErrorStatusCode": work.status}
        return answer

    # What there is to choose from -----------------------------------------------------------------------------------

    def _list_zones(self, _matched: Matched) -> Any:
        items = [
            {
                "name": zone,
                "status": "UP",
                "region": f"{BASE}/projects/{PROJECT}/regions/{zone.rpartition('-')[0]}",
                "availableCpuPlatforms": list(platforms),
            }
            for zone, platforms in ZONES.items()
        ]
        return {"kind": "compute#zoneList", "items": items}

    def _list_machine_types(self, _matched: Matched) -> Any:
        items = {}
        for zone, platforms in ZONES.items():
            offered = []
            for name, (vcpus, memory) in MACHINE_TYPES.items():
                if not name.startswith("c3-") or "Intel Sapphire Rapids" in platforms:
                    offered.append({"name": name, "guestCpus": vcpus, "memoryMb": memory, "zone": zone})
            items[f"zones/{zone}"] = {"machineTypes": offered}
        return {"kind": "compute#machineTypeAggregatedList", "items": items}

    def _list_images(self, matched: Matched) -> Any:
        items = [
            {
                "name": name,
                "family": family,
                "status": "READY",
                "creationTimestamp": "2026-11-01T00:00:00.000-07:00",
                "guestOsFeatures": [{"type": feature} for feature in features],
                "selfLink": f"{BASE}/projects/{matched.parameters['project']}/global/images/{name}",
            }
            for name, family, features in IMAGES.get(matched.parameters["project"], ())
        ]
        return {"kind": "compute#imageList", "items": items}


class _FailedError(Exception):
    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


@contextmanager
def google_compute(folder: Path) -> Iterator[tuple[TlsSite, FakeCompute]]:
    """Within, Google's SDK and the console's adapter trust the site and ask it."""
    fake = FakeCompute()
    auth = importlib.import_module("google.auth.credentials")
    # It would ask another service of Google's, in a thread of its own, for where a token may be used.
    unasked = mock.patch.object(
        auth.CredentialsWithRegionalAccessBoundary,
        "_is_regional_access_boundary_lookup_required",
        return_value=False,
    )
    with serving(fake, folder) as site:
        try:
            with environment(overrides(site)), unasked:
                yield site, fake
        finally:
            fake.ending.set()


def overrides(site: TlsSite) -> Mapping[str, str]:
    """The variables by which the SDK finds the site."""
    return {
        "REQUESTS_CA_BUNDLE": str(site.ca_file),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{site.base}/compute/v1/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER": f"{site.base}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_ORGPOLICY": f"{site.base}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"{site.base}/",
    }


def _json(value: Any) -> Response:
    return Response(json.dumps(value), 200, content_type="application/json")


def _error(status: int, reason: str, message: str) -> Response:
    body = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}
    return Response(json.dumps(body), status, content_type="application/json")
