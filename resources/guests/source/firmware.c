#include "firmware.h"

#include "aes.h"
#include "platform.h"

#define SECRETS_VMPCK 0x20u

#define HEADER_BYTES 0x60u
#define AUTHENTICATED_FROM 0x30u
#define TYPE_REPORT_REQUEST 5u
#define TYPE_REPORT_RESPONSE 6u
#define ANSWER_HEAD_BYTES 0x20u

struct header {
    uint8_t tag[32]; /* of which 16 are used */
    uint64_t sequence;
    uint64_t zero;
    uint8_t algorithm, version;
    uint16_t header_bytes;
    uint8_t type, type_version;
    uint16_t payload_bytes;
    uint32_t zero_2;
    uint8_t vmpck;
    uint8_t zero_3[35];
};

struct report_request {
    uint8_t data[REPORT_DATA_BYTES];
    uint32_t vmpl, key_selection;
    uint8_t zero[24];
};

struct report_response {
    uint32_t status, report_bytes;
    uint8_t zero[ANSWER_HEAD_BYTES - 8];
    uint8_t report[REPORT_BYTES];
};

_Static_assert(sizeof(struct header) == HEADER_BYTES, "56860, message header");

#define UNZEROED __attribute__((section(".bss.unzeroed")))

static struct aes key;
static uint64_t sequence = 0; /* of the last message that was answered: the answer's */
static bool waiting;          /* `request` was sent, and the firmware did not take it */
static struct {
    struct header header;
    struct report_request payload;
} request UNZEROED;
static struct {
    struct header header;
    struct report_response payload;
} response UNZEROED;

const uint8_t *firmware_vmpck(unsigned vmpl)
{
    return (const uint8_t *)(uintptr_t)SNP_SECRETS_GPA + SECRETS_VMPCK + VMPCK_BYTES * vmpl;
}

void firmware_open(void) { aes_key(&key, firmware_vmpck(0)); }

static void nonce_of(const struct header *header, uint8_t nonce[GCM_NONCE_BYTES])
{
    memset(nonce, 0, GCM_NONCE_BYTES);
    memcpy(nonce, &header->sequence, sizeof header->sequence);
}

static struct associated authenticated(const struct header *header)
{
    return (struct associated){ (const uint8_t *)header + AUTHENTICATED_FROM, HEADER_BYTES - AUTHENTICATED_FROM };
}

static void seal(const uint8_t data[REPORT_DATA_BYTES])
{
    uint8_t nonce[GCM_NONCE_BYTES];
    memset(&request, 0, sizeof request);
    memcpy(request.payload.data, data, REPORT_DATA_BYTES);
    request.header.sequence = sequence + 1;
    request.header.algorithm = 1;
    request.header.version = 1;
    request.header.header_bytes = HEADER_BYTES;
    request.header.type = TYPE_REPORT_REQUEST;
    request.header.type_version = 1;
    request.header.payload_bytes = sizeof request.payload;
    nonce_of(&request.header, nonce);
    gcm_seal(&key, nonce, authenticated(&request.header), (uint8_t *)&request.payload, sizeof request.payload,
             request.header.tag);
}

/* Send `request` as it is and open the answer. */
static uint32_t exchange(void)
{
    memcpy((void *)(uintptr_t)FIRMWARE_REQUEST_GPA, &request, sizeof request);
    __asm__ volatile("" ::: "memory");
    out32(PORT_FIRMWARE, 1);
    uint32_t status = in32(PORT_FIRMWARE);
    if (status)
        return status;

    /* Copied once: the host can change the shared page under our hands. */
    memcpy(&response, (const void *)(uintptr_t)FIRMWARE_RESPONSE_GPA, sizeof response);
    const struct header *head = &response.header;
    bool whole = head->payload_bytes == sizeof response.payload;
    size_t length = whole ? sizeof response.payload : ANSWER_HEAD_BYTES;
    uint8_t nonce[GCM_NONCE_BYTES];
    nonce_of(head, nonce);
    if (head->sequence != request.header.sequence + 1 || head->algorithm != 1 || head->version != 1 ||
        head->header_bytes != HEADER_BYTES || head->type != TYPE_REPORT_RESPONSE || head->type_version != 1 ||
        head->vmpck != 0 || (!whole && head->payload_bytes != ANSWER_HEAD_BYTES) ||
        !gcm_open(&key, nonce, authenticated(head), (uint8_t *)&response.payload, length, head->tag))
        return FIRMWARE_ANSWER_FALSE;
    sequence = head->sequence;
    waiting = false;
    if (response.payload.status)
        return response.payload.status;
    return whole && response.payload.report_bytes == REPORT_BYTES ? 0 : FIRMWARE_ANSWER_SHORT;
}

uint32_t firmware_report(const uint8_t data[REPORT_DATA_BYTES], const uint8_t **report)
{
    if (waiting) {
        uint32_t status = exchange();
        if (waiting)
            return status;
    }
    seal(data);
    waiting = true;
    *report = response.payload.report;
    return exchange();
}
