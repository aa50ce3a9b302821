#include "heap.h"

extern uint8_t heap_start[];

static uint64_t next, limit;

void heap_open(uint64_t end)
{
    next = (uintptr_t)heap_start;
    limit = end;
}

uint64_t heap_free(void) { return next < limit ? limit - next : 0; }

void *heap_take(uint64_t bytes)
{
    bytes = (bytes + 63) & ~63ull;
    if (bytes > heap_free())
        return NULL;
    void *p = (void *)(uintptr_t)next;
    next += bytes;
    return p;
}

uint64_t heap_mark(void) { return next; }

void heap_release(uint64_t mark) { next = mark; }
