#include "shared.h"

#include "aes.h"
#include "attestation.h"
#include "heap.h"
#include "paging.h"
#include "platform.h"
#include "secret.h"
#include "sha256.h"
#include "text.h"
#include "work.h"

#define MAX_OWNERS 8u
#define ID_BYTES 32u
#define SHARE_BYTES 32u
#define HEADER_SECTORS 2u
#define CHUNK_BYTES 65536u /* on the disk, its tag included */
#define CHUNK_TEXT_BYTES (CHUNK_BYTES - GCM_TAG_BYTES)
#define CHUNK_SECTORS (CHUNK_BYTES / SECTOR_BYTES)
#define MAX_SET_BYTES (64u << 20)
#define WORK_GCM 6000000u /* of a chunk */
#define WAIT_MS 1000u

static const char set_label[] = "confvm-shared-set-1";

/* At the disk's start, in the clear. Whatever a host changes here opens nothing: the key of a set hangs on its id, and
   each of its chunks on where it stands. */
struct disk_header {
    char magic[8];
    uint32_t version, owners;
    uint8_t zero[48];
    struct {
        uint8_t id[ID_BYTES];
        uint64_t first_sector, bytes;
        uint8_t zero[16];
    } set[MAX_OWNERS];
    uint8_t rest[HEADER_SECTORS * SECTOR_BYTES - 64 - MAX_OWNERS * 64];
};

/* What one owner releases: for each of the data sets, in the order of the owners, his share of its key. */
struct release {
    char magic[8];
    uint32_t owners, owner, asker, zero;
    uint8_t agreement[ID_BYTES];
    uint8_t mailbox_key[MAILBOX_KEY_BYTES]; /* the asker's; of others zeros */
    uint8_t share[MAX_OWNERS][SHARE_BYTES];
};

_Static_assert(sizeof(struct disk_header) == HEADER_SECTORS * SECTOR_BYTES, "the header is whole sectors");
_Static_assert(sizeof(struct release) <= SHARE_MAXIMUM && offsetof(struct release, share) == 88, "see the README");

static struct disk_header header;
static struct release release[MAX_OWNERS];
static bool released[MAX_OWNERS];
static uint8_t mailbox_key[MAILBOX_KEY_BYTES];

const uint8_t *shared_mailbox_key(void) { return mailbox_key; }

bool shared_disk(void)
{
    if (boot_info()->disk_sectors <= DISK_FIRST_SECTOR || !table_read_raw(0, HEADER_SECTORS, (uint8_t *)&header))
        return false;
    return memcmp(header.magic, "CVMSHAR1", sizeof header.magic) == 0;
}

static bool good_header(void)
{
    uint64_t sectors = boot_info()->disk_sectors;
    if (header.version != 1 || header.owners < 2 || header.owners > MAX_OWNERS)
        return false;
    for (uint32_t i = 0; i < header.owners; i++) {
        uint64_t first = header.set[i].first_sector, bytes = header.set[i].bytes;
        if (first > sectors || bytes <= GCM_TAG_BYTES || bytes > MAX_SET_BYTES ||
            (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES > sectors - first)
            return false;
    }
    return true;
}

static void put_released(uint32_t count)
{
    char buffer[80];
    struct text line = { .data = buffer, .capacity = sizeof buffer };
    text_put(&line, "shared: ");
    text_u64(&line, count);
    text_put(&line, " of ");
    text_u64(&line, header.owners);
    text_put(&line, " owners have released their data to this guest");
    serial_line(&line);
}

/* Keep a share that fits the disk and those that came before. Those that did not come from their owners are told by the
   data sets, which they do not open. */
static bool keep(const struct release *found, size_t length)
{
    if (length != offsetof(struct release, share) + (size_t)header.owners * SHARE_BYTES ||
        memcmp(found->magic, "CVSHARE1", sizeof found->magic) != 0 || found->owners != header.owners ||
        found->owner >= header.owners || found->asker >= header.owners)
        return false;
    for (uint32_t i = 0; i < header.owners; i++)
        if (released[i] && (found->asker != release[i].asker ||
                            memcmp(found->agreement, release[i].agreement, ID_BYTES) != 0))
            return false;
    memcpy(&release[found->owner], found, length);
    released[found->owner] = true;
    return true;
}

static void set_key(uint32_t set, uint8_t key[SHA256_BYTES])
{
    static uint8_t shares[MAX_OWNERS * SHARE_BYTES];
    for (uint32_t i = 0; i < header.owners; i++)
        memcpy(shares + i * SHARE_BYTES, release[i].share[set], SHARE_BYTES);
    hkdf_sha256(key, header.set[set].id, ID_BYTES, shares, (size_t)header.owners * SHARE_BYTES, set_label,
                sizeof set_label - 1);
    wipe(shares, sizeof shares);
}

/* Chunk `number` of a set, decrypted at `to`, where there is room for a whole chunk. Returns bytes of text, 0: it is not
   what its owner encrypted. */
static uint32_t open_chunk(const struct aes *aes, uint32_t set, uint32_t number, uint8_t *to)
{
    uint64_t left = header.set[set].bytes - (uint64_t)number * CHUNK_BYTES;
    uint32_t bytes = left < CHUNK_BYTES ? (uint32_t)left : CHUNK_BYTES;
    uint32_t place[GCM_NONCE_BYTES / 4] = { number, left <= CHUNK_BYTES, 0 };
    uint8_t tag[GCM_TAG_BYTES];
    if (bytes <= GCM_TAG_BYTES || !table_read_raw(header.set[set].first_sector + (uint64_t)number * CHUNK_SECTORS,
                                                  (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES, to))
        return 0;
    bytes -= GCM_TAG_BYTES;
    memcpy(tag, to + bytes, sizeof tag);
    return gcm_open(aes, (const uint8_t *)place, (struct associated){ NULL, 0 }, to, bytes, tag) ? bytes : 0;
}

static bool open_set(uint32_t set, struct plain_text *text)
{
    struct aes aes;
    uint8_t key[SHA256_BYTES];
    set_key(set, key);
    aes_key(&aes, key);
    wipe(key, sizeof key);
    uint32_t chunks = (uint32_t)((header.set[set].bytes + CHUNK_BYTES - 1) / CHUNK_BYTES), opened = 1;
    text->bytes = 0;
    for (uint32_t i = 0; i < chunks && opened; i++) {
        opened = open_chunk(&aes, set, i, text->at + text->bytes);
        text->bytes += opened;
        work_progress(i * 100 / chunks);
        work_breathe(WORK_GCM);
    }
    wipe(&aes, sizeof aes);
    return opened != 0;
}

static bool open_sets(struct plain_text texts[MAX_OWNERS])
{
    for (uint32_t i = 0; i < header.owners; i++)
        if (!open_set(i, &texts[i]))
            return false;
    return true;
}

/* Take shares until there is one of each owner. The last is answered by whoever tries them. */
static void wait_for_owners(void)
{
    static union {
        struct release release;
        uint8_t bytes[SHARE_MAXIMUM];
    } found;
    for (uint32_t count = 0;;) {
        attestation_poll();
        size_t length = attestation_take_share(found.bytes);
        if (length) {
            bool kept = keep(&found.release, length);
            wipe(&found, sizeof found);
            for (uint32_t i = count = 0; i < header.owners; i++)
                count += released[i];
            if (count == header.owners && kept)
                return;
            attestation_tell_share(kept ? SHARE_TAKEN : SHARE_NOT_OF_THIS_AGREEMENT);
            if (kept)
                put_released(count);
        }
        sleep_ms(WAIT_MS);
    }
}

static void forget_shares(void)
{
    wipe(release, sizeof release);
    memset(released, 0, sizeof released);
}

enum table_result shared_load(uint64_t *needed)
{
    struct plain_text texts[MAX_OWNERS];
    *needed = 0;
    if (!good_header())
        return TABLE_DAMAGED;
    for (uint32_t i = 0; i < header.owners; i++) {
        *needed += header.set[i].bytes + CHUNK_BYTES;
        texts[i].at = heap_take(header.set[i].bytes + CHUNK_BYTES);
        if (!texts[i].at)
            return TABLE_TOO_BIG;
    }
    for (;;) {
        wait_for_owners();
        if (open_sets(texts))
            break;
        forget_shares();
        attestation_tell_share(SHARES_OPEN_NOTHING);
        serial_put("shared: what the owners released does not open the data sets, waiting for others");
    }
    memcpy(mailbox_key, release[release[0].asker].mailbox_key, sizeof mailbox_key);
    forget_shares();
    attestation_forget_key();
    attestation_tell_share(SHARE_TAKEN);
    put_released(header.owners);
    return table_join(texts, header.owners, needed);
}
