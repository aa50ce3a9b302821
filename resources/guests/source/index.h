/* An index over every column: the rows in the order of the column's values, built by merge sort, asked by bisection.

   Text columns are ordered by bytes, numeric ones by value with empty fields first; equal values by row number. */
#ifndef INDEX_H
#define INDEX_H

#include "table.h"

/* False: out of memory, `*needed` bytes of heap were wanted. */
bool index_build(uint64_t *needed);

/* Places first..end-1 of a column's order. */
struct span {
    uint32_t first, end;
    uint32_t comparisons; /* that finding it took */
};

uint32_t index_row(uint32_t column, uint32_t place);
struct span index_equal(uint32_t column, struct field value);
/* Text columns only. */
struct span index_prefix(uint32_t column, struct field prefix);
/* Numeric columns only; both ends included, empty fields never. */
struct span index_range(uint32_t column, double low, double high);
/* Is `row` among the rows of the span? They are in rising order there, since their values are equal. */
bool index_contains(uint32_t column, struct span span, uint32_t row);

/* Whether two fields of a column hold the same value. */
bool index_same(uint32_t column, struct field a, struct field b);
/* A number's key: rises with the value; 0 stands for an empty field. */
uint64_t index_number_key(struct field f);

#endif
