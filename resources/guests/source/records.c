/* The records guest: unlocks its disk with the injected key, indexes the records, queries them and trains on them.

   Nothing of the records' text leaves private memory but sealed; the console gets counts, timings and results. */

#include "aes.h"
#include "attestation.h"
#include "heap.h"
#include "index.h"
#include "mailbox.h"
#include "paging.h"
#include "platform.h"
#include "query.h"
#include "secret.h"
#include "shared.h"
#include "number.h"
#include "table.h"
#include "training.h"
#include "work.h"
#include "workload.h"

/* One pass of the loop: this much work, then sleep, so that a guest takes about a tenth of a processor. */
#define QUERY_MS 3u
#define TRAIN_MS 8u
#define REST_MS 120u
#define SCAN_CELLS 8192u
#define TRAIN_CELLS 4096u
#define FIRST_REPORT_MS 1000u
#define REPORT_MS 10000u
#define EPOCH_LINE_MS 1000u
#define EPOCH_LINE_EVERY 10u

static char line_buffer[160];
static struct text line;

static void begin_line(const char *s)
{
    line = (struct text){ .data = line_buffer, .capacity = sizeof line_buffer };
    text_put(&line, s);
}

static void put(const char *s) { text_put(&line, s); }

static void put_number(uint64_t n) { text_u64(&line, n); }

static void put_size(uint64_t bytes)
{
    bool large = bytes >= 10u << 20;
    put_number(bytes >> (large ? 20 : 10));
    put(large ? " MiB" : " KiB");
}

static void end_line(void) { serial_line(&line); }

static __attribute__((noreturn)) void stop(const char *why)
{
    serial_put(why);
    serial_put("powering off");
    power_off(1);
}

static __attribute__((noreturn)) void out_of_memory(uint64_t needed)
{
    begin_line("memory: this table needs ");
    put_size(needed);
    put(" more, of ");
    put_size(memory_map.ram_bytes);
    put(" there is ");
    put_size(heap_free());
    put(" left");
    end_line();
    stop("memory: give the instance more and start it again");
}

static void banner(void)
{
    serial_put("ConfVM records guest");
    begin_line("memory: ");
    put_size(memory_map.ram_bytes);
    if (memory_map.sev_active) {
        put(", encrypted (");
        put(memory_protection());
        put(" active, C-bit ");
        put_number(memory_map.c_bit);
        put(")");
    } else {
        put(", not encrypted (SEV not active): the host can read it");
    }
    end_line();
}

/* Or stop. */
static void require_table(enum table_result result, uint64_t needed)
{
    switch (result) {
    case TABLE_READ: break;
    case TABLE_NO_DISK: stop("disk: there is none");
    case TABLE_DISK_ERROR: stop("disk: it could not be read");
    case TABLE_WRONG_KEY: stop("disk: locked, the injected key does not open it or its first sector is damaged");
    case TABLE_DAMAGED: stop("disk: unlocked, but the records on it are damaged");
    case TABLE_TOO_BIG: out_of_memory(needed);
    }
}

static void report_loaded(const char *how, uint32_t began)
{
    begin_line(how);
    put(aes_uses_instructions() ? ", AES instructions), " : "), ");
    put_size(table.bytes);
    put(" read in ");
    put_number(clock_ms() - began);
    put(" ms");
    end_line();
}

static void load_table(void)
{
    const uint8_t *key = secret_disk_key();
    uint64_t needed = 0;
    if (!key)
        stop("disk: locked, no disk key was injected at launch");
    uint32_t began = clock_ms();
    require_table(table_load(key, &needed), needed);
    report_loaded("disk: unlocked with the injected key (AES-256-XTS", began);
}

static void load_shared(void)
{
    uint64_t needed = 0;
    serial_put("shared: waiting for the owners of the data sets on the disk");
    uint32_t began = clock_ms();
    require_table(shared_load(&needed), needed);
    report_loaded("shared: all data sets opened (AES-256-GCM", began);
}

static void report_table(void)
{
    uint32_t numeric = 0;
    for (uint32_t c = 0; c < table.columns; c++)
        numeric += table_numeric(c);
    begin_line("records: ");
    put_number(table.rows);
    put(" rows, ");
    put_number(table.columns);
    put(" columns, ");
    put_number(numeric);
    put(" of them numeric");
    end_line();
}

static void build_index(void)
{
    uint64_t needed;
    uint32_t began = clock_ms();
    work_phase = PHASE_INDEXING;
    if (!index_build(&needed))
        out_of_memory(needed);
    query_index_ms = clock_ms() - began;
    begin_line("index: ");
    put_number(table.columns);
    put(" columns indexed in ");
    put_number(query_index_ms);
    put(" ms");
    end_line();
}

static void prepare_training(void)
{
    uint64_t needed;
    work_phase = PHASE_PREPARING;
    if (!training_prepare(&needed))
        out_of_memory(needed);
    if (!training.features) {
        serial_put("training: none, the records have no label or no numeric column to learn from");
        return;
    }
    begin_line("training: logistic regression on ");
    put_number(training.rows);
    put(" rows, ");
    put_number(training.features);
    put(" features, ");
    put_number(training.positives);
    put(" rows of class 1");
    end_line();
}

static void report_queries(void)
{
    begin_line("queries: ");
    put_number(workload.queries);
    put(" by index, ");
    put_number(workload.query_ms ? workload.queries * 1000 / workload.query_ms : 0);
    put(" a second; ");
    put_number(workload.scans);
    put(" checked by scan, ");
    put_number(workload.wrong);
    put(" wrong");
    end_line();
}

static void put_results(double loss, double accuracy)
{
    put(": loss ");
    text_fixed(&line, loss, 6);
    put(", accuracy ");
    text_fixed(&line, accuracy * 100, 2);
    put(" %");
    end_line();
}

static bool due(uint32_t *next, uint32_t now, uint32_t every)
{
    if ((int32_t)(now - *next) < 0)
        return false;
    *next = now + every;
    return true;
}

/* The first training tells its epochs, later ones (from the same start, to the same end) only now and then. */
static void report_training(enum training_event event, uint32_t now)
{
    static uint32_t next_epoch_line, next_round_line;
    if (event == TRAINING_ROUND_DONE) {
        if (due(&next_round_line, now, REPORT_MS) || training.rounds == 1) {
            begin_line("training: model ");
            put_number(training.rounds);
            put_results(training.model.loss, training.model.accuracy);
        }
    } else if (!training.rounds) {
        bool round_number = training.epoch % EPOCH_LINE_EVERY == 0 || training.epoch == 1;
        if (due(&next_epoch_line, now, EPOCH_LINE_MS) || round_number) {
            begin_line("training: epoch ");
            put_number(training.epoch);
            put_results(training.loss, training.accuracy);
        }
    }
}

static void train(uint32_t deadline)
{
    uint32_t now, rows = TRAIN_CELLS / (training.features + 8) + 1;
    do {
        enum training_event event = training_step(rows);
        now = clock_ms();
        if (event != TRAINING_GOES_ON)
            report_training(event, now);
    } while ((int32_t)(now - deadline) < 0);
}

/* Questions are answered at once, but do not bring the next stretch of work forward. */
static void rest(void)
{
    uint32_t began = clock_ms(), slept = 0;
    do {
        sleep_ms(REST_MS - slept);
        attestation_poll();
        mailbox_poll();
        slept = clock_ms() - began;
    } while (slept < REST_MS);
}

void guest_main(void)
{
    if (!paging_enable())
        stop("boot information is missing");
    banner();
    aes_setup();
    heap_open(memory_map.mapped_end);
    bool shared = shared_disk();
    if (shared && !memory_map.snp_active)
        stop("shared: owners release their data to SEV-SNP guests only, which have keys of their own to seal them to");
    attestation_start(shared);
    if (shared)
        load_shared();
    const uint8_t *key = shared ? shared_mailbox_key() : secret_mailbox_key();
    if (key)
        mailbox_open(key, query_answer);
    else
        serial_put("mailbox: closed, no mailbox key was injected at launch");
    if (!shared)
        load_table();
    report_table();
    build_index();
    prepare_training();
    work_phase = PHASE_READY;
    serial_put(key ? "ready: questions are answered" : "ready");

    uint32_t next_report = clock_ms() + FIRST_REPORT_MS;
    for (;;) {
        workload_query(clock_ms() + QUERY_MS);
        workload_scan(SCAN_CELLS / table.columns + 1);
        mailbox_poll();
        if (training.features)
            train(clock_ms() + TRAIN_MS);
        mailbox_poll();
        if (due(&next_report, clock_ms(), REPORT_MS))
            report_queries();
        rest();
    }
}
