"""The records guest's results against the same computed in Python, for ordinary and awkward tables."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from confvm_gui.domain.query import Query, QueryVerb
from confvm_gui.domain.records import RecordsTable, parse_records
from confvm_gui.fleet.records import SAMPLE_RECORDS
from tests.support import records_reference as reference
from tests.support.guest_harness import RecordsRun, start_records

CLINIC = SAMPLE_RECORDS.read_bytes()


def measured(rows: int, seed: int) -> bytes:
    """A table of which something can be learned, with empty fields, constant columns and equal values."""
    draw = random.Random(seed)
    lines = ["id,constant,weight,count,tiny,huge,group,label"]
    for row in range(rows):
        weight, count = draw.gauss(70, 12), draw.randint(0, 9)
        label = draw.random() < 1 / (1 + math.exp(-(weight - 70) / 8 - count + 4))
        text = "" if draw.random() < 0.05 else f"{weight!r}"
        group = draw.choice(["", "a", "aa", "aaaaaaaa", "aaaaaaaab", "aaaaaaaaaaaaaaaaa", "ä"])
        tiny, huge = draw.gauss(1, 1) * 1e-12, draw.gauss(0, 1) * 1e30
        lines.append(f"row-number-{row * 7919 % rows:06d},0.1,{text},{count},{tiny:.5e},{huge!r},{group},{int(label)}")
    return "\n".join(lines).encode()


AWKWARD = {
    "clinic": CLINIC,
    "measured": measured(300, 1),
    "quotes": b'name,said,n\n"Smith, J.","He said ""no""\nand left",1\n"","a,b",2\nx,,3\n',
    "utf-8": "straße;größe\nÄpfel;1,5\nБерёза;2,5\n日本;\nÄ;1,5\n".encode("utf-8-sig"),
    "numbers": b"a,b\n-1,1e3\n+2.5,-1E-3\n.5,1000\n5.,1.0e+03\n-0,0.001\n0,\n  7 ,3\n1e-300,-1e300\n",
    "one column": b"only\nb\na\nb\n\n",
    "one row": b"a,b,c\n1,2,3\n",
    "no numbers": b"name,kind\nana,x\nbo,y\ncy,x\n",
    "constant": b"k,x,y,label\na,5,1,no\nb,5,2,yes\nc,5,3,no\nd,5,4,yes\n",
    "missing labels": b"k,x,label\na,1,no\nb,2,\nc,3,yes\nd,,yes\ne,5,no\n",
    "median at the top": b"k,x,y\na,1,1\nb,2,5\nc,3,5\nd,4,5\ne,7,3\n",
    "long texts": b"k,t\n1," + b"x" * 300 + b"a\n2," + b"x" * 300 + b"\n3," + b"x" * 300 + b"a\n4," + b"x" * 70 + b"\n",
}


@pytest.fixture(params=sorted(AWKWARD))
def run(request: pytest.FixtureRequest) -> RecordsRun:
    return start_records(parse_records(AWKWARD[request.param]))


def shown(table: RecordsTable, rows: list[int]) -> tuple[tuple[str, ...], ...]:
    return tuple(table.rows[row] for row in rows[:16])


def values_of(table: RecordsTable, column: int) -> list[str]:
    """Some of the column's own values, and some that are not in it."""
    own = [fields[column] for fields in table.rows[:12]]
    return [*own, "", "99999"] if table.numeric[column] else [*own, "", "a", "zzz", own[0] + " ", own[0][:-1]]


def test_lookups_by_index_find_what_python_finds(run: RecordsRun) -> None:
    table = run.table
    run.machine.run_until_printed("ready")
    for column, name in enumerate(table.columns):
        for value in values_of(table, column):
            expected = reference.equal(table, column, value)
            answer = run.ask(Query(QueryVerb.COUNT, name, value))
            assert (answer.ok, answer.count, answer.rows) == (True, len(expected), ())
            answer = run.ask(Query(QueryVerb.FIND, name, value))
            assert (answer.ok, answer.count, answer.rows) == (True, len(expected), shown(table, expected))


def test_prefixes_find_what_python_finds(run: RecordsRun) -> None:
    table = run.table
    run.machine.run_until_printed("ready")
    for column, name in enumerate(table.columns):
        for value in {fields[column][:length] for fields in table.rows[:6] for length in (0, 1, 2, 9)}:
            expected = reference.prefix(table, column, value)
            answer = run.ask(Query(QueryVerb.PREFIX, name, value))
            assert (answer.ok, answer.count, answer.rows) == (True, len(expected), shown(table, expected))


def test_ranges_find_what_python_finds(run: RecordsRun) -> None:
    table = run.table
    run.machine.run_until_printed("ready")
    ends = [("", ""), ("-1", "1"), ("1", "-1"), ("0", "0"), ("2", "5"), ("-1e300", "0.5"), ("60", "80.25"), ("3", "")]
    for name in (name for name, numeric in zip(table.columns, table.numeric, strict=True) if numeric):
        for low, high in ends:
            bounds = (float(low or "-inf"), float(high or "inf"))
            expected = reference.between(table, table.columns.index(name), *bounds)
            answer = run.ask(Query(QueryVerb.RANGE, name, low, high))
            assert (answer.ok, answer.count, answer.rows) == (True, len(expected), shown(table, expected))


def test_training_gives_the_weights_that_python_gives(run: RecordsRun) -> None:
    table = run.table
    if not table.label_column:
        run.machine.run_until_printed("training: none")
        answer = run.ask(Query(QueryVerb.PREDICT, "", "0"))
        assert not answer.ok
        return
    run.machine.run_until_printed("model 1")
    model, status = reference.train(table), run.status()
    assert float(status.values["bias"]) == pytest.approx(model.bias, rel=1e-9, abs=1e-13)
    assert list(status.weights) == list(table.features)
    assert list(status.weights.values()) == pytest.approx(model.weights, rel=1e-9, abs=1e-13)
    assert float(status.values["loss"]) == pytest.approx(model.loss, rel=1e-9)
    assert float(status.values["accuracy"]) == pytest.approx(model.accuracy, rel=1e-9)
    assert int(status.values["training_positives"]) == model.positives
    for row in range(min(5, len(table.rows))):
        answer = run.ask(Query(QueryVerb.PREDICT, "", str(row)))
        assert answer.rows == (table.rows[row],)
        chance = float(answer.note.split()[1])
        assert chance == pytest.approx(reference.predict(table, model, row), abs=1e-6)


def test_its_own_queries_are_counted_again_and_right(run: RecordsRun) -> None:
    run.machine.run_until_printed(r"queries: [1-9]\d* by index, [1-9]\d* a second; [1-9]\d* checked by scan, 0 wrong")


def test_the_clinic_can_be_learned() -> None:
    run = start_records(parse_records(CLINIC))
    printed = run.machine.run_until_printed(r"training: model 1: loss ([\d.]+), accuracy ([\d.]+) %")
    assert float(printed[2]) > 85
    assert "training: epoch 10: loss " in run.machine.console()


def test_results_are_right_wherever_the_processor_was_taken_away() -> None:
    run = start_records(parse_records(CLINIC), slice_us=150)
    run.machine.run_until_printed("training: model 1: loss 0.262965, accuracy 88.33 %")
    for row in itertools.cycle(run.table.rows):
        if run.machine.preempted >= 60:
            break
        assert run.ask(Query(QueryVerb.FIND, "visit", row[0])).rows == (row,)
        assert run.ask(Query(QueryVerb.FIND, "smoker", "yes")).count == 55
    run.machine.run_until_printed("checked by scan, 0 wrong")


def test_numbers_are_read_to_the_last_bit() -> None:
    """Neighbouring doubles, long spellings and ties between two doubles stay apart as in Python."""
    draw = random.Random(7)
    texts = ["0.1", "0.30000000000000004", "9007199254740993", "9007199254740992.99999", "1e22", "1e23", "8.5e-5"]
    texts += ["1" + "0" * 60, "0." + "0" * 60 + "1", "123456789012345678901234567890e-15", "2.2250738585072014e-200"]
    for _ in range(220):
        value = draw.choice([draw.random(), draw.gauss(0, 1) * 10.0 ** draw.randint(-290, 290), draw.random() * 2**53])
        texts += [repr(value), repr(math.nextafter(value, math.inf)), f"{value:.{draw.randint(0, 25)}e}"]
    for power in (3, 52, 53, 60, 150):  # halfway between two doubles, and just beside
        middle = (2**53 + 2 * draw.randrange(2**50) + 1) << power >> 1
        texts += [str(middle), str(middle + 1), str(middle - 1)]
    lines = [f"{text}" for text in texts if len(text) <= 64]
    table = parse_records(("n,x\n" + "".join(f"{row},{text}\n" for row, text in enumerate(lines))).encode())
    assert table.numeric == (True, True)
    run = start_records(table)
    run.machine.run_until_printed("ready")
    for text in draw.sample(lines, 150) + lines[:12] + lines[-15:]:
        expected = reference.equal(table, 1, text)
        assert run.ask(Query(QueryVerb.FIND, "x", text)).rows == shown(table, expected)
        expected = reference.between(table, 1, float(text), math.inf)
        assert run.ask(Query(QueryVerb.RANGE, "x", text, "")).rows == shown(table, expected)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(QueryVerb.COUNT, "nothing", "x"), "no column nothing"),
        (Query(QueryVerb.COUNT, "age", "old"), "numeric and old is not a number"),
        (Query(QueryVerb.RANGE, "patient", "1", "2"), "patient is not numeric"),
        (Query(QueryVerb.RANGE, "age", "x", "2"), "lower end x"),
        (Query(QueryVerb.RANGE, "age", "1", "1..2"), "upper end 1..2"),
        (Query(QueryVerb.PREDICT, "", "240"), "no row 240"),
        (Query(QueryVerb.PREDICT, "", "4294967296"), "no row 4294967296"),
        (Query(QueryVerb.COUNT, "é" * 300, "x"), "ééé…"),
    ],
)
def test_a_wrong_question_is_told(query: Query, words: str) -> None:
    run = start_records(parse_records(CLINIC))
    run.machine.run_until_printed("model 1")
    answer = run.ask(query)
    assert not answer.ok
    assert words in answer.note
    assert (answer.count, answer.rows) == (0, ())


def test_rows_that_do_not_fit_into_an_answer_are_left_out_and_told() -> None:
    note = b"n" * 9000
    table = parse_records(b"k,kind,note\n" + b"".join(b"%d,same,%d%s\n" % (row, row, note) for row in range(6)))
    run = start_records(table)
    run.machine.run_until_printed("ready")
    answer = run.ask(Query(QueryVerb.FIND, "kind", "same"))
    assert answer.count == 6
    assert answer.rows == table.rows[:3]
    assert answer.note.endswith("first 3 shown")


def test_status_names_the_columns_and_what_was_done() -> None:
    table = parse_records(CLINIC)
    run = start_records(table)
    run.machine.run_until_printed("ready")
    status = run.status()
    assert status.ready
    assert (status.columns, status.numeric) == (table.columns, table.numeric)
    assert status.values["rows"] == "240"
    assert status.values["sev"] == "1"
    assert status.values["wrong"] == "0"


def test_status_fits_with_the_widest_header() -> None:
    names = [f"{number:02d}" + "語" * 78 for number in range(64)]
    table = parse_records(
        (",".join(names) + "\n" + "\n".join(",".join(str(n * r % 7) for n in range(64)) for r in range(9))).encode()
    )
    run = start_records(table)
    run.machine.run_until_printed("model 1")
    assert run.status().columns == tuple(names)
