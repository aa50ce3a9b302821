/* Questions of the console and their answers; both stay sealed outside private memory. */
#ifndef QUERY_H
#define QUERY_H

#include "text.h"

/* Milliseconds, for the answer to `status`. */
extern uint32_t query_index_ms;

void query_answer(const char *request, size_t length, struct text *answer);

#endif
