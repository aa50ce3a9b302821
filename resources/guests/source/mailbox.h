/* Sealed questions and answers through shared pages. */
#ifndef MAILBOX_H
#define MAILBOX_H

#include "text.h"

/* Longest request and answer, the separators included; bounds the private buffers. */
#ifndef MAILBOX_BUFFER_BYTES
#define MAILBOX_BUFFER_BYTES (MAILBOX_PAYLOAD_BYTES - MAILBOX_TAG_BYTES)
#endif

struct mailbox_counts {
    uint64_t answered;
    uint64_t ignored; /* not authentic, too short or too long */
};

extern struct mailbox_counts mailbox_counts;

/* Write the answer to `request` into `answer`, all of it private memory. */
typedef void mailbox_service(const char *request, size_t length, struct text *answer);

void mailbox_open(const uint8_t key[32], mailbox_service *service);
/* Answer what waits. Cheap where nothing does. */
void mailbox_poll(void);

#endif
