#include "query.h"

#include "index.h"
#include "mailbox.h"
#include "number.h"
#include "paging.h"
#include "platform.h"
#include "training.h"
#include "work.h"
#include "workload.h"

#define SHOWN_ROWS 16u
#define SHORT_BYTES 64u
#define HEAD_BYTES 512u /* room for status, count and note before the rows */

uint32_t query_index_ms;

struct question {
    struct field verb, column, value, upper;
};

/* Rows that an answer is about: a span of an index, or what a scan found first. */
struct result {
    uint64_t count;
    uint32_t shown, row[SHOWN_ROWS];
};

static bool is(struct field f, const char *word)
{
    return f.length == strlen(word) && memcmp(f.text, word, f.length) == 0;
}

static struct field split(const char **at, const char *end)
{
    const char *start = *at, *p = start;
    while (p < end && *p != UNIT_SEPARATOR)
        p++;
    *at = p < end ? p + 1 : p;
    return (struct field){ start, (uint32_t)(p - start) };
}

static void put_field(struct text *t, struct field f) { text_bytes(t, f.text, f.length); }

/* What a sentence repeats of a field: all of it, or its beginning, cut between UTF-8 characters. */
static void put_short(struct text *t, struct field f)
{
    uint32_t length = f.length;
    if (length > SHORT_BYTES)
        for (length = SHORT_BYTES; length && ((uint8_t)f.text[length] & 0xC0) == 0x80;)
            length--;
    text_bytes(t, f.text, length);
    if (length < f.length)
        text_put(t, "…");
}

static void refuse(struct text *answer, const char *before, struct field what, const char *behind)
{
    text_put(answer, "error\x1e" "0\x1e");
    text_put(answer, before);
    put_short(answer, what);
    text_put(answer, behind);
    text_char(answer, RECORD_SEPARATOR);
}

static void refuse_plainly(struct text *answer, const char *note)
{
    refuse(answer, note, (struct field){ "", 0 }, "");
}

static void begin(struct text *answer, uint64_t count)
{
    text_put(answer, "ok\x1e");
    text_u64(answer, count);
    text_char(answer, RECORD_SEPARATOR);
}

static uint64_t row_bytes(uint32_t row)
{
    const uint8_t *start = table.body + table.row_offset[row], *cursor = start;
    for (uint32_t c = 0; c < table.columns; c++)
        table_next(&cursor);
    return (uint64_t)(cursor - start); /* each length takes at least the byte that its separator will take */
}

static void put_row(struct text *answer, uint32_t row)
{
    const uint8_t *cursor = table.body + table.row_offset[row];
    for (uint32_t c = 0; c < table.columns; c++) {
        put_field(answer, table_next(&cursor));
        text_char(answer, c + 1 < table.columns ? UNIT_SEPARATOR : RECORD_SEPARATOR);
    }
}

static void put_result(struct text *answer, struct result *r, const char *how, uint32_t comparisons)
{
    uint64_t room = answer->capacity - HEAD_BYTES;
    uint32_t fitting = 0;
    for (; fitting < r->shown && row_bytes(r->row[fitting]) <= room; fitting++)
        room -= row_bytes(r->row[fitting]);
    begin(answer, r->count);
    text_put(answer, how);
    if (comparisons) {
        text_put(answer, ", ");
        text_u64(answer, comparisons);
        text_put(answer, " comparisons");
    }
    if (r->shown && fitting < r->count) {
        text_put(answer, ", first ");
        text_u64(answer, fitting);
        text_put(answer, " shown");
    }
    text_char(answer, RECORD_SEPARATOR);
    for (uint32_t i = 0; i < fitting; i++)
        put_row(answer, r->row[i]);
}

static void put_span(struct text *answer, uint32_t column, struct span s, bool with_rows)
{
    struct result r = { .count = s.end - s.first };
    if (with_rows)
        for (; r.shown < SHOWN_ROWS && r.shown < r.count; r.shown++)
            r.row[r.shown] = index_row(column, s.first + r.shown);
    put_result(answer, &r, "by index", s.comparisons);
}

/* The text of a number says nothing about its place in the order of values: look at every row. */
static void scan_prefix(struct text *answer, uint32_t column, struct field prefix)
{
    static struct result r;
    r.count = r.shown = 0;
    for (uint32_t row = 0; row < table.rows; row++) {
        struct field f = table_field(row, column);
        if (f.length < prefix.length || memcmp(f.text, prefix.text, prefix.length) != 0)
            continue;
        if (r.shown < SHOWN_ROWS)
            r.row[r.shown++] = row;
        r.count++;
    }
    put_result(answer, &r, "by scan", 0);
}

static void answer_range(const struct question *q, uint32_t column, struct text *answer)
{
    double low = -1e301, high = 1e301; /* beyond every number that a record can hold */
    if (!table_numeric(column))
        refuse(answer, "The column ", q->column, " is not numeric");
    else if (q->value.length && !number_parse(q->value.text, q->value.length, &low))
        refuse(answer, "The lower end ", q->value, " is not a number");
    else if (q->upper.length && !number_parse(q->upper.text, q->upper.length, &high))
        refuse(answer, "The upper end ", q->upper, " is not a number");
    else
        put_span(answer, column, index_range(column, low, high), true);
}

static void answer_lookup(const struct question *q, struct text *answer)
{
    uint32_t column = 0;
    double number;
    while (column < table.columns &&
           !(table.name[column].length == q->column.length &&
             memcmp(table.name[column].text, q->column.text, q->column.length) == 0))
        column++;
    if (column == table.columns)
        refuse(answer, "There is no column ", q->column, "");
    else if (is(q->verb, "range"))
        answer_range(q, column, answer);
    else if (is(q->verb, "prefix") && table_numeric(column))
        scan_prefix(answer, column, q->value);
    else if (is(q->verb, "prefix"))
        put_span(answer, column, index_prefix(column, q->value), true);
    else if (table_numeric(column) && q->value.length && !number_parse(q->value.text, q->value.length, &number))
        refuse(answer, "The column is numeric and ", q->value, " is not a number");
    else
        put_span(answer, column, index_equal(column, q->value), is(q->verb, "find"));
}

static void put_label(struct text *answer)
{
    put_field(answer, table.name[table.label_column]);
    if (table.label_kind == LABEL_ABOVE_MEDIAN) {
        text_put(answer, " is above its median");
    } else {
        text_put(answer, " is ");
        put_short(answer, table_field(training.high_row, table.label_column));
    }
}

static void answer_prediction(const struct question *q, struct text *answer)
{
    uint32_t row;
    if (!training.features) {
        refuse_plainly(answer, "These records have no columns to learn from");
    } else if (!training_has_model(&training)) {
        refuse_plainly(answer, "The model is still being trained; ask again in a moment");
    } else if (!number_parse_u32(q->value.text, q->value.length, &row) || row >= table.rows) {
        refuse(answer, "There is no row ", q->value, "; rows are numbered from 0");
    } else {
        begin(answer, 1);
        text_put(answer, "probability ");
        text_fixed(answer, training_predict(row), 6);
        text_put(answer, " that ");
        put_label(answer);
        if (!training.rounds) {
            text_put(answer, ", still learning: epoch ");
            text_u64(answer, training.epoch);
        }
        text_char(answer, RECORD_SEPARATOR);
        if (row_bytes(row) <= answer->capacity - answer->length)
            put_row(answer, row);
    }
}

static void put_count(struct text *answer, const char *name, uint64_t value)
{
    text_put(answer, name);
    text_char(answer, UNIT_SEPARATOR);
    text_u64(answer, value);
    text_char(answer, RECORD_SEPARATOR);
}

static void put_number(struct text *answer, const char *name, double value)
{
    text_put(answer, name);
    text_char(answer, UNIT_SEPARATOR);
    text_number(answer, value);
    text_char(answer, RECORD_SEPARATOR);
}

static void put_columns(struct text *answer)
{
    for (uint32_t c = 0; c < table.columns; c++) {
        text_put(answer, "column\x1f");
        put_field(answer, table.name[c]);
        text_put(answer, table_numeric(c) ? "\x1fnumeric\x1e" : "\x1ftext\x1e");
    }
}

static void put_model(struct text *answer)
{
    const struct model *m = &training.model;
    text_put(answer, "label\x1f");
    put_label(answer);
    text_char(answer, RECORD_SEPARATOR);
    put_count(answer, "training_rows", training.rows);
    put_count(answer, "training_positives", training.positives);
    put_count(answer, "trainings", training.rounds);
    put_count(answer, "epoch", training.epoch);
    if (!training.rounds)
        return;
    put_number(answer, "loss", m->loss);
    put_number(answer, "accuracy", m->accuracy);
    put_number(answer, "bias", m->bias);
    for (uint32_t f = 0; f < training.features; f++) {
        text_put(answer, "weight\x1f");
        put_field(answer, table.name[training.column[f]]);
        text_char(answer, UNIT_SEPARATOR);
        text_number(answer, m->weight[f]);
        text_char(answer, RECORD_SEPARATOR);
    }
}

static void answer_status(struct text *answer)
{
    static const char *const phases[] = { "reading", "indexing", "preparing", "ready" };
    begin(answer, work_phase == PHASE_READING ? 0 : table.rows);
    text_put(answer, phases[work_phase]);
    text_put(answer, "\x1estate\x1f");
    text_put(answer, phases[work_phase]);
    text_char(answer, RECORD_SEPARATOR);
    put_count(answer, "percent", work_phase == PHASE_READY ? 100 : work_percent);
    put_count(answer, "sev", memory_map.sev_active);
    put_count(answer, "uptime_ms", clock_ms());
    put_count(answer, "messages_answered", mailbox_counts.answered);
    put_count(answer, "messages_ignored", mailbox_counts.ignored);
    if (work_phase != PHASE_READY)
        return;
    put_count(answer, "rows", table.rows);
    put_count(answer, "columns", table.columns);
    put_count(answer, "index_ms", query_index_ms);
    put_count(answer, "queries", workload.queries);
    put_count(answer, "queries_per_second", workload.query_ms ? workload.queries * 1000 / workload.query_ms : 0);
    put_count(answer, "scans", workload.scans);
    put_count(answer, "wrong", workload.wrong);
    put_columns(answer);
    if (training.features)
        put_model(answer);
}

void query_answer(const char *request, size_t length, struct text *answer)
{
    const char *at = request, *end = request + length;
    struct question q;
    q.verb = split(&at, end);
    q.column = split(&at, end);
    q.value = split(&at, end);
    q.upper = split(&at, end);
    if (is(q.verb, "status")) {
        answer_status(answer);
    } else if (!is(q.verb, "count") && !is(q.verb, "find") && !is(q.verb, "prefix") && !is(q.verb, "range") &&
               !is(q.verb, "predict")) {
        refuse(answer, "The question ", q.verb, " is not known");
    } else if (work_phase != PHASE_READY) {
        char note[80];
        struct text t = { .data = note, .capacity = sizeof note - 1 };
        text_put(&t, work_phase == PHASE_READING ? "The records are being read (" : "The records are being indexed (");
        text_u64(&t, work_percent);
        text_put(&t, " %); ask again in a moment");
        note[t.length] = 0;
        refuse_plainly(answer, note);
    } else if (is(q.verb, "predict")) {
        answer_prediction(&q, answer);
    } else {
        answer_lookup(&q, answer);
    }
}
