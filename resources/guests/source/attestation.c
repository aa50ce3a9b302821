#include "attestation.h"

#include "aes.h"
#include "firmware.h"
#include "paging.h"
#include "platform.h"
#include "sha256.h"
#include "text.h"
#include "x25519.h"

#define PAGE_MAGIC 0x54544156u /* "VATT" */
#define NONCE_BYTES 32u
#define SEALED_MAXIMUM 1024u
#define WAIT_MS 1000u /* at most between two looks at the page; the doorbell is quicker */

static const char key_label[] = "confvm-guest-key";
static const char seal_label[] = "confvm-secret-1";
static const char share_label[] = "confvm-share-1";

struct page {
    uint32_t magic, version;
    volatile uint32_t request_sequence, answer_sequence;
    volatile uint8_t nonce[NONCE_BYTES];
    volatile uint8_t public_key[X25519_BYTES];
    volatile uint32_t status, report_bytes;
    uint8_t free_1[0x100 - 0x58];
    volatile uint8_t report[REPORT_BYTES];
    uint8_t free_2[0x800 - 0x5A0];
    volatile uint32_t sealed_sequence, sealed_bytes;
    volatile uint32_t share_sequence, share_status; /* of the share that was looked at last */
    volatile uint8_t sealed[SEALED_MAXIMUM];
};

_Static_assert(offsetof(struct page, report) == 0x100 && offsetof(struct page, sealed) == 0x810, "see the README");

static bool opened;
static uint8_t private_key[X25519_BYTES];
/* What the last report carries, and the salt of the seal. */
static struct {
    uint8_t public_key[X25519_BYTES];
    uint8_t nonce[NONCE_BYTES];
} identity;
static uint32_t last_answered, last_refused, last_share;

static struct page *page(void) { return (struct page *)(uintptr_t)ATTESTATION_GPA; }

static void put_status(uint32_t status)
{
    char buffer[96];
    struct text line = { .data = buffer, .capacity = sizeof buffer };
    text_put(&line, "sev-snp: there is no report, the firmware's status is 0x");
    for (unsigned shift = 32; shift > 0; shift -= 4)
        text_char(&line, "0123456789abcdef"[status >> (shift - 4) & 15]);
    serial_line(&line);
}

static void answer(uint32_t sequence)
{
    if (sequence == 0 || sequence == last_answered)
        return;
    memcpy(identity.nonce, (const void *)page()->nonce, NONCE_BYTES);
    serial_put(last_answered ? "sev-snp: another report asked of the firmware"
                             : "sev-snp: report asked of the firmware, waiting for the owner's keys");
    const uint8_t *report;
    uint32_t status = firmware_report((const uint8_t *)&identity, &report);
    if (status)
        put_status(status);
    else
        memcpy((void *)page()->report, report, REPORT_BYTES);
    memcpy((void *)page()->public_key, identity.public_key, X25519_BYTES);
    page()->status = status;
    page()->report_bytes = status ? 0 : REPORT_BYTES;
    __asm__ volatile("" ::: "memory");
    page()->answer_sequence = sequence; /* last: from here on the host takes it */
    last_answered = sequence;
    out32(PORT_ANSWERED, sequence);
}

void attestation_poll(void)
{
    if (opened)
        answer(page()->request_sequence);
}

/* Open what was sealed to this guest, `size` bytes of the shared page, in `to`, which is private and has room for
 * SEALED_MAXIMUM. Returns its length, or 0. */
static size_t open_sealed(const uint8_t *sealed, uint32_t size, const uint8_t nonce[NONCE_BYTES], const char *label,
                          size_t label_bytes, uint8_t *to)
{
    uint8_t salt[X25519_BYTES + NONCE_BYTES];
    uint8_t owner_key[X25519_BYTES], shared[X25519_BYTES], seal_key[SHA256_BYTES], tag[CCM_TAG_BYTES];
    static const uint8_t no_nonce[CCM_NONCE_BYTES];
    struct aes aes;
    if (size <= X25519_BYTES + CCM_TAG_BYTES || size > SEALED_MAXIMUM)
        return 0;
    size_t length = size - X25519_BYTES - CCM_TAG_BYTES;
    memcpy(owner_key, sealed, sizeof owner_key);
    memcpy(to, sealed + X25519_BYTES, length);
    memcpy(tag, sealed + X25519_BYTES + length, sizeof tag);
    memcpy(salt, identity.public_key, X25519_BYTES);
    memcpy(salt + X25519_BYTES, nonce, NONCE_BYTES);

    bool good = x25519(shared, private_key, owner_key);
    hkdf_sha256(seal_key, salt, sizeof salt, shared, sizeof shared, label, label_bytes);
    aes_key(&aes, seal_key);
    good &= ccm_open(&aes, no_nonce, (struct associated){ owner_key, sizeof owner_key }, to, length, tag);
    if (!good)
        memset(to, 0, length);
    wipe(shared, sizeof shared);
    wipe(seal_key, sizeof seal_key);
    wipe(&aes, sizeof aes);
    return good ? length : 0;
}

/* Into the secret page itself, which is private. Returns whether it holds the owner's table now. */
static bool open_secret(void)
{
    uint8_t *secret = (uint8_t *)(uintptr_t)SECRET_GPA;
    memset(secret, 0, PAGE_BYTES);
    return open_sealed((const uint8_t *)page()->sealed, page()->sealed_bytes, identity.nonce, seal_label,
                       sizeof seal_label - 1, secret) != 0;
}

size_t attestation_take_share(uint8_t share[SHARE_MAXIMUM])
{
    uint32_t given = page()->sealed_sequence, size = page()->sealed_bytes;
    uint8_t nonce[NONCE_BYTES];
    if (given == last_share)
        return 0;
    last_share = given;
    const uint8_t *sealed = (const uint8_t *)page()->sealed;
    memcpy(nonce, sealed, NONCE_BYTES);
    size_t length = 0;
    if (size > NONCE_BYTES && size <= SEALED_MAXIMUM)
        length = open_sealed(sealed + NONCE_BYTES, size - NONCE_BYTES, nonce, share_label, sizeof share_label - 1, share);
    if (!length)
        attestation_tell_share(SHARE_NOT_SEALED_TO_US);
    return length;
}

void attestation_tell_share(uint32_t status)
{
    page()->share_status = status;
    __asm__ volatile("" ::: "memory");
    page()->share_sequence = last_share; /* last: from here on the host takes it */
}

void attestation_forget_key(void) { wipe(private_key, sizeof private_key); }

static void make_key(void)
{
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, key_label, sizeof key_label - 1);
    sha256_add(&hash, firmware_vmpck(1), VMPCK_BYTES);
    sha256_end(&hash, private_key);
    x25519_public(identity.public_key, private_key);
}

void attestation_start(bool keep_key)
{
    if (!memory_map.snp_active)
        return;
    if (page()->magic != PAGE_MAGIC || page()->version != 1) {
        serial_put("sev-snp: the host has no page for attestation, so there will be no keys");
        serial_put("powering off");
        power_off(1);
    }
    firmware_open();
    make_key();
    opened = true;
    for (;;) {
        /* Keys are sealed to the last report, and the owner may ask for another as soon as he has handed them over.
         * So they are opened before that is answered; and they are looked for behind it, since he writes them first. */
        uint32_t asked = page()->request_sequence;
        uint32_t given = page()->sealed_sequence;
        if (last_answered && given && given != last_refused) {
            if (open_secret()) {
                last_share = given;
                break;
            }
            last_refused = given;
            serial_put("sev-snp: the keys that came were not sealed to this guest, waiting for others");
        }
        answer(asked);
        sleep_ms(WAIT_MS);
    }
    if (!keep_key)
        attestation_forget_key();
    serial_put("sev-snp: keys received");
}
