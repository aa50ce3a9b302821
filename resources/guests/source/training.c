#include "training.h"

#include "heap.h"
#include "index.h"
#include "mathematics.h"
#include "number.h"
#include "platform.h"
#include "work.h"

struct training training;

static double *features; /* rows x features, standardised, 0 where the field is empty */
static uint8_t *labels;

static struct {
    uint32_t row;
    double bias, weight[MAX_FEATURES];
    double gradient_bias, gradient[MAX_FEATURES];
    double loss;
    uint32_t right;
} run;

static void choose_columns(void)
{
    for (uint32_t c = 0; c < table.columns && training.features < MAX_FEATURES; c++)
        if ((table.kind[c] & COLUMN_FEATURE) && table_numeric(c) && c != table.label_column)
            training.column[training.features++] = c;
}

/* Which value of the label column counts as 1: of two values the one sorted last; of numbers those above the lower
   median, or at it where nothing is above. The index has them in order, empty fields first. */
static bool choose_label(void)
{
    uint32_t column = table.label_column, first = 0;
    struct field empty = { "", 0 };
    if (column == NO_COLUMN)
        return false;
    first = index_equal(column, empty).end;
    if (first == table.rows)
        return false;
    training.high_row = index_row(column, table.rows - 1);
    if (table.label_kind == LABEL_ABOVE_MEDIAN) {
        uint32_t middle = first + (table.rows - first - 1) / 2;
        uint32_t above = index_equal(column, table_field(index_row(column, middle), column)).end;
        training.high_row = index_row(column, above < table.rows ? above : middle);
    }
    struct field f = table_field(training.high_row, column);
    return !table_numeric(column) || number_parse(f.text, f.length, &training.high_value);
}

/* 0, 1, or 2 for a row without a label. */
static unsigned label_of(uint32_t row, struct field high)
{
    struct field f = table_field(row, table.label_column);
    double v;
    if (!table_numeric(table.label_column))
        return f.length ? index_same(table.label_column, f, high) : 2;
    return number_parse(f.text, f.length, &v) ? v >= training.high_value : 2;
}

static void read_rows(uint32_t stride)
{
    struct field high = table_field(training.high_row, table.label_column);
    double missing = __builtin_nan("");
    for (uint32_t row = 0; row < table.rows; row += stride) {
        unsigned label = label_of(row, high);
        work_breathe(WORK_FIELD * (table.columns + 16 * training.features));
        if (label == 2)
            continue;
        labels[training.rows] = (uint8_t)label;
        training.positives += label;
        double *x = features + (uint64_t)training.rows++ * training.features;
        const uint8_t *cursor = table.body + table.row_offset[row];
        for (uint32_t c = 0, f = 0; f < training.features; c++) {
            struct field field = table_next(&cursor);
            if (c != training.column[f])
                continue;
            if (!number_parse(field.text, field.length, &x[f]))
                x[f] = missing;
            f++;
        }
    }
}

static void standardise(void)
{
    for (uint32_t f = 0; f < training.features; f++) {
        double sum = 0, squares = 0, count = 0;
        double *x = features + f;
        for (uint32_t i = 0; i < training.rows; i++, x += training.features)
            if (*x == *x) {
                sum += *x;
                count++;
            }
        double mean = count ? sum / count : 0;
        x = features + f;
        for (uint32_t i = 0; i < training.rows; i++, x += training.features)
            if (*x == *x)
                squares += (*x - mean) * (*x - mean);
        double variance = count ? squares / count : 0;
        /* What is left of a constant column is rounding; what overflows cannot be scaled. */
        bool varies = variance > 1e-24 * mean * mean && variance < 1e308;
        training.mean[f] = mean;
        training.inverse_deviation[f] = varies ? 1 / math_sqrt(variance) : 0;
        x = features + f;
        for (uint32_t i = 0; i < training.rows; i++, x += training.features)
            *x = *x == *x ? (*x - mean) * training.inverse_deviation[f] : 0;
        work_breathe(3 * WORK_ELEMENT * training.rows);
    }
}

bool training_prepare(uint64_t *needed)
{
    choose_columns();
    if (!training.features || !choose_label()) {
        training.features = 0;
        return true;
    }
    uint64_t cells = (uint64_t)table.rows * training.features;
    uint32_t stride = (uint32_t)((cells + TRAINING_CELLS - 1) / TRAINING_CELLS);
    if (table.rows > (uint64_t)TRAINING_ROWS * stride)
        stride = (table.rows + TRAINING_ROWS - 1) / TRAINING_ROWS;
    uint64_t rows = (table.rows + stride - 1) / stride;
    *needed = rows * training.features * sizeof *features + rows;
    features = heap_take(rows * training.features * sizeof *features);
    labels = heap_take(rows);
    if (!features || !labels)
        return false;
    read_rows(stride);
    standardise();
    if (!training.rows)
        training.features = 0;
    return true;
}

static double score(const double *x, double bias, const double *weight)
{
    double z = bias;
    for (uint32_t f = 0; f < training.features; f++)
        z += weight[f] * x[f];
    return z;
}

/* The weights that the epoch was measured with, before it changes them. */
static void publish(void)
{
    training.model.bias = run.bias;
    memcpy(training.model.weight, run.weight, sizeof run.weight);
    training.model.loss = training.loss;
    training.model.accuracy = training.accuracy;
}

static enum training_event end_epoch(void)
{
    double n = training.rows;
    training.loss = run.loss / n;
    training.accuracy = run.right / n;
    bool last = training.epoch == EPOCHS; /* a pass more, which only measures what was learned */
    if (last || !training.rounds)
        publish();
    if (last) {
        training.rounds++;
        training.epoch = 0;
        run.bias = 0;
        memset(run.weight, 0, sizeof run.weight);
    } else {
        training.epoch++;
        run.bias -= LEARNING_RATE * (run.gradient_bias / n);
        for (uint32_t f = 0; f < training.features; f++)
            run.weight[f] -= LEARNING_RATE * (run.gradient[f] / n);
    }
    run.row = 0;
    run.loss = 0;
    run.right = 0;
    run.gradient_bias = 0;
    memset(run.gradient, 0, sizeof run.gradient);
    return last ? TRAINING_ROUND_DONE : TRAINING_EPOCH_DONE;
}

enum training_event training_step(uint32_t rows)
{
    uint32_t end = training.rows - run.row < rows ? training.rows : run.row + rows;
    for (; run.row < end; run.row++) {
        const double *x = features + (uint64_t)run.row * training.features;
        double z = score(x, run.bias, run.weight);
        unsigned label = labels[run.row];
        double small = math_exp(z < 0 ? z : -z); /* e^-|z|, which cannot overflow */
        double p = z < 0 ? small / (1 + small) : 1 / (1 + small);
        /* -log of the probability given to the true label: log(1 + e^-m), m the margin on the right side. */
        double margin = label ? z : -z;
        run.loss += math_log(1 + small) + (margin < 0 ? -margin : 0);
        run.right += (z >= 0) == label;
        double error = p - label;
        run.gradient_bias += error;
        for (uint32_t f = 0; f < training.features; f++)
            run.gradient[f] += error * x[f];
    }
    return run.row == training.rows ? end_epoch() : TRAINING_GOES_ON;
}

double training_predict(uint32_t row)
{
    double x[MAX_FEATURES], v;
    for (uint32_t f = 0; f < training.features; f++) {
        struct field field = table_field(row, training.column[f]);
        bool present = number_parse(field.text, field.length, &v);
        x[f] = present ? (v - training.mean[f]) * training.inverse_deviation[f] : 0;
    }
    return 1 / (1 + math_exp(-score(x, training.model.bias, training.model.weight)));
}
