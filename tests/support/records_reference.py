"""The records guest's results, computed a second time in Python: index order, queries, training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from confvm_gui.domain.records import LabelKind, RecordsTable, parse_number

EPOCHS = 100
RATE = 0.3


@dataclass
class Model:
    bias: float
    weights: list[float]
    loss: float
    accuracy: float
    positives: int
    means: list[float]
    scales: list[float]


def key(table: RecordsTable, column: int, row: int) -> tuple[float, bytes]:
    """By which the column's index is ordered: empty numbers first."""
    text = table.rows[row][column]
    if not table.numeric[column]:
        return (0.0, text.encode())
    value = parse_number(text)
    return (-math.inf if value is None else value, b"")


def order(table: RecordsTable, column: int) -> list[int]:
    return sorted(range(len(table.rows)), key=lambda row: key(table, column, row))


def equal(table: RecordsTable, column: int, value: str) -> list[int]:
    """Rows that `count` and `find` are about."""
    if not table.numeric[column]:
        return [row for row, fields in enumerate(table.rows) if fields[column] == value]
    wanted = parse_number(value)
    return [row for row, fields in enumerate(table.rows) if parse_number(fields[column]) == wanted]


def prefix(table: RecordsTable, column: int, value: str) -> list[int]:
    rows = range(len(table.rows)) if table.numeric[column] else order(table, column)
    return [row for row in rows if table.rows[row][column].startswith(value)]


def between(table: RecordsTable, column: int, low: float, high: float) -> list[int]:
    def inside(row: int) -> bool:
        value = parse_number(table.rows[row][column])
        return value is not None and low <= value <= high

    return [row for row in order(table, column) if inside(row)]


def label(table: RecordsTable, row: int) -> int | None:
    """1, 0 or None for a row without one."""
    column = table.columns.index(table.label_column)
    present = [at for at in order(table, column) if table.rows[at][column].strip()]
    text = table.rows[row][column]
    if table.label_kind is LabelKind.TWO_VALUES:
        high = key(table, column, present[-1])
    else:
        median = present[(len(present) - 1) // 2]
        above = [at for at in present if key(table, column, at) > key(table, column, median)]
        high = key(table, column, above[0] if above else median)
    if not text.strip():
        return None
    return int(key(table, column, row) >= high)


def train(table: RecordsTable) -> Model:
    labels = [label(table, row) for row in range(len(table.rows))]
    used = [row for row, value in enumerate(labels) if value is not None]
    y = [value for value in labels if value is not None]
    columns = [table.columns.index(name) for name in table.features]
    raw = [[parse_number(table.rows[row][column]) for column in columns] for row in used]
    means, scales = [], []
    for f in range(len(columns)):
        values = [x for x in (sample[f] for sample in raw) if x is not None]
        mean = math.fsum(values) / len(values) if values else 0.0
        variance = math.fsum((x - mean) ** 2 for x in values) / len(values) if values else 0.0
        means.append(mean)
        scales.append(1 / math.sqrt(variance) if variance > 1e-24 * mean * mean else 0.0)
    x = [[0.0 if v is None else (v - m) * s for v, m, s in zip(sample, means, scales, strict=True)] for sample in raw]
    bias, weights = 0.0, [0.0] * len(columns)
    loss = accuracy = 0.0
    for epoch in range(EPOCHS + 1):
        scores = [bias + sum(w * v for w, v in zip(weights, sample, strict=True)) for sample in x]
        chances = [1 / (1 + math.exp(-z)) for z in scores]
        loss = sum(-math.log(p if t else 1 - p) for p, t in zip(chances, y, strict=True)) / len(y)
        accuracy = sum((z >= 0) == bool(t) for z, t in zip(scores, y, strict=True)) / len(y)
        if epoch < EPOCHS:
            errors = [p - t for p, t in zip(chances, y, strict=True)]
            bias -= RATE * sum(errors) / len(y)
            weights = [
                w - RATE * sum(e * sample[f] for e, sample in zip(errors, x, strict=True)) / len(y)
                for f, w in enumerate(weights)
            ]
    return Model(bias, weights, loss, accuracy, sum(y), means, scales)


def predict(table: RecordsTable, model: Model, row: int) -> float:
    z = model.bias
    for name, weight, mean, scale in zip(table.features, model.weights, model.means, model.scales, strict=True):
        value = parse_number(table.rows[row][table.columns.index(name)])
        z += weight * (0.0 if value is None else (value - mean) * scale)
    return 1 / (1 + math.exp(-z))
