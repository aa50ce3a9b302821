/* Private memory behind the image, given out from the bottom up. */
#ifndef HEAP_H
#define HEAP_H

#include "abi.h"

void heap_open(uint64_t end);
/* 64-byte aligned, NOT zeroed (untouched RAM decrypts to garbage): fill it before reading. NULL: out of memory. */
void *heap_take(uint64_t bytes);
uint64_t heap_mark(void);
/* Give back everything taken since the mark. */
void heap_release(uint64_t mark);
uint64_t heap_free(void);

#endif
