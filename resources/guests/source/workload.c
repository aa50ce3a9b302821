#include "workload.h"

#include "index.h"
#include "platform.h"

#define QUERIES_PER_CLOCK 16u

struct workload workload;

static struct {
    uint32_t column, row; /* rows with the value of this field are counted */
    uint32_t next, found, expected;
    bool running;
} scan;

/* xorshift64: which rows are asked for only has to vary. */
static uint32_t any(uint32_t below)
{
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * below >> 32);
}

/* Every second query is for the key, the others go round the columns. */
static uint32_t next_column(void)
{
    uint64_t turn = workload.queries / 2;
    return workload.queries % 2 ? (uint32_t)(turn % table.columns) : table.index_column;
}

static void one_query(void)
{
    uint32_t column = next_column(), row = any(table.rows);
    struct span found = index_equal(column, table_field(row, column));
    if (!index_contains(column, found, row))
        workload.wrong++;
    workload.queries++;
}

void workload_query(uint32_t deadline)
{
    uint32_t began = clock_ms(), now;
    do {
        for (uint32_t i = 0; i < QUERIES_PER_CLOCK; i++)
            one_query();
        now = clock_ms();
    } while ((int32_t)(now - deadline) < 0);
    workload.query_ms += now - began;
}

void workload_scan(uint32_t rows)
{
    if (!scan.running) {
        scan.column = next_column();
        scan.row = any(table.rows);
        struct span found = index_equal(scan.column, table_field(scan.row, scan.column));
        scan.expected = found.end - found.first;
        scan.next = scan.found = 0;
        scan.running = true;
    }
    struct field value = table_field(scan.row, scan.column);
    for (; rows-- && scan.next < table.rows; scan.next++)
        scan.found += index_same(scan.column, table_field(scan.next, scan.column), value);
    if (scan.next == table.rows) {
        workload.scans++;
        workload.wrong += scan.found != scan.expected;
        scan.running = false;
    }
}
