/* What the hypervisor and the guests agree on: guest physical addresses, ports, formats. See ../README.md. */
#ifndef ABI_H
#define ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u
#define LARGE_PAGE_BYTES (2u << 20)

/* Shared pages (C-bit clear): whatever is here, the hypervisor reads. */
#define BOOT_INFO_GPA 0x8000u
#define FIRMWARE_REQUEST_GPA 0x9000u /* these three under SEV-SNP only */
#define FIRMWARE_RESPONSE_GPA 0xA000u
#define ATTESTATION_GPA 0xB000u
#define MAILBOX_GPA 0x10000u
#define MAILBOX_RESPONSE_GPA 0x18000u
#define BOUNCE_GPA 0x20000u
#define BOUNCE_END 0x40000u
/* Private pages. */
#define SECRET_GPA 0x40000u
#define SNP_SECRETS_GPA 0x41000u /* under SEV-SNP only: written by the firmware, with the keys of its messages */
#define IMAGE_GPA 0x100000u

#define MAILBOX_AREA_BYTES 0x8000u
#define MAILBOX_HEADER_BYTES 16u
#define MAILBOX_TAG_BYTES 16u
#define MAILBOX_PAYLOAD_BYTES (MAILBOX_AREA_BYTES - MAILBOX_HEADER_BYTES)

#define BOOT_INFO_MAGIC 0x49425643u /* "CVBI" */

struct boot_info {
    uint32_t magic;
    uint32_t version;
    uint64_t ram_bytes;
    uint64_t disk_sectors; /* of 512 bytes, the clear header included; 0: no disk */
    uint64_t reserved;
    char command_line[256];
};

#define PORT_COM1 0x3F8
#define PORT_CLOCK 0x510    /* in: milliseconds since start */
#define PORT_SLEEP 0x514    /* out: milliseconds that the next HLT sleeps at most; the doorbell ends it sooner */
#define PORT_DISK_LBA 0x520 /* out */
#define PORT_DISK_COUNT 0x524
#define PORT_DISK_BUFFER 0x528
#define PORT_DISK_COMMAND 0x52C /* out 1: read; in: status, 0 is good */
#define PORT_FIRMWARE 0x530   /* out 1: take the message to the firmware; in: 0, or with what it was refused */
#define PORT_STATE_FIRST 0x534 /* out: number of the first page of a page state change */
#define PORT_STATE_COUNT 0x538
#define PORT_STATE_CHANGE 0x53C /* out: 1 private, 0 shared; in: 0 done */
#define PORT_ANSWERED 0x544   /* out: number of the attestation request that is answered */
#define PORT_POWER_OFF 0x600

#define SECTOR_BYTES 512u
#define DISK_FIRST_SECTOR 8u /* behind the clear header */
#define DISK_MAX_COUNT 256u

/* Separators of mailbox messages: ASCII unit separator and record separator. */
#define UNIT_SEPARATOR '\x1f'
#define RECORD_SEPARATOR '\x1e'

#endif
