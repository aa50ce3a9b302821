/* The guest's own page tables, with the C-bit where memory is private (APM volume 2, 15.34.5). */
#ifndef PAGING_H
#define PAGING_H

#include "abi.h"

struct memory_map {
    bool sev_active, es_active, snp_active; /* each of them implies those before */
    uint32_t c_bit; /* position, where SEV is active */
    uint64_t ram_bytes;
    uint64_t mapped_end; /* first GPA that no page table entry maps */
};

extern struct memory_map memory_map;

/* Build the tables, load CR3 and read boot_info. Returns false where boot_info is not one. */
bool paging_enable(void);

/* "SEV", "SEV-ES" or "SEV-SNP", where it is active. */
const char *memory_protection(void);

/* Make `count` pages from `gpa` on the guest's own under SEV-SNP, by a page state change and PVALIDATE; elsewhere they
   are so already. Does not return where the host refuses, or cheats. */
void memory_claim(uint64_t gpa, uint64_t count);

static inline const struct boot_info *boot_info(void) { return (const struct boot_info *)(uintptr_t)BOOT_INFO_GPA; }

#endif
