/* Building lines and answers without a C library. */
#ifndef TEXT_H
#define TEXT_H

#include "abi.h"

struct text {
    char *data;
    size_t length, capacity;
    bool full; /* something did not fit and was left out */
};

void text_char(struct text *t, char c);
void text_bytes(struct text *t, const void *data, size_t length);
void text_put(struct text *t, const char *s);
void text_u64(struct text *t, uint64_t value);

/* The serial console. Only counts, timings and results go there, never a record's text. */
void serial_line(const struct text *t);
void serial_put(const char *s);

#endif
