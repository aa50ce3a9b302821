"""Bytes of a CSV become a checked table, or one clear sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.domain.errors import InvalidInput
from confvm_gui.domain.records import (
    MAXIMUM_BYTES,
    MAXIMUM_COLUMNS,
    MAXIMUM_ROWS,
    LabelKind,
    RecordsTable,
    parse_number,
    parse_records,
)


def refusal(data: bytes, **choice: str) -> str:
    """The sentence with which the bytes are refused."""
    with pytest.raises(InvalidInput) as caught:
        parse_records(data, **choice)
    assert caught.value.field == "records"
    message = caught.value.message
    assert message[0].isupper()
    assert not message.endswith(".")
    assert "\n" not in message
    return message


PEOPLE = b"name,age,height,member\nAda,36,1.68,yes\nGrace,44,1.70,no\nAlan,41,,yes\nMary,,1.6,no\n"


def test_a_plain_table() -> None:
    table = parse_records(PEOPLE)
    assert table.columns == ("name", "age", "height", "member")
    assert table.rows[2] == ("Alan", "41", "", "yes")
    assert table.numeric == (False, True, True, False)
    assert (table.index_column, table.label_column, table.label_kind) == ("name", "member", LabelKind.TWO_VALUES)
    assert table.label_rule == "member is yes (the other value is no)"
    assert table.features == ("age", "height")
    assert table.size == len(PEOPLE)


def test_a_table_does_not_print_its_rows() -> None:
    assert "Grace" not in repr(parse_records(PEOPLE))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_line_ends_and_separators(delimiter: str, end: str) -> None:
    text = end.join(delimiter.join(fields) for fields in (["a", "b", "c"], ["1", "x y", ""], ["2", "z", "w"])) + end
    table = parse_records(text.encode())
    assert table.rows == (("1", "x y", ""), ("2", "z", "w"))


def test_the_separator_is_the_one_that_all_records_agree_on() -> None:
    table = parse_records(b"what (a;b;c;d),n\nx;y,1\nz,2\n")
    assert table.columns == ("what (a;b;c;d)", "n")
    assert parse_records(b"a;b\n1,5;2,5\n").rows == (("1,5", "2,5"),)


def test_quotes_blank_lines_and_a_byte_order_mark() -> None:
    table = parse_records('\ufeff"a ""b""",c\n\n"1,\n2",x\n\n'.encode())
    assert table.columns == ('a "b"', "c")
    assert table.rows == (("1,\n2", "x"),)


def test_one_column_is_a_table_too() -> None:
    assert parse_records(b"only\nx\ny\n").rows == (("x",), ("y",))


def test_names_lose_their_outer_and_double_blanks_and_fields_keep_theirs() -> None:
    table = parse_records(b' a ,"b \n c"\n 1, x\n')
    assert table.columns == ("a", "b c")
    assert table.rows == ((" 1", " x"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "no text"),
        (b"\xef\xbb\xbf", "no text"),
        (b"a,b\n", "no records below"),
        (b"a,b\n1,2\n3\n", "Line 3 has 1 field where the header line has 2"),
        (b'a,b\n"x\ny",2\n1,2,3\n', "Line 4 has 3 fields where the header line has 2"),
        (b"a,b,c\n1,2\n", "Line 2 has 2 fields"),
        (b"a,a\n1,2\n", "Two columns have the name 'a'"),
        (b"a, a\n1,2\n", "Two columns have the name 'a'"),
        (b"a,,c\n1,2,3\n", "Column 2 has no name"),
        (b"a,b,\n1,2,\n", "Column 3 has no name"),
        (b"x" * 81 + b",b\n1,2\n", "name of column 1 is longer"),
        (b"a,b\n1,\x002\n", "not a text file: byte 6 is 0x00"),
        (b"a,b\n1,\x1f2\n", "not a text file: byte 6 is 0x1F"),
        (bytes(1000), "not a text file: byte 0 is 0x00"),
        (b"\x7fELF\x02\x01\x01", "not a text file"),
        (b"PK\x03\x04rest", "spreadsheet"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-be"), "UTF-16"),
        ("a,b\n1,é\n".encode("latin-1"), "not UTF-8 text (line 2)"),
        (b'a,b\n1,"2\n3,4\n', "record of line 2 is never closed"),
        (b'a,b\n1,"2"x\n', "quotes in line 2"),
        (b"a,b\n1," + b"x" * 131_073 + b"\n", "record of line 2 is longer than 131,072"),
        (b",".join(b"c%d" % n for n in range(MAXIMUM_COLUMNS + 1)) + b"\n", "65 columns; at most 64"),
        (b"a\n" + b"1\n" * (MAXIMUM_ROWS + 1), "more than 200,000 records"),
        (b"a\n" + b"1" * MAXIMUM_BYTES, "16.0 MiB; at most 16 MiB"),
    ],
)
def test_bad_input_is_one_sentence(data: bytes, words: str) -> None:
    assert words in refusal(data)


def test_the_greatest_number_of_rows_is_taken() -> None:
    assert len(parse_records(b"a\n" + b"1\n" * MAXIMUM_ROWS).rows) == MAXIMUM_ROWS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-2.50", -2.5),
        ("+.5", 0.5),
        ("5.", 5.0),
        (" 1e3\t", 1000.0),
        ("1E-3", 0.001),
        ("0e9999", 0.0),
        ("-0", 0.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-",
        "e5",
        "1e",
        "1,5",
        "1_0",
        "0x10",
        "inf",
        "nan",
        "1e301",
        "1e-301",
        "1e-400",
        "1 2",
        "１",
        "1" * 65,
    ],
)
def test_not_numbers(text: str) -> None:
    assert parse_number(text) is None


def label(table: RecordsTable) -> tuple[str, LabelKind]:
    return table.label_column, table.label_kind


def test_the_key_is_the_first_column_whose_values_all_differ() -> None:
    assert parse_records(b"a,b,c\nx,1,p\nx,2,q\n").index_column == "b"
    assert parse_records(b"a,b\nx,p\ny,\n").index_column == "a"
    assert parse_records(b"a,b\n1,x\n1.0,y\n").index_column == "b"  # two spellings of one number


def test_measurements_are_no_key() -> None:
    table = parse_records(b"x,y,label\n0.5,1,a\n1.5,1,b\n2.5,3,a\n")
    assert table.index_column == "x"
    assert table.index_rule == "the first column (none has values that all differ)"
    assert table.features == ("x", "y")


def test_a_key_is_not_learned_from() -> None:
    assert parse_records(b"id,x,label\n1,5,a\n2,6,b\n3,5,a\n").features == ("x",)


def test_the_label_is_the_last_column_with_two_values() -> None:
    assert label(parse_records(b"k,u,v,x\na,p,1,4\nb,q,0,5\nc,q,1,6\n")) == ("v", LabelKind.TWO_VALUES)


def test_else_it_is_the_last_numeric_column_at_its_median() -> None:
    table = parse_records(b"k,x,y\na,1,10\nb,2,20\nc,3,30\n")
    assert label(table) == ("y", LabelKind.ABOVE_MEDIAN)
    assert table.label_rule == "y is above its median"
    assert table.features == ("x",)


@pytest.mark.parametrize("data", [b"k,x\na,p\nb,q\nc,q\n", b"k,x\na,1\nb,2\nc,3\n", b"k\na\n"])
def test_where_nothing_can_be_learned_it_is_told(data: bytes) -> None:
    table = parse_records(data)
    assert label(table) == ("", LabelKind.NONE)
    assert table.features == ()
    assert table.label_rule.startswith("nothing is learned: ")


def test_two_spellings_of_two_numbers_are_two_values() -> None:
    table = parse_records(b"k,x,y\na,1,0\nb,2,1\nc,3,1.0\nd,4,0.0\n")
    assert table.label_rule == "y is 1 (the other value is 0)"


def test_a_choice_replaces_the_rule() -> None:
    table = parse_records(PEOPLE, index_column="age", label_column="height")
    assert (table.index_column, label(table)) == ("age", ("height", LabelKind.ABOVE_MEDIAN))
    assert table.features == ("age",)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"index_column": "weight"}, "no column 'weight'"),
        ({"label_column": "weight"}, "no column 'weight'"),
        ({"label_column": "name"}, "text with more than two values"),
    ],
)
def test_an_impossible_choice_is_told(choice: dict[str, str], words: str) -> None:
    assert words in refusal(PEOPLE, **choice)


def test_a_constant_label_is_told() -> None:
    assert "only one value" in refusal(b"k,x\na,1\nb,1\n", label_column="x")


def test_at_most_sixteen_columns_are_learned_from() -> None:
    header = ",".join(["k", *(f"x{n}" for n in range(30)), "y"])
    rows = "\n".join(",".join([f"r{row}", *(str(row * n % 5) for n in range(30)), str(row % 2)]) for row in range(6))
    assert parse_records(f"{header}\n{rows}".encode()).features == tuple(f"x{n}" for n in range(16))


@given(st.binary(max_size=400) | st.text(alphabet='ab1,;\n\r\t"é |.e-', max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        table = parse_records(data)
    except InvalidInput:
        return
    assert table.rows
    assert all(len(row) == len(table.columns) == len(table.numeric) for row in table.rows)
    assert table.index_column in table.columns
    assert bool(table.label_column) is bool(table.features) is bool(table.label_kind)


@given(
    st.text(max_size=70)
    | st.floats(allow_nan=False).map(repr)
    | st.from_regex(r"[+-]?[0-9]{0,9}\.?[0-9]{0,9}(e[+-]?[0-9]{1,3})?")
)
def test_what_is_a_number_is_one_for_python_too(text: str) -> None:
    value = parse_number(text)
    if value is not None:
        assert value == float(text)
