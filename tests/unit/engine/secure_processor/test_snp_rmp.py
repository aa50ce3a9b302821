"""The reverse map table: who owns a page, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import WrongState
from confvm_gui.engine.secure_processor.rmp import ReverseMap
from confvm_gui.engine.secure_processor.rmp_entry import PageState, Permission, RmpFault, RmpResult

PAGE = 4096
ASID = 1
GPA = 0x10000
SPA = 0x4000


@pytest.fixture
def rmp() -> ReverseMap:
    """One page that the guest on ASID has validated."""
    rmp = ReverseMap()
    assert rmp.rmpupdate(SPA, assigned=True, asid=ASID, gpa=GPA) is RmpResult.SUCCESS
    assert rmp.pvalidate(ASID, GPA, SPA) == (RmpResult.SUCCESS, True)
    return rmp


@pytest.mark.parametrize(
    ("asid", "immutable", "state"),
    [
        (0, True, PageState.FIRMWARE),
        (0, False, PageState.RECLAIM),
        (2, True, PageState.PRE_GUEST),
        (2, False, PageState.GUEST_INVALID),
    ],
)
def test_states_after_rmpupdate(asid: int, immutable: bool, state: PageState) -> None:
    rmp = ReverseMap()
    assert rmp.state(0) is PageState.HYPERVISOR
    rmp.rmpupdate(0, assigned=True, asid=asid, immutable=immutable)
    assert rmp.state(0) is state
    back = rmp.rmpupdate(0, assigned=False)
    assert back is (RmpResult.FAIL_PERMISSION if immutable else RmpResult.SUCCESS)


def test_the_hypervisor_does_not_write_private_pages(rmp: ReverseMap) -> None:
    assert rmp.host_write_fault(SPA) is RmpFault.ASSIGNED
    assert rmp.host_write_fault(SPA - 1, 2) is RmpFault.ASSIGNED
    assert rmp.host_write_fault(SPA - 1, 1) is None
    with pytest.raises(WrongState, match="RMP refuses a write of the host at 0x4010"):
        rmp.require_host_write(SPA + 16, 16)
    rmp.rmpupdate(SPA, assigned=False)
    rmp.require_host_write(SPA, PAGE)


@pytest.mark.parametrize(
    ("asid", "gpa", "spa", "vmpl", "access", "fault"),
    [
        (ASID, GPA, SPA, 0, Permission.ALL, None),
        (ASID, GPA + 8, SPA + 8, 0, Permission.READ, None),
        (2, GPA, SPA, 0, Permission.READ, RmpFault.OWNER),
        (ASID, GPA + PAGE, SPA, 0, Permission.READ, RmpFault.MOVED),
        (ASID, GPA, SPA + PAGE, 0, Permission.READ, RmpFault.NOT_ASSIGNED),
        (ASID, GPA, SPA, 1, Permission.READ, RmpFault.PERMISSION),
    ],
)
def test_a_guests_accesses(
    rmp: ReverseMap, asid: int, gpa: int, spa: int, vmpl: int, access: Permission, fault: RmpFault | None
) -> None:
    assert rmp.guest_fault(asid, gpa, spa, vmpl=vmpl, access=access) is fault


def test_a_replaced_page_is_not_validated(rmp: ReverseMap) -> None:
    rmp.rmpupdate(SPA, assigned=True, asid=ASID, gpa=GPA)
    assert rmp.guest_fault(ASID, GPA, SPA, access=Permission.READ) is RmpFault.NOT_VALIDATED


def test_a_second_validation_changes_nothing(rmp: ReverseMap) -> None:
    assert rmp.pvalidate(ASID, GPA, SPA) == (RmpResult.SUCCESS, False)
    assert rmp.pvalidate(2, GPA, SPA) == (RmpResult.FAIL_INPUT, False)
    assert rmp.pvalidate(ASID, GPA, SPA, validate=False) == (RmpResult.SUCCESS, True)
    assert rmp.state(SPA) is PageState.GUEST_INVALID


def test_shared_accesses_stay_away_from_assigned_pages(rmp: ReverseMap) -> None:
    assert rmp.guest_fault(ASID, GPA, SPA, access=Permission.WRITE, private=False) is RmpFault.ASSIGNED
    assert rmp.guest_fault(ASID, 0, 0, access=Permission.WRITE, private=False) is None


def test_rmpadjust_gives_no_more_than_one_has(rmp: ReverseMap) -> None:
    read_write = Permission.READ | Permission.WRITE

    def adjust(vmpl: int, target: int, permissions: Permission) -> RmpResult:
        return rmp.rmpadjust(ASID, GPA, SPA, vmpl=vmpl, target=target, permissions=permissions)

    assert adjust(0, 1, read_write) is RmpResult.SUCCESS
    assert adjust(1, 2, Permission.ALL) is RmpResult.FAIL_PERMISSION
    assert adjust(1, 2, Permission.READ) is RmpResult.SUCCESS
    assert adjust(1, 1, Permission.READ) is RmpResult.FAIL_INPUT
    assert adjust(2, 0, Permission.READ) is RmpResult.FAIL_INPUT
    assert rmp.guest_fault(ASID, GPA, SPA, vmpl=2, access=Permission.READ) is None
    assert rmp.guest_fault(ASID, GPA, SPA, vmpl=2, access=Permission.WRITE) is RmpFault.PERMISSION
    assert rmp.rmpadjust(2, GPA, SPA, vmpl=0, target=1, permissions=Permission.READ) is RmpResult.FAIL_INPUT


@pytest.mark.parametrize(("spa", "gpa", "count", "asid"), [(1, 0, 1, 1), (0, 5, 1, 1), (0, 0, 0, 1), (0, 0, 1, -1)])
def test_rmpupdate_checks_its_input(spa: int, gpa: int, count: int, asid: int) -> None:
    rmp = ReverseMap()
    assert rmp.rmpupdate(spa, assigned=True, asid=asid, gpa=gpa, count=count) is RmpResult.FAIL_INPUT
    assert rmp.rmpupdate(0, assigned=False, asid=1) is RmpResult.FAIL_INPUT


def test_rmpupdate_takes_all_pages_or_none(rmp: ReverseMap) -> None:
    rmp.rmpupdate(SPA + PAGE, assigned=True, immutable=True)
    assert rmp.rmpupdate(SPA - PAGE, assigned=True, asid=2, gpa=0, count=3) is RmpResult.FAIL_PERMISSION
    assert rmp.state(SPA - PAGE) is PageState.HYPERVISOR
    assert rmp.pages_of(2) == 0
    assert rmp.rmpupdate(0x100000, assigned=True, asid=2, gpa=0, count=3) is RmpResult.SUCCESS
    assert rmp.entry(0x102000).gpa == 0x2000
    assert rmp.pages_of(2) == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.booleans()), max_size=30))
def test_no_two_owners_whatever_the_hypervisor_does(steps: list[tuple[int, int, bool, bool]]) -> None:
    rmp = ReverseMap()
    for page, asid, immutable, validate in steps:
        spa = page * PAGE
        before = rmp.entry(spa)
        result = rmp.rmpupdate(spa, assigned=True, asid=asid, gpa=0, immutable=immutable)
        if result is not RmpResult.SUCCESS:
            assert rmp.entry(spa) == before
        if validate:
            rmp.pvalidate(asid, 0, spa)
        readers = [a for a in (1, 2) if rmp.guest_fault(a, 0, spa, access=Permission.READ) is None]
        assert len(readers) <= 1
        assert rmp.host_write_fault(spa) is RmpFault.ASSIGNED


# Runs of pages behave as an entry a page would ---------------------------------------------------------------------


@dataclass
class Naive:
    """A page as the table's contract has it, kept one by one."""

    asid: int
    gpa: int
    immutable: bool
    validated: bool = False
    read: bool = False


PAGES = 8
_PAGE = st.integers(0, PAGES - 1)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["assign", "take", "validate", "rescind", "adjust", "reclaim"]),
        _PAGE,
        st.integers(1, PAGES),
        st.integers(0, 2),
        st.sampled_from([0, PAGE, 5 * PAGE]),
        st.booleans(),
    ),
    max_size=40,
)


@given(_STEPS)
def test_runs_are_as_good_as_entries(steps: list[tuple[str, int, int, int, int, bool]]) -> None:
    rmp = ReverseMap()
    pages: dict[int, Naive] = {}
    for kind, first, most, asid, gpa, flag in steps:
        span = range(first, min(first + most, PAGES))
        spa, count = first * PAGE, len(span)
        touched = [pages.get(page) for page in span]
        if kind in ("assign", "take"):
            ok = not any(entry is not None and entry.immutable for entry in touched)
            if kind == "take":
                result = rmp.rmpupdate(spa, assigned=False, count=count)
            else:
                result = rmp.rmpupdate(spa, assigned=True, asid=asid, gpa=gpa, immutable=flag, count=count)
            assert result is (RmpResult.SUCCESS if ok else RmpResult.FAIL_PERMISSION)
            for index, page in enumerate(span if ok else ()):
                if kind == "take":
                    pages.pop(page, None)
                else:
                    pages[page] = Naive(asid, gpa + index * PAGE if asid else gpa, flag)
        elif kind in ("validate", "rescind"):
            wanted = kind == "validate"
            good = [
                entry
                for index, entry in enumerate(touched)
                if entry is not None and (entry.asid, entry.gpa) == (asid, gpa + index * PAGE) and not entry.immutable
            ]
            code, changed = rmp.pvalidate(asid, gpa, spa, validate=wanted, count=count)
            assert (code is RmpResult.SUCCESS) is (len(good) == count)
            if len(good) == count:
                assert changed is all(entry.validated is not wanted for entry in good)
                for entry in good:
                    entry.validated = wanted
        elif kind == "adjust":
            right = Permission.READ if flag else Permission.NONE
            result = rmp.rmpadjust(asid, gpa, spa, vmpl=0, target=1, permissions=right)
            if result is RmpResult.SUCCESS:
                pages[first].read = flag
        else:
            for place in rmp.immutable_pages(spa, count * PAGE):
                pages[place // PAGE].immutable = False
                rmp.amend(place, replace(rmp.entry(place), immutable=False))
            assert not any(pages[page].immutable for page in span if page in pages)
    for page in range(PAGES):
        kept, found = pages.get(page), rmp.entry(page * PAGE)
        assert found.assigned is (kept is not None)
        assert (rmp.host_write_fault(page * PAGE) is None) is (kept is None)
        if kept is not None:
            assert (found.asid, found.gpa) == (kept.asid, kept.gpa)
            assert (found.immutable, found.validated) == (kept.immutable, kept.validated)
            assert (found.permissions[1] is Permission.READ) is kept.read
    for asid in (0, 1, 2):
        assert rmp.pages_of(asid) == sum(entry.asid == asid for entry in pages.values())
    for first in range(PAGES):
        for asid in (1, 2):
            usable = 0
            for page in range(first, PAGES):
                gpa = (page - first + 1) * PAGE
                fault = rmp.guest_fault(asid, gpa, page * PAGE, access=Permission.WRITE)
                if fault is not None:
                    break
                usable += 1
            assert rmp.private_pages(asid, PAGE, first * PAGE, PAGES - first) == usable


def test_neighbours_that_fit_become_one_run_whatever_the_order() -> None:
    rmp = ReverseMap()
    pieces = [7, 2, 0, 5, 3, 1, 6, 4]
    for piece in pieces:
        rmp.rmpupdate(piece * 512 * PAGE, assigned=True, asid=1, gpa=piece * 512 * PAGE, count=512)
    assert rmp.run_count == 1
    for piece in pieces:
        assert rmp.pvalidate(1, piece * 512 * PAGE, piece * 512 * PAGE, count=512) == (RmpResult.SUCCESS, True)
    assert rmp.run_count == 1
    rmp.rmpupdate(100 * PAGE, assigned=False)
    assert rmp.run_count == 2
    assert rmp.pages_of(1) == 8 * 512 - 1
    rmp.rmpupdate(0, assigned=False, count=8 * 512)
    assert rmp.run_count == 0
