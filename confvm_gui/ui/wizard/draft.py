"""The request while it is being made: choices, what is pending, what is wrong with it, step by step.

Pages write to the draft and redraw when it tells that it `changed`; none of them keeps a choice of its own, so going
back and forth loses nothing. A choice that does not fit is kept and complained about, never replaced in silence:
only `apply_pending` replaces, after the list of changes was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from confvm_gui.catalog import own_cloud
from confvm_gui.catalog.fit import LIBVIRT, is_library_image, judged_as, machine_type_region_unfit, machine_type_unfit
from confvm_gui.domain.catalogue import MachineType, Technology
from confvm_gui.domain.errors import ConfvmError, InvalidInput, NotFound
from confvm_gui.domain.images import ImageState, LibraryImage, SeedSpec
from confvm_gui.domain.instance import LaunchRequest, RecordsSpec
from confvm_gui.domain.ports.provider import Provider
from confvm_gui.fleet.exposure.canary import Canary, in_seed, make_canary
from confvm_gui.fleet.launch import (
    ForcedSetting,
    LaunchPlan,
    default_request,
    free_name,
    make_confidential,
    plan_launch,
    settle,
)
from confvm_gui.ui.wizard import library_choice
from confvm_gui.ui.wizard.request_steps import FIELDS, OF_ANY_CLOUD, Pending, RecordsChoice, Step, spelled, step_of
from confvm_gui.ui.wizard.session import TakenNames, WizardSession

if TYPE_CHECKING:
    from confvm_gui.fleet.records import RecordsSummary

__all__ = ["FIELDS", "Draft", "Pending", "RecordsChoice", "Step", "step_of"]


class Draft(QObject):
    """A `LaunchRequest` in the making."""

    changed = Signal()

    def __init__(self, session: WizardSession, sample: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.catalog = session.catalog
        provider = "embedded" if "embedded" in session.providers else next(iter(session.providers), "embedded")
        cloud = own_cloud(provider) or ("gce" if "gce" in self.catalog.clouds else self.catalog.clouds[0])
        self._request = default_request(self.catalog, provider, cloud, TakenNames(session.inventory, provider))
        self._by_cloud: dict[str, LaunchRequest] = {}
        self._applied: tuple[ForcedSetting, ...] = ()
        self._complaints: dict[str, str] = {}
        self._plan: LaunchPlan | None = None
        self.pending: Pending | None = None
        self.technology_error = ""
        self.wanted = self._first_supported()
        self.labels_text = ""
        self.sample = sample
        self.records_choice = RecordsChoice.SAMPLE if sample is not None else RecordsChoice.FILE
        self.records_path = ""
        self.records_error = ""
        self.records_busy = False
        self.summary: RecordsSummary | None = None
        self.index_column: str | None = None
        self.label_column: str | None = None
        self.automatic = ("", "")
        self.touched = False
        self._cloud_before = ""
        self.seed_hostname = ""
        self._canary: Canary | None = None

    # Looking

    @property
    def request(self) -> LaunchRequest:
        """As it stands, derived settings filled in."""
        return self.plan.request

    @property
    def plan(self) -> LaunchPlan:
        if self._plan is None:
            request = self._request
            provider = self.provider
            self._plan = plan_launch(
                self.catalog,
                request,
                provider.technologies if provider is not None else frozenset(),
                TakenNames(self.session.inventory, request.provider),
            )
        return self._plan

    @property
    def provider(self) -> Provider | None:
        return self.session.providers.get(self._request.provider)

    @property
    def on_host(self) -> bool:
        return library_choice.runs_on_host(self._request)

    @property
    def boots_kernels_only(self) -> bool:
        return library_choice.boots_kernels_only(self.session, self._request)

    @property
    def host_title(self) -> str:
        """Of the libvirt host, without its address."""
        return self.provider.title.partition(" (")[0] if self.provider is not None else self._request.provider

    def clouds(self) -> tuple[str, ...]:
        """Whose catalogue can be chosen from."""
        return library_choice.clouds_for(self.catalog, self._request)

    def library_image(self) -> LibraryImage | None:
        return library_choice.chosen_image(self.session, self._request)

    def library_images(self) -> Sequence[LibraryImage]:
        return library_choice.bootable_images(self.session, self._request)

    @property
    def own_image(self) -> bool:
        """Whether an image of the library is chosen that is none of the catalogue's."""
        return is_library_image(self._request.image)

    def image_problem(self) -> str:
        """Why the chosen image cannot be booted yet, or ""."""
        if not self.on_host and not self.own_image:
            return ""
        known = self.library_image()
        if known is None or known.state is not ImageState.READY:
            return self.tr("The image is not in the library yet: download it, or choose one that is")
        return ""

    @property
    def forced_applied(self) -> tuple[ForcedSetting, ...]:
        """Changes that the checkbox made and that still stand; one that was chosen anew since is the person's."""
        request = self.request
        return tuple(item for item in self._applied if spelled(getattr(request, item.field, "")) == item.after)

    def technologies(self) -> tuple[Technology, ...]:
        """Those to choose from: what the provider can do, and what the cloud offers at all."""
        offered = set(self.provider.technologies) if self.provider is not None else set()
        offered |= set(self.catalog.offered_technologies(self._request.cloud))
        return tuple(item for item in Technology if item in offered and item is not Technology.NONE)

    def technology_reason(self, technology: Technology) -> str:
        """Why `technology` cannot be chosen, or ""."""
        provider = self.provider
        if provider is None:
            return self.tr("This provider is not connected")
        reason = provider.reason_unsupported(technology)
        if reason:
            return reason
        try:
            make_confidential(self.catalog, self._request, technology)
        except InvalidInput as error:
            return str(error)
        except NotFound:
            return ""  # an unknown choice is complained about on its own page
        return ""

    def reason_for(self, unfit: Callable[[Technology], str]) -> str:
        """Why an entry does not fit: for the technology chosen, or for a plain VM for every one of the provider's."""
        if self._request.confidential:
            return unfit(self._judged(self._request.technology))
        supported = [item for item in self.technologies() if self.provider and item in self.provider.technologies]
        reasons = [unfit(self._judged(technology)) for technology in supported or self.technologies()]
        return "" if "" in reasons or not reasons else reasons[0]

    def _judged(self, technology: Technology) -> Technology:
        return judged_as(self.catalog, self._request.provider, self._request.cloud, technology)

    def machine_reason(self, entry: MachineType) -> str:
        """Why a machine type does not fit, its region included."""
        try:
            region = self.catalog.region(self._request.cloud, self._request.region)
        except NotFound:
            return self.reason_for(partial(machine_type_unfit, entry))
        return machine_type_region_unfit(entry, region) or self.reason_for(partial(machine_type_unfit, entry))

    def problem(self, step: Step) -> str:
        """The first thing that keeps a page from being done, or ""."""
        complaint = next((self._complaints[field] for field in FIELDS[step] if field in self._complaints), "")
        if complaint:
            return complaint
        if step is Step.CONFIDENTIAL and self.pending is not None:
            return self.tr("Apply the listed changes, or keep the instance as it is")
        if step is Step.IMAGE and (problem := self.image_problem()):
            return problem
        if step is Step.DATA:
            problem = self.records_problem()
            if problem:
                return problem
        if step is Step.REVIEW and self.session.readonly:
            return self.session.readonly_reason or self.tr("The console was opened for reading only")
        return self.field_problem(*FIELDS[step])

    def field_problem(self, *fields: str) -> str:
        """The first thing that is wrong with one of `fields`, or ""."""
        complaint = next((self._complaints[field] for field in fields if field in self._complaints), "")
        if not complaint and "technology" in fields and not self._request.confidential and self.provider is not None:
            complaint = self.provider.reason_unsupported(Technology.NONE)  # where only confidential VMs are allowed
        return complaint or self.plan.problem(*fields)

    def records_problem(self) -> str:
        """What is wrong with the records as chosen, or ""."""
        if not library_choice.takes_records(self._request) or self.records_choice is RecordsChoice.NONE:
            return ""
        if self.records_choice is RecordsChoice.FILE and not self.records_path.strip():
            return self.records_error or self.tr("Choose a CSV file, or take the shipped sample")
        if self.records_busy:
            return self.tr("The records are being checked …")
        if self.records_error:
            return self.records_error
        return "" if self.summary is not None else self.tr("The records have not been checked yet")

    def records_file(self) -> Path | None:
        """The file that the choice names, checked or not."""
        match self.records_choice:
            case RecordsChoice.SAMPLE:
                return self.sample
            case RecordsChoice.FILE:
                text = self.records_path.strip()
                return Path(text).expanduser() if text else None
            case RecordsChoice.NONE:
                return None

    def suggested_name(self) -> str:
        """A free name like the one given."""
        taken = TakenNames(self.session.inventory, self._request.provider)
        return free_name(self._request.name or "confidential-1", taken)

    def finished(self) -> LaunchRequest:
        """The request to submit. Raises InvalidInput for what is still wrong."""
        for step in Step:
            problem = self.problem(step)
            if problem:
                raise InvalidInput(FIELDS[step][0], problem)
        # What only the one kind of provider takes is kept in the draft, for a change of mind, and not sent.
        request = self.request
        return replace(
            request,
            records=request.records if library_choice.takes_records(request) else None,
            seed=request.seed if self.on_host else None,
        )

    # Choosing

    def choose_name(self, name: str) -> None:
        seed = self._request.seed
        if seed is not None and not self.seed_hostname:
            seed = replace(seed, hostname=name)
        self._set("name", replace(self._request, name=name, seed=seed))

    def choose_provider(self, name: str) -> None:
        """Take the provider, and with it a cloud that it has: a host has none but its own."""
        old = self._request.cloud
        self._set("provider", replace(self._request, provider=name))
        if old not in self.clouds():
            self.choose_cloud(self._cloud_before if self._cloud_before in self.clouds() else self.clouds()[0])
            self._cloud_before = old
            self.wanted = self._first_supported()
            if self._request.technology is not Technology.NONE and self.technology_reason(self._request.technology):
                self.make_plain()

    def choose_cloud(self, cloud: str) -> None:
        """Take the choices made for `cloud` before, or its defaults; what is not the cloud's own stays."""
        old = self._request
        if cloud == old.cloud:
            return
        self._by_cloud[old.cloud] = old
        base = self._by_cloud.get(cloud)
        if base is None:
            try:
                base = default_request(self.catalog, old.provider, cloud)
            except InvalidInput as error:
                self.complain(error)
                return
        self.pending = None
        self._applied = ()
        # On libvirt hosts a disk is plain unless a key is asked for.
        kept = OF_ANY_CLOUD if LIBVIRT in (cloud, old.cloud) else (*OF_ANY_CLOUD, "disk_key")
        self._set("cloud", replace(base, **{field: getattr(old, field) for field in kept}))

    def choose_region(self, name: str) -> None:
        """Take region `name`, and its first zone that fits unless the zone is one of its own."""
        if name == self._request.region:
            return
        region = self.catalog.region(self._request.cloud, name)
        zones = region.technology_zones(self._judged(self._request.technology)) or region.zones
        if not self._request.confidential:
            offered = [region.technology_zones(self._judged(item)) for item in self.technologies()]
            zones = next((zones for zones in offered if zones), region.zones)
        self._set("region", replace(self._request, region=name, zone=zones[0]))

    def choose_zone(self, zone: str) -> None:
        self._set("zone", replace(self._request, zone=zone))

    def choose_machine_type(self, name: str) -> None:
        self._set("machine_type", self._settled(replace(self._request, machine_type=name)))

    def choose_image(self, name: str) -> None:
        self._set("image", self._settled(replace(self._request, image=name)))

    def choose_shielded(self, *, secure_boot: bool, vtpm: bool, integrity_monitoring: bool) -> None:
        # Integrity monitoring compares the vTPM's registers: without a vTPM there are none.
        self._set(
            "secure_boot",
            replace(
                self._request,
                secure_boot=secure_boot,
                vtpm=vtpm,
                integrity_monitoring=integrity_monitoring and vtpm,
            ),
        )

    def choose_attest(self, attest: bool) -> None:
        """Whether a launch is verified before it gets its keys."""
        self._set("attest", replace(self._request, attest=attest))

    def choose_seed(self, hostname: str, user: str, ssh_keys: tuple[str, ...], *, canary: bool = False) -> None:
        """What cloud-init is told; without a hostname it gets the instance's name. `canary`: plant one."""
        self.seed_hostname = hostname
        told = hostname or user or ssh_keys or canary
        seed = SeedSpec(hostname or self._request.name, user, ssh_keys) if told else None
        if seed is not None and canary:
            self._canary = self._canary or make_canary()
            seed = in_seed(seed, self._canary)
        self._set("seed", replace(self._request, seed=seed))

    def choose_disk_key(self, key_ref: str) -> None:
        self._set("disk_key", replace(self._request, disk_key=key_ref.strip()))

    def choose_labels(self, text: str, labels: Mapping[str, str]) -> None:
        self.labels_text = text
        self._set("labels", replace(self._request, labels=labels))

    def take_over(self, request: LaunchRequest, fields: Sequence[str]) -> None:
        """`request` in place of this one, of which it differs in `fields`."""
        self._request, self.pending, self._applied, self.touched, self.labels_text = request, None, (), True, ""
        self.wanted = request.technology if request.confidential else self.wanted
        self._tell(*fields)

    # The checkbox

    def ask_confidential(self, technology: Technology) -> None:
        """Work out what `technology` changes: pending if that is anything, applied at once if it is nothing."""
        self.wanted = technology
        self.technology_error = self.technology_reason(technology)
        self.pending = None
        if not self.technology_error:
            try:
                changed, forced = make_confidential(self.catalog, self._request, technology)
            except (InvalidInput, NotFound) as error:
                self.technology_error = str(error)
            else:
                if forced:
                    self.pending = Pending(technology, changed, forced)
                else:
                    self._request = changed
        self._tell("technology")

    def apply_pending(self) -> None:
        if self.pending is not None:
            self._request, self._applied = self.pending.request, self.pending.forced
            self.pending = None
            self._tell("technology", *(item.field for item in self._applied))

    def drop_pending(self) -> None:
        """Keep the request as it is: plain, or with the technology that it has."""
        self.pending = None
        self.technology_error = ""
        if self._request.confidential:
            self.wanted = self._request.technology
        self._tell("technology")

    def make_plain(self) -> None:
        self.pending = None
        self.technology_error = ""
        self._request = self._settled(replace(self._request, technology=Technology.NONE))
        self._applied = ()
        self._tell("technology")

    def want(self, technology: Technology) -> None:
        """Remember which technology ticking the checkbox would take."""
        self.wanted = technology
        self.technology_error = ""
        self._tell("technology")

    # Records

    def choose_records(self, choice: RecordsChoice, path: str | None = None) -> None:
        """Another choice or path: what was known of the old file no longer counts."""
        path = self.records_path if path is None else path
        if (choice, path) == (self.records_choice, self.records_path):
            return
        same_file = choice is self.records_choice is not RecordsChoice.FILE
        self.records_choice, self.records_path = choice, path
        if not same_file:
            self.forget_records()

    def forget_records(self) -> None:
        """Nothing is known of the file: it is another one."""
        self.summary = None
        self.index_column = self.label_column = None
        self.records_error = ""
        self.records_busy = False
        self._set("records", replace(self._request, records=None))

    def choose_columns(self, index_column: str | None, label_column: str | None) -> None:
        """None for a column means that the records decide. The choice must be checked again."""
        self.index_column, self.label_column = index_column, label_column
        self.touched = True

    def records_checking(self) -> None:
        self.records_busy = True
        self._tell()

    def records_found(self, summary: RecordsSummary) -> None:
        self.records_busy = False
        self.records_error = ""
        self.summary = summary
        self.automatic = (
            summary.index_column if self.index_column is None else self.automatic[0],
            summary.label_column if self.label_column is None else self.automatic[1],
        )
        records = RecordsSpec(summary.path, self.index_column, self.label_column)
        touched = self.touched
        self._set("records", replace(self._request, records=records))
        # Looking at the sample is nothing that could be lost.
        self.touched = touched or self.records_choice is RecordsChoice.FILE

    def records_failed(self, message: str) -> None:
        """The check said no. With columns chosen by hand the table stays in sight, so that others can be chosen."""
        self.records_busy = False
        self.records_error = message
        if self.index_column is None and self.label_column is None:
            self.summary = None
        self._set("records", replace(self._request, records=None))

    # Refusals from outside

    def complain(self, error: ConfvmError) -> Step:
        """Show `error` at its field until that is changed; the page that it belongs to."""
        field = error.field if isinstance(error, InvalidInput) else "request"
        if not any(field in fields for fields in FIELDS.values()):
            field = "request"
        self._complaints[field] = str(error)
        self.changed.emit()
        return step_of(field)

    def recheck(self) -> None:
        """The world changed (the inventory, the provider): look again, and tell if that made a difference."""
        before = self._plan
        self._plan = None
        if before is None or before != self.plan:
            self.changed.emit()

    def provider_learnt(self) -> None:
        """What the provider's host can do is known now."""
        self._plan = None
        if not self._request.confidential and self.technology_reason(self.wanted):
            self.wanted = self._first_supported()
        self.changed.emit()

    def _first_supported(self) -> Technology:
        supported: Sequence[Technology] = [item for item in self.technologies() if not self.technology_reason(item)]
        return supported[0] if supported else Technology.SEV

    def _settled(self, request: LaunchRequest) -> LaunchRequest:
        try:
            return settle(self.catalog, request)
        except NotFound:
            return request  # the plan complains about the machine type

    def _set(self, field: str, request: LaunchRequest) -> None:
        if request != self._request:
            self.touched = True
        self._request = request
        if self.pending is not None:
            # What is pending was worked out for other choices.
            self._plan = None
            self._complaints.pop(field, None)
            self.ask_confidential(self.pending.technology)
            return
        self._tell(field)

    def _tell(self, *fields: str) -> None:
        for field in (*fields, "request"):
            self._complaints.pop(field, None)
        self._plan = None
        self.changed.emit()
