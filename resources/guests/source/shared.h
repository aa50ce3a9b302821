/* Data sets that several owners sealed, each so that all of them must release it to this guest. See ../README.md. */
#ifndef SHARED_H
#define SHARED_H

#include "table.h"

/* Whether such a disk is there. After paging_enable. */
bool shared_disk(void);
/* Wait for the shares of all owners, open all data sets with them, and make one table of them. Returns with what
   `table_load` returns; never TABLE_WRONG_KEY: where the shares open nothing it waits for others. */
enum table_result shared_load(uint64_t *needed);
/* The mailbox's key of the owner whom all agreed to be the one who asks. */
const uint8_t *shared_mailbox_key(void);

#endif
