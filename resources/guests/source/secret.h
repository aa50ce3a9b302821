/* The launch secret: a table of GUID and data that LAUNCH_SECRET wrote into a private page. */
#ifndef SECRET_H
#define SECRET_H

#include "abi.h"

#define DISK_KEY_BYTES 64u
#define MAILBOX_KEY_BYTES 32u

/* Data of `length` bytes under the GUID, or NULL where the table has no such entry. */
const uint8_t *secret_disk_key(void);
const uint8_t *secret_mailbox_key(void);

#endif
