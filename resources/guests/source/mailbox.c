#include "mailbox.h"

#include "aes.h"
#include "platform.h"

#define DIRECTION_REQUEST 1
#define DIRECTION_RESPONSE 2

struct slot {
    volatile uint32_t sequence;
    volatile uint32_t length;
    uint64_t zero;
    volatile uint8_t payload[];
};

struct mailbox_counts mailbox_counts;

static struct aes aes;
static mailbox_service *serve;
static uint32_t last_sequence;
static uint8_t request_buffer[MAILBOX_BUFFER_BYTES], answer_buffer[MAILBOX_BUFFER_BYTES];
/* What was refused last, so that one bad message that stays there is opened and counted once. */
static struct {
    uint32_t sequence, length;
    uint8_t tag[MAILBOX_TAG_BYTES];
} refused;

void mailbox_open(const uint8_t key[32], mailbox_service *service)
{
    aes_key(&aes, key);
    serve = service;
}

static void make_nonce(uint8_t nonce[CCM_NONCE_BYTES], uint8_t direction, uint32_t sequence)
{
    memset(nonce, 0, CCM_NONCE_BYTES);
    nonce[0] = direction;
    for (unsigned i = 0; i < 4; i++)
        nonce[9 + i] = (uint8_t)(sequence >> (24 - 8 * i));
}

static void refuse(uint32_t sequence, uint32_t length, const uint8_t *tag)
{
    refused.sequence = sequence;
    refused.length = length;
    memcpy(refused.tag, tag, MAILBOX_TAG_BYTES);
    mailbox_counts.ignored++;
    /* At 1, 2, 4, 8 … so that a flood does not drown the console. */
    if (mailbox_counts.ignored & (mailbox_counts.ignored - 1))
        return;
    char line[80];
    struct text t = { .data = line, .capacity = sizeof line };
    text_put(&t, "mailbox: ignored a message that is not authentic (");
    text_u64(&t, mailbox_counts.ignored);
    text_put(&t, " so far)");
    serial_line(&t);
}

void mailbox_poll(void)
{
    struct slot *request = (struct slot *)(uintptr_t)MAILBOX_GPA;
    struct slot *response = (struct slot *)(uintptr_t)MAILBOX_RESPONSE_GPA;
    uint32_t sequence = request->sequence;
    if (!serve || sequence <= last_sequence)
        return;

    /* Everything is copied out of the shared pages once, then looked at: they can change under our hands. */
    uint32_t length = request->length;
    uint8_t tag[MAILBOX_TAG_BYTES] = { 0 };
    bool fits = length >= MAILBOX_TAG_BYTES && length <= MAILBOX_BUFFER_BYTES + MAILBOX_TAG_BYTES;
    size_t text_length = fits ? length - MAILBOX_TAG_BYTES : 0;
    if (fits)
        for (size_t i = 0; i < MAILBOX_TAG_BYTES; i++)
            tag[i] = request->payload[text_length + i];
    if (refused.sequence == sequence && refused.length == length && memcmp(refused.tag, tag, sizeof tag) == 0)
        return;
    memcpy(request_buffer, (const void *)request->payload, text_length);

    const struct associated nothing = { NULL, 0 };
    uint8_t nonce[CCM_NONCE_BYTES];
    make_nonce(nonce, DIRECTION_REQUEST, sequence);
    if (!fits || !ccm_open(&aes, nonce, nothing, request_buffer, text_length, tag)) {
        refuse(sequence, length, tag);
        return;
    }
    last_sequence = sequence;
    refused.sequence = 0;

    struct text answer = { .data = (char *)answer_buffer, .capacity = sizeof answer_buffer };
    serve((const char *)request_buffer, text_length, &answer);
    make_nonce(nonce, DIRECTION_RESPONSE, sequence);
    ccm_seal(&aes, nonce, nothing, answer_buffer, answer.length, tag);
    memcpy((void *)response->payload, answer_buffer, answer.length);
    memcpy((void *)(response->payload + answer.length), tag, sizeof tag);
    response->length = (uint32_t)(answer.length + sizeof tag);
    __asm__ volatile("" ::: "memory");
    response->sequence = sequence; /* last: from here on the host takes it */
    mailbox_counts.answered++;
}
