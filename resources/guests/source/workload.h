/* The guest's own queries: rows looked up by index, and now and then counted again by a scan of all records. */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "abi.h"

struct workload {
    uint64_t queries, query_ms; /* by index, and the time they took */
    uint64_t scans;             /* answers counted again */
    uint64_t wrong;             /* answers that were not right; 0 unless memory was tampered with */
};

extern struct workload workload;

/* Queries by index until `deadline` (milliseconds of the clock). */
void workload_query(uint32_t deadline);
/* Up to `rows` rows more of the running scan. */
void workload_scan(uint32_t rows);

#endif
