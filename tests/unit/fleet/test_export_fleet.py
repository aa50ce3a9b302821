"""The fleet as a table."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from confvm_gui.fleet.export.fleet_table import COLUMNS, defused, write_fleet
from tests.support.wizard_session import instance_named as instance


def test_every_field_of_every_instance_is_there() -> None:
    labels = {"team": 'red, "blue"', "note": "a\nb"}
    out = io.StringIO()
    write_fleet([instance("a"), replace(instance("b"), labels=labels, name="=cmd()")], out)
    first, second = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert tuple(first) == COLUMNS
    assert (first["name"], first["state"]) == ("a", "running")
    assert second["name"] == "'=cmd()"
    assert json.loads(second["labels"]) == labels


@given(st.text(max_size=30))
def test_no_text_is_a_formula(text: str) -> None:
    assert not defused(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert defused(text).endswith(text)
