#include "heap.h"

#include "paging.h"

extern uint8_t heap_start[];

static uint64_t next, limit;
static uint64_t claimed; /* up to here memory is the guest's under SEV-SNP */

void heap_open(uint64_t end)
{
    next = (uintptr_t)heap_start;
    claimed = next;
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
    if (next > claimed) {
        /* In whole large pages, but for the rest of the first, which holds the image. */
        uint64_t end = (next + LARGE_PAGE_BYTES - 1) & ~(uint64_t)(LARGE_PAGE_BYTES - 1);
        memory_claim(claimed, (end - claimed) / PAGE_BYTES);
        claimed = end;
    }
    return p;
}

uint64_t heap_mark(void) { return next; }

void heap_release(uint64_t mark) { next = mark; }
