"""`confvm bench`: which figures, how they are printed, and that a ratio is made of what was measured."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import pytest

from confvm_gui.app import bench_command
from confvm_gui.app.bench.figure import Figure, Judged, Rounds, Target, duration, in_turns, medians, throughput
from confvm_gui.app.bench.fleet_rows import made_up_fleet
from confvm_gui.domain.errors import BugError, InvalidInput, Unsupported
from confvm_gui.domain.instance import InstanceState

AT_LEAST = Target(Judged.RATIO, 0.4, at_least=True)
AT_MOST = Target(Judged.MEASURED, 50.0, at_least=False)


def _speed(ours: tuple[float, ...] = (2.0, 4.0, 2.0), theirs: tuple[float, ...] = (1.0, 1.0, 2.0)) -> Figure:
    return throughput(
        "speed", "bytes read", "bytes copied", Rounds(ours, theirs), work=8.0, unit="GiB/s", target=AT_LEAST
    )


def _time() -> Figure:
    rounds = Rounds((0.030, 0.090, 0.040), (0.010, 0.020, 0.080))
    return duration("time", "a keystroke", "a loop", rounds, target=AT_MOST, detail={"rows": 123456.0})


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two figures in place of the real ones; the list tells which were measured."""
    measured: list[str] = []

    def speed() -> Figure:
        measured.append("speed")
        return _speed()

    def taken() -> Figure:
        measured.append("time")
        return _time()

    made: Mapping[str, object] = {"speed": speed, "time": taken}
    monkeypatch.setattr(bench_command, "FIGURES", made)
    return measured


def test_a_throughput_is_work_over_the_median_and_its_ratio_grows_with_speed() -> None:
    figure = _speed()
    assert (figure.measured, figure.reference) == (4.0, 8.0)
    assert figure.ratio == 0.5
    assert figure.ratio_spread == (0.25, 1.0)
    assert figure.rounds == 3
    assert figure.met
    assert not _speed(ours=(4.0, 4.0, 4.0)).met


def test_a_duration_is_the_median_and_its_ratio_grows_with_time() -> None:
    figure = _time()
    assert (figure.measured, figure.reference) == pytest.approx((40.0, 20.0))
    assert figure.ratio == pytest.approx(2.0)
    assert figure.ratio_spread == pytest.approx((0.5, 4.5))
    assert figure.met


def test_measurement_and_reference_take_turns() -> None:
    order: list[str] = []

    def ours() -> float:
        order.append("a")
        return 1.0

    def theirs() -> float:
        order.append("b")
        return 2.0

    rounds = in_turns(3, ours, theirs)
    assert "".join(order) == "ababab"
    assert rounds == Rounds((1.0, 1.0, 1.0), (2.0, 2.0, 2.0))
    assert medians([[1, 9], [2, 8], [5, 7]]) == [2, 8]


@pytest.mark.parametrize(("ours", "theirs"), [((), ()), ((1.0,), ()), ((1.0, 1.0), (1.0,)), ((0.0,), (1.0,))])
def test_a_figure_without_its_reference_is_none(ours: tuple[float, ...], theirs: tuple[float, ...]) -> None:
    with pytest.raises(BugError):
        Rounds(ours, theirs)


def test_all_figures_are_measured_when_none_is_named(figures: list[str]) -> None:
    out = io.StringIO()
    assert bench_command.run_bench([], False, out) == 0
    assert figures == ["speed", "time"]
    lines = out.getvalue().splitlines()
    assert lines[0] == "speed: bytes read"
    assert "  measured   4 GiB/s" in lines
    assert "  reference  8 GiB/s: bytes copied" in lines
    assert "  ratio      0.5 (0.25 to 1 over 3 rounds)" in lines
    assert "  target     a ratio of at least 0.4: met" in lines
    assert "  target     at most 50 ms: met" in lines
    assert "  also       rows: 123,456" in lines


def test_named_figures_are_measured_once_in_the_order_given(figures: list[str]) -> None:
    bench_command.run_bench(["time", "speed", "time"], False, io.StringIO())
    assert figures == ["time", "speed"]


def test_json_has_the_same_numbers(figures: list[str]) -> None:
    out = io.StringIO()
    assert bench_command.run_bench(["speed"], True, out) == 0
    told = json.loads(out.getvalue())
    assert told["computer"]["processors"] >= 1
    (figure,) = told["figures"]
    assert figure["name"] == "speed"
    assert (figure["measured"], figure["reference"], figure["ratio"]) == (4.0, 8.0, 0.5)
    assert figure["target"] == {"for": "ratio", "at_least": 0.4}
    assert figure["met"] is True


def test_a_missed_target_is_told_by_word_and_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_command, "FIGURES", {"speed": lambda: _speed(ours=(4.0, 4.0, 4.0))})
    out = io.StringIO()
    assert bench_command.run_bench([], False, out) == 1
    assert "at least 0.4: missed" in out.getvalue()


def test_an_unknown_figure_is_refused_before_any_is_measured(figures: list[str]) -> None:
    with pytest.raises(InvalidInput, match="no figure 'sped'; choose among speed, time") as refused:
        bench_command.run_bench(["time", "sped"], False, io.StringIO())
    assert refused.value.field == "name"
    assert not figures


def test_the_made_up_fleet_is_the_same_each_time_and_has_distinct_names() -> None:
    fleet = made_up_fleet(300)
    assert fleet == made_up_fleet(300)
    assert len({instance.name for instance in fleet}) == len({instance.id for instance in fleet}) == 300
    assert len({instance.region for instance in fleet}) > 1
    assert {instance.state for instance in made_up_fleet(20, state=InstanceState.STOPPED)} == {InstanceState.STOPPED}


def test_what_this_computer_lacks_is_told_and_the_others_are_measured(
    figures: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking() -> Figure:
        raise Unsupported("there is no libvirtd")

    monkeypatch.setattr(bench_command, "FIGURES", {"hosts": lacking, **vars(bench_command)["FIGURES"]})
    out = io.StringIO()
    assert bench_command.run_bench([], False, out) == bench_command.run_bench(["speed", "time"], True, io.StringIO())
    assert "hosts: not measured. there is no libvirtd" in out.getvalue()
    assert figures[:2] == ["speed", "time"]
    out = io.StringIO()
    assert bench_command.run_bench(["hosts", "speed"], True, out) == 2
    said = json.loads(out.getvalue())
    assert said["not_measured"] == {"hosts": "there is no libvirtd"}
    assert [figure["name"] for figure in said["figures"]] == ["speed"]
