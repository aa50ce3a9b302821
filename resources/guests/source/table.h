/* The records: read from the disk, decrypted into private memory, every field's text contiguous. */
#ifndef TABLE_H
#define TABLE_H

#include "abi.h"

#define MAX_COLUMNS 64u
#define MAX_ROWS 200000u
#define NO_COLUMN 0xFFFFFFFFu

#define COLUMN_NUMERIC 1u
#define COLUMN_FEATURE 2u /* to train on */

enum label_kind { LABEL_NONE, LABEL_TWO_VALUES, LABEL_ABOVE_MEDIAN };

struct field {
    const char *text;
    uint32_t length;
};

struct table {
    uint8_t *body;
    uint64_t bytes;
    uint32_t columns, rows;
    uint32_t index_column, label_column;
    enum label_kind label_kind;
    struct field name[MAX_COLUMNS];
    uint8_t kind[MAX_COLUMNS];
    uint32_t *row_offset; /* of each row's first field in `body` */
};

extern struct table table;

enum table_result { TABLE_READ, TABLE_NO_DISK, TABLE_DISK_ERROR, TABLE_WRONG_KEY, TABLE_DAMAGED, TABLE_TOO_BIG };

/* Read, decrypt, check and find the rows. `*needed` is told for TABLE_TOO_BIG: bytes of heap. */
enum table_result table_load(const uint8_t disk_key[64], uint64_t *needed);

/* Read `count` sectors as they are, from the disk's first on, through the shared bounce buffer; DISK_MAX_COUNT at most. */
bool table_read_raw(uint64_t first, uint32_t count, uint8_t *to);
/* The decrypted part of one disk. */
struct plain_text {
    uint8_t *at;
    uint64_t bytes;
};
/* Make one table of several plain texts, in their order: they have the same columns. The first lies lowest. */
enum table_result table_join(const struct plain_text *texts, uint32_t count, uint64_t *needed);

struct field table_field(uint32_t row, uint32_t column);
/* The field at a cursor, which moves behind it; for walks along rows. */
struct field table_next(const uint8_t **cursor);

static inline bool table_numeric(uint32_t column) { return table.kind[column] & COLUMN_NUMERIC; }

#endif
