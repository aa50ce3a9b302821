/* The smallest guest: a counter, a private pattern and a line every ten seconds. */

#include "aes.h"
#include "attestation.h"
#include "mailbox.h"
#include "paging.h"
#include "platform.h"
#include "secret.h"

#define TICK_MS 1000u
#define LINE_MS 10000u

static struct {
    char pattern[48];
    uint64_t ticks;
} beat __attribute__((aligned(64)));

static void answer_status(const char *request, size_t length, struct text *answer)
{
    static const char status[] = "status";
    size_t n = sizeof status - 1;
    if (length < n || memcmp(request, status, n) != 0 || (length > n && request[n] != UNIT_SEPARATOR)) {
        text_put(answer, "error\x1e" "0\x1eThis guest only knows the question status\x1e");
        return;
    }
    text_put(answer, "ok\x1e");
    text_u64(answer, beat.ticks);
    text_put(answer, "\x1e" "beating\x1estate\x1f" "beating\x1eticks\x1f");
    text_u64(answer, beat.ticks);
    text_char(answer, RECORD_SEPARATOR);
}

static void report(uint32_t now)
{
    char line[80];
    struct text t = { .data = line, .capacity = sizeof line };
    text_put(&t, "heartbeat: ");
    text_u64(&t, beat.ticks);
    text_put(&t, " ticks, up ");
    text_u64(&t, now / 1000);
    text_put(&t, " s");
    serial_line(&t);
}

void guest_main(void)
{
    if (!paging_enable()) {
        serial_put("boot information is missing; powering off");
        power_off(1);
    }
    char line[80];
    struct text t = { .data = line, .capacity = sizeof line };
    text_put(&t, "ConfVM heartbeat guest, memory ");
    if (memory_map.sev_active) {
        text_put(&t, "encryption active (");
        text_put(&t, memory_protection());
        text_put(&t, ")");
    } else {
        text_put(&t, "not encrypted");
    }
    serial_line(&t);
    aes_setup();
    attestation_start(false);
    const uint8_t *key = secret_mailbox_key();
    if (key)
        mailbox_open(key, answer_status);
    static const char pattern[] = "heartbeat: private to this guest, tick follows ";
    memcpy(beat.pattern, pattern, sizeof beat.pattern);

    uint32_t next_line = LINE_MS, next_tick = TICK_MS;
    for (;;) {
        attestation_poll();
        mailbox_poll();
        uint32_t now = clock_ms();
        if ((int32_t)(now - next_tick) >= 0) { /* the clock wraps after 49 days */
            beat.ticks++;
            next_tick = now + TICK_MS;
        }
        if ((int32_t)(now - next_line) >= 0) {
            report(now);
            next_line = now + LINE_MS;
        }
        sleep_ms(next_tick - now);
    }
}
