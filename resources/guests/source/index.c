#include "index.h"

#include "heap.h"
#include "number.h"
#include "platform.h"
#include "work.h"

#define KEY_BYTES 8u
#define MAX_DEPTH 8u /* chunks of text compared as keys, before whole texts are compared */
#define SHORT_RUN 8u
#define EMPTY_KEY 0u

/* Sorting moves keys, not texts: walks over memory stay sequential, which is what a small TLB can serve. */
struct entry {
    uint64_t key;
    uint32_t row;
    uint32_t more; /* text goes on behind the key */
};

static uint32_t *order[MAX_COLUMNS];
static struct entry *entries, *scratch;

uint64_t index_number_key(struct field f)
{
    double v;
    uint64_t bits;
    if (!number_parse(f.text, f.length, &v))
        return EMPTY_KEY;
    memcpy(&bits, &v, sizeof bits);
    /* IEEE 754 doubles order like sign and magnitude; no finite one becomes 0. */
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}


/* Bytes 8*depth.. of the text as a big-endian number, padded with zeros: texts hold no zero bytes. */
static void text_key(struct entry *e, struct field f, uint32_t depth)
{
    uint32_t at = depth * KEY_BYTES;
    e->key = 0;
    for (uint32_t i = 0; i < KEY_BYTES; i++)
        e->key = e->key << 8 | (at + i < f.length ? (uint8_t)f.text[at + i] : 0);
    e->more = f.length > at + KEY_BYTES;
}

static int compare_text(struct field a, struct field b)
{
    int order_of_bytes = memcmp(a.text, b.text, a.length < b.length ? a.length : b.length);
    if (order_of_bytes)
        return order_of_bytes;
    return a.length < b.length ? -1 : a.length > b.length;
}

typedef bool precedes(const struct entry *a, const struct entry *b, uint32_t column);

static inline bool key_precedes(const struct entry *a, const struct entry *b, uint32_t column)
{
    (void)column;
    return a->key < b->key;
}

static inline bool text_precedes(const struct entry *a, const struct entry *b, uint32_t column)
{
    return compare_text(table_field(a->row, column), table_field(b->row, column)) < 0;
}

/* Stable, bottom-up: short runs by insertion, then merged pairwise between the two buffers. */
static inline __attribute__((always_inline)) void merge_sort(struct entry *a, struct entry *b, uint32_t n,
                                                             uint32_t column, precedes *before)
{
    struct entry *home = a;
    for (uint32_t start = 0; start < n; start += SHORT_RUN) {
        uint32_t end = n - start < SHORT_RUN ? n : start + SHORT_RUN;
        for (uint32_t i = start + 1; i < end; i++) {
            struct entry e = a[i];
            uint32_t j = i;
            for (; j > start && before(&e, &a[j - 1], column); j--)
                a[j] = a[j - 1];
            a[j] = e;
        }
        work_breathe(WORK_ELEMENT * SHORT_RUN);
    }
    for (uint32_t width = SHORT_RUN; width < n; width *= 2) {
        for (uint32_t start = 0; start < n; start += 2 * width) {
            uint32_t middle = n - start < width ? n : start + width;
            uint32_t end = n - start < 2 * width ? n : start + 2 * width;
            uint32_t i = start, j = middle, to = start;
            if (middle < end && !before(&a[middle], &a[middle - 1], column))
                i = middle; /* in order already: copied below as it is */
            if (i == middle)
                for (uint32_t k = start; k < middle; k++)
                    b[to++] = a[k];
            while (i < middle && j < end) {
                b[to++] = before(&a[j], &a[i], column) ? a[j++] : a[i++];
                if ((to & 1023) == 0)
                    work_breathe(WORK_ELEMENT * 1024);
            }
            while (i < middle)
                b[to++] = a[i++];
            while (j < end)
                b[to++] = a[j++];
            work_breathe(WORK_ELEMENT * ((end - start) & 1023));
        }
        struct entry *swap = a;
        a = b;
        b = swap;
    }
    if (a != home)
        memcpy(home, a, n * sizeof *a);
}

static void sort_by_key(struct entry *from, uint32_t n)
{
    merge_sort(from, scratch, n, 0, key_precedes);
}

static void sort_by_text(struct entry *from, uint32_t n, uint32_t column)
{
    merge_sort(from, scratch, n, column, text_precedes);
}

/* Entries [first, end) agree on all text before `depth` keys. Sort them by the rest. */
static void sort_text(uint32_t first, uint32_t end, uint32_t column, uint32_t depth)
{
    bool more;
    do { /* while all keys are equal there is nothing to sort yet */
        if (depth == MAX_DEPTH) {
            sort_by_text(entries + first, end - first, column);
            return;
        }
        bool all_equal = true;
        more = false;
        for (uint32_t i = first; i < end; i++) {
            text_key(&entries[i], table_field(entries[i].row, column), depth);
            all_equal &= entries[i].key == entries[first].key;
            more |= entries[i].more;
            work_breathe(WORK_FIELD * (column + 8));
        }
        depth++;
        if (!all_equal)
            break;
    } while (more);
    if (!more && end - first < 2)
        return;
    sort_by_key(entries + first, end - first);
    if (!more)
        return;
    for (uint32_t start = first; start < end;) {
        uint32_t next = start + 1;
        more = entries[start].more;
        while (next < end && entries[next].key == entries[start].key)
            more |= entries[next++].more;
        if (more && next - start > 1)
            sort_text(start, next, column, depth);
        start = next;
    }
}

static void sort_column(uint32_t column)
{
    for (uint32_t row = 0; row < table.rows; row++)
        entries[row].row = row;
    if (table_numeric(column)) {
        for (uint32_t row = 0; row < table.rows; row++) {
            entries[row].key = index_number_key(table_field(row, column));
            work_breathe(WORK_FIELD * (column + 16));
        }
        sort_by_key(entries, table.rows);
    } else {
        sort_text(0, table.rows, column, 0);
    }
    for (uint32_t place = 0; place < table.rows; place++)
        order[column][place] = entries[place].row;
}

bool index_build(uint64_t *needed)
{
    uint64_t rows = table.rows;
    *needed = rows * (sizeof(uint32_t) * table.columns + 2 * sizeof(struct entry));
    for (uint32_t column = 0; column < table.columns; column++)
        if (!(order[column] = heap_take(rows * sizeof(uint32_t))))
            return false;
    uint64_t mark = heap_mark();
    entries = heap_take(rows * sizeof *entries);
    scratch = heap_take(rows * sizeof *scratch);
    if (!entries || !scratch)
        return false;
    for (uint32_t column = 0; column < table.columns; column++) {
        work_progress(100 * column / table.columns);
        sort_column(column);
    }
    heap_release(mark);
    return true;
}

uint32_t index_row(uint32_t column, uint32_t place) { return order[column][place]; }

/* What is looked for, and how a field compares with it. */
struct target {
    uint32_t column;
    uint64_t key;        /* numeric columns */
    struct field text;   /* text columns */
    bool prefix;
};

static int compare_target(const struct target *t, uint32_t row)
{
    struct field f = table_field(row, t->column);
    if (table_numeric(t->column)) {
        uint64_t key = index_number_key(f);
        return key < t->key ? -1 : key > t->key;
    }
    if (t->prefix && f.length > t->text.length)
        f.length = t->text.length;
    return compare_text(f, t->text);
}

/* First place whose value is not before the target (`behind`: that is behind it). */
static uint32_t bisect(const struct target *t, bool behind, uint32_t *comparisons)
{
    uint32_t low = 0, high = table.rows;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = compare_target(t, order[t->column][middle]);
        (*comparisons)++;
        if (c < 0 || (behind && c == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct span find(const struct target *t)
{
    struct span s = { 0, 0, 0 };
    s.first = bisect(t, false, &s.comparisons);
    s.end = bisect(t, true, &s.comparisons);
    return s;
}

struct span index_equal(uint32_t column, struct field value)
{
    struct target t = { .column = column, .text = value };
    if (table_numeric(column))
        t.key = index_number_key(value);
    return find(&t);
}

struct span index_prefix(uint32_t column, struct field prefix)
{
    struct target t = { .column = column, .text = prefix, .prefix = true };
    return find(&t);
}

static uint64_t key_of(double v)
{
    uint64_t bits;
    v += 0.0; /* -0.0 becomes 0.0 */
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

struct span index_range(uint32_t column, double low, double high)
{
    struct target t = { .column = column, .key = key_of(low) };
    struct span s = { 0, 0, 0 };
    s.first = bisect(&t, false, &s.comparisons);
    t.key = key_of(high);
    s.end = bisect(&t, true, &s.comparisons);
    if (s.end < s.first)
        s.end = s.first;
    return s;
}

bool index_contains(uint32_t column, struct span span, uint32_t row)
{
    while (span.first < span.end) {
        uint32_t middle = span.first + (span.end - span.first) / 2;
        if (order[column][middle] == row)
            return true;
        if (order[column][middle] < row)
            span.first = middle + 1;
        else
            span.end = middle;
    }
    return false;
}

bool index_same(uint32_t column, struct field a, struct field b)
{
    if (table_numeric(column))
        return index_number_key(a) == index_number_key(b);
    return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}
