/* Messages between an SEV-SNP guest and the secure processor's firmware, sealed past the host (56860, guest messages). */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include "abi.h"

#define REPORT_BYTES 0x4A0u
#define REPORT_DATA_BYTES 64u
#define VMPCK_BYTES 32u

/* Statuses of our own, beside the firmware's. */
#define FIRMWARE_ANSWER_FALSE 0x80000001u /* what came back was not sealed by the firmware */
#define FIRMWARE_ANSWER_SHORT 0x80000002u /* it was, but holds no whole report */

/* The firmware's keys of this guest, one for each VMPL; in its secrets page. */
const uint8_t *firmware_vmpck(unsigned vmpl);

/* Use VMPCK0. Once, after aes_setup. */
void firmware_open(void);
/* Ask for a report that carries `data`. Returns 0 and the report, or a status; a message that the firmware refused is
   sent once more, as it was, before any other: its number, and so its nonce, is taken. */
uint32_t firmware_report(const uint8_t data[REPORT_DATA_BYTES], const uint8_t **report);

#endif
