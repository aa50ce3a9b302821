#include "secret.h"

#include "platform.h"

#define GUID_BYTES 16u
#define HEADER_BYTES (GUID_BYTES + 4u)

/* In the byte order of the table (RFC 4122 fields little-endian). */
static const uint8_t table_guid[GUID_BYTES] = { /* 1e74f542-71dd-4d66-963e-ef4287ff173b */
    0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71, 0x66, 0x4d, 0x96, 0x3e, 0xef, 0x42, 0x87, 0xff, 0x17, 0x3b };
static const uint8_t disk_key_guid[GUID_BYTES] = { /* 736869e5-84f0-4973-92ec-06879ce3da0b */
    0xe5, 0x69, 0x68, 0x73, 0xf0, 0x84, 0x73, 0x49, 0x92, 0xec, 0x06, 0x87, 0x9c, 0xe3, 0xda, 0x0b };
static const uint8_t mailbox_key_guid[GUID_BYTES] = { /* 6f1d2a54-33c1-4a57-9d0e-5a0f6c2b8e11 */
    0x54, 0x2a, 0x1d, 0x6f, 0xc1, 0x33, 0x57, 0x4a, 0x9d, 0x0e, 0x5a, 0x0f, 0x6c, 0x2b, 0x8e, 0x11 };

static const uint8_t *find(const uint8_t *guid, uint32_t length)
{
    const uint8_t *page = (const uint8_t *)(uintptr_t)SECRET_GPA;
    if (memcmp(page, table_guid, GUID_BYTES) != 0)
        return NULL;
    uint32_t total = load_le32(page + GUID_BYTES);
    if (total > PAGE_BYTES)
        return NULL;
    for (uint32_t at = HEADER_BYTES; at + HEADER_BYTES <= total;) {
        uint32_t entry = load_le32(page + at + GUID_BYTES);
        if (entry < HEADER_BYTES || entry > total - at)
            return NULL;
        if (memcmp(page + at, guid, GUID_BYTES) == 0)
            return entry == HEADER_BYTES + length ? page + at + HEADER_BYTES : NULL;
        at += entry;
    }
    return NULL;
}

const uint8_t *secret_disk_key(void) { return find(disk_key_guid, DISK_KEY_BYTES); }

const uint8_t *secret_mailbox_key(void) { return find(mailbox_key_guid, MAILBOX_KEY_BYTES); }
