"""The search: nearest launches first, bounded, and cheap for each number of vCPUs.

All vCPUs but the first have one VMSA, so the digest of n + 1 vCPUs goes on from that of n. A search over 255 numbers
costs little more than the digest of 255 vCPUs, and the firmware is hashed once (FirmwareDigests).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from confvm_gui.attestation.digest_solver.search_space import (
    SearchSpace,
    cpu_name,
    feature_names,
)
from confvm_gui.attestation.digest_solver.target import Target
from confvm_gui.domain.errors import InvalidInput
from confvm_gui.sev.expected_digest import (
    FirmwareDigests,
    LaunchInputs,
    LaunchMode,
    expected_launch_digest,
    launch_vmsas,
)
from confvm_gui.sev.snp_launch_digest import SnpLaunchDigest
from confvm_gui.sev.vmsa import VmmType

MOST_DIGESTS: Final = 3_000_000
"""Digests that a search computes at most unless told otherwise: some ten seconds."""
_STEP: Final = 512
"""Digests between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Match:
    """A launch that has the digest."""

    inputs: LaunchInputs
    es_features: int
    """SEV_FEATURES of a SEV-ES launch, which `inputs` do not carry; 0 otherwise."""
    firmware: str
    """Name of the build."""
    digest: bytes
    differences: tuple[str, ...]
    """What is not as expected, a clause each; empty if the expected launch itself matches."""


class Progress(NamedTuple):
    """Where the search is. `match` is set where one was just found."""

    tried: int
    total: int
    """Digests in the whole space, an upper bound."""
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """How a search ended."""

    matches: tuple[Match, ...]
    tried: int
    total: int
    complete: bool
    """False if the bound was met or the search was cancelled before all was tried."""


class _Choice(NamedTuple):
    """An index into each dimension but the number of vCPUs; 0 is the expected option.

    In the order in which differences are plausible: at the same distance the first are tried first.
    """

    fpu_reset: int
    features: int
    kernel: int
    cpu: int
    firmware: int
    vmm: int
    mode: int
    vmsa_gpa: int


def search(target: Target, space: SearchSpace, known: FirmwareDigests | None = None) -> Iterator[Progress]:
    """Try all of `space`, those with the fewest differences first; whoever has seen enough stops iterating.

    A progress comes at least every few hundred digests (a millisecond or so) and with every match. Launches that
    cannot be (a firmware without SNP, a kernel that the firmware does not measure) are passed over.
    """
    digests = known or FirmwareDigests(len(space.firmware))
    total = size(space)
    tried = 0
    reported = 0
    for choice, counts in _nearest_first(space):
        inputs = _inputs(space, choice)
        try:
            found = _digests(inputs, _es_features(space, choice), counts, digests)
            for vcpus, digest in found:
                tried += 1
                if (besides := target.matches(digest)) is not None:
                    yield Progress(tried, total, _match(space, choice, inputs, vcpus, digest, besides))
                    reported = tried
                elif tried - reported >= _STEP:
                    reported = tried
                    yield Progress(tried, total)
        except InvalidInput:
            continue  # no host can launch this
    yield Progress(tried, total)


def solve(
    target: Target,
    space: SearchSpace,
    *,
    known: FirmwareDigests | None = None,
    most: int = MOST_DIGESTS,
    find_all: bool = False,
    progress: Callable[[int, int], None] = lambda tried, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Solution:
    """The nearest match, or with `find_all` every one, within `most` digests.

    `progress` and `cancelled` are called about once a millisecond, on the calling thread.
    """
    matches: list[Match] = []
    at = Progress(0, size(space))
    for at in search(target, space, known):
        progress(at.tried, at.total)
        if at.match is not None:
            matches.append(at.match)
            if not find_all:
                return Solution(tuple(matches), at.tried, at.total, complete=True)
        if at.tried >= most or cancelled():
            return Solution(tuple(matches), at.tried, at.total, complete=False)
    return Solution(tuple(matches), at.tried, at.total, complete=True)


def size(space: SearchSpace) -> int:
    """Digests in `space`, impossible launches included."""
    per_choice = len(set(range(1, space.most_vcpus + 1)) | {space.vcpus})
    return sum(1 if choice_mode is LaunchMode.SEV else per_choice for choice_mode in _modes_of_choices(space))


def _modes_of_choices(space: SearchSpace) -> Iterator[LaunchMode]:
    for choice in itertools.product(*(range(length) for length in _lengths(space))):
        picked = _Choice(*choice)
        if _counts_in(space, picked):
            yield space.modes[picked.mode]


def _lengths(space: SearchSpace) -> tuple[int, ...]:
    return (
        len(space.fpu_resets),
        max(len(space.snp_features), len(space.es_features)),
        len(space.kernels),
        len(space.cpu_signatures),
        len(space.firmware),
        len(space.vmms),
        len(space.modes),
        len(space.vmsa_gpas),
    )


def _nearest_first(space: SearchSpace) -> Iterator[tuple[_Choice, tuple[int, ...]]]:
    """Choices by the number of their differences; another number of vCPUs is a difference too."""
    expected = (space.vcpus,)
    others = tuple(count for count in range(1, space.most_vcpus + 1) if count != space.vcpus)
    for distance in range(len(_Choice._fields) + 2):
        for choice in _at_distance(space, distance):
            yield choice, expected
        if distance and others:
            for choice in _at_distance(space, distance - 1):
                if space.modes[choice.mode] is not LaunchMode.SEV:
                    yield choice, others


def _at_distance(space: SearchSpace, distance: int) -> Iterator[_Choice]:
    lengths = _lengths(space)
    for dimensions in itertools.combinations(range(len(lengths)), distance):
        for options in itertools.product(*(range(1, lengths[dimension]) for dimension in dimensions)):
            indices = [0] * len(lengths)
            for dimension, option in zip(dimensions, options, strict=True):
                indices[dimension] = option
            choice = _Choice(*indices)
            if _counts_in(space, choice):
                yield choice


def _counts_in(space: SearchSpace, choice: _Choice) -> bool:
    """Whether every difference of `choice` reaches the digest; those that do not would only repeat others."""
    mode, vmm = space.modes[choice.mode], space.vmms[choice.vmm]
    if mode is LaunchMode.SEV:
        return not (choice.fpu_reset or choice.features or choice.cpu or choice.vmm or choice.vmsa_gpa)
    features = space.snp_features if mode is LaunchMode.SEV_SNP else space.es_features
    if choice.features >= len(features):
        return False
    if vmm is not VmmType.QEMU and (choice.cpu or choice.fpu_reset):
        return False
    return not choice.vmsa_gpa or (mode is LaunchMode.SEV_SNP and vmm is VmmType.GCE)


def _inputs(space: SearchSpace, choice: _Choice) -> LaunchInputs:
    mode = space.modes[choice.mode]
    return LaunchInputs(
        mode,
        space.firmware[choice.firmware].image,
        vcpus=space.vcpus,
        cpu_signature=space.cpu_signatures[choice.cpu],
        vmm=space.vmms[choice.vmm],
        guest_features=space.snp_features[choice.features] if mode is LaunchMode.SEV_SNP else 1,
        kernel=space.kernels[choice.kernel].hashes,
        fpu_reset=space.fpu_resets[choice.fpu_reset],
        vmsa_gpa=space.vmsa_gpas[choice.vmsa_gpa],
    )


def _es_features(space: SearchSpace, choice: _Choice) -> int:
    return space.es_features[choice.features] if space.modes[choice.mode] is LaunchMode.SEV_ES else 0


def _digests(
    inputs: LaunchInputs, es_features: int, counts: tuple[int, ...], known: FirmwareDigests
) -> Iterator[tuple[int, bytes]]:
    """The digest for each of `counts`, which rise; InvalidInput where such a launch is not possible."""
    if inputs.mode is LaunchMode.SEV:
        yield counts[0], expected_launch_digest(inputs, known)
        return
    last = counts[-1]
    wanted = set(counts)
    # A firmware that does not say where further vCPUs start serves one.
    vmsas = launch_vmsas(inputs._replace(vcpus=min(last, 2)))
    if inputs.mode is LaunchMode.SEV_SNP:
        snp = SnpLaunchDigest(expected_launch_digest(inputs._replace(vcpus=1), known))
        for vcpus in range(1, last + 1):
            if vcpus > 1:
                snp.add_vmsa(vmsas[1].page, inputs.vmsa_gpa)
            if vcpus in wanted:
                yield vcpus, snp.digest
        return
    # Under SEV-ES the VMSAs come last too, behind all that a SEV launch measures.
    expected_launch_digest(inputs._replace(mode=LaunchMode.SEV), known)  # raises where the kernel is not measured
    running = known.sha256(inputs.firmware)
    if inputs.kernel is not None:
        running.update(inputs.kernel.table())
    pages = [vmsa.replaced(None, {"sev_features": es_features}).page for vmsa in vmsas]
    for vcpus in range(1, last + 1):
        running.update(pages[0] if vcpus == 1 else pages[1])
        if vcpus in wanted:
            yield vcpus, running.digest()


def _match(
    space: SearchSpace, choice: _Choice, inputs: LaunchInputs, vcpus: int, digest: bytes, besides: tuple[str, ...]
) -> Match:
    clauses = []
    mode = inputs.mode
    if choice.mode:
        clauses.append(f"the guest was launched in mode {mode.value}, not {space.modes[0].value}")
    if choice.firmware:
        clauses.append(f"the firmware is {space.firmware[choice.firmware].name}, not {space.firmware[0].name}")
    if choice.kernel:
        clauses.append(space.kernels[choice.kernel].clause)
    if choice.vmm:
        clauses.append(f"the VMM is {inputs.vmm.value}, not {space.vmms[0].value}")
    if choice.cpu:
        clauses.append(f"the vCPU type is {cpu_name(inputs.cpu_signature)}, not {cpu_name(space.cpu_signatures[0])}")
    if choice.fpu_reset:
        clauses.append(
            "the host kernel sets MXCSR and FCW (Linux 6.10 or later)"
            if inputs.fpu_reset
            else "the host kernel leaves MXCSR and FCW zero (before Linux 6.10)"
        )
    if choice.features:
        options = space.snp_features if mode is LaunchMode.SEV_SNP else space.es_features
        clauses.append(
            f"SEV_FEATURES are {feature_names(options[choice.features])}, not {feature_names(options[0])}"
            + (" (DebugSwap is on by default in Linux 6.6 and 6.7)" if options[choice.features] & 0x20 else "")
        )
    if choice.vmsa_gpa:
        clauses.append(f"the VMSAs lie at {inputs.vmsa_gpa:#x}, not {space.vmsa_gpas[0]:#x}")
    if vcpus != space.vcpus and mode is not LaunchMode.SEV:
        clauses.append(f"the guest has {vcpus} vCPUs, not {space.vcpus}")
    return Match(
        inputs._replace(vcpus=vcpus),
        _es_features(space, choice),
        space.firmware[choice.firmware].name,
        digest,
        (*clauses, *besides),
    )
