#include "paging.h"

#include "platform.h"

#define PRESENT_WRITABLE 3u
#define LARGE (1u << 7)
#define ENTRIES 512u
#define CPUID_MEMORY_ENCRYPTION 0x8000001Fu

static uint64_t pml4[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t pdpt[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t directory[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t first_table[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));

struct memory_map memory_map;

static bool is_shared(uint64_t gpa)
{
    return gpa == BOOT_INFO_GPA || (gpa >= MAILBOX_GPA && gpa < BOUNCE_END);
}

/* Asked until two answers agree, with a store between them: an emulator that is being stopped at this very moment may
   answer the first for another processor, and to believe that would mean to run unencrypted. */
static struct cpuid_result ask_memory_encryption(void)
{
    volatile struct cpuid_result last = cpuid(CPUID_MEMORY_ENCRYPTION);
    for (;;) {
        struct cpuid_result leaf = cpuid(CPUID_MEMORY_ENCRYPTION);
        if (leaf.eax == last.eax && leaf.ebx == last.ebx)
            return leaf;
        last = leaf;
    }
}

bool paging_enable(void)
{
    struct cpuid_result leaf = ask_memory_encryption();
    memory_map.sev_active = leaf.eax & 2;
    memory_map.c_bit = leaf.ebx & 0x3f;
    uint64_t c = memory_map.sev_active ? 1ull << memory_map.c_bit : 0;

    /* The first 2 MiB page by page; what the ABI does not name stays unmapped, so that a stray access is a crash. */
    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint64_t gpa = i * PAGE_BYTES;
        if (is_shared(gpa))
            first_table[i] = gpa | PRESENT_WRITABLE;
        else if (gpa == SECRET_GPA || gpa >= IMAGE_GPA)
            first_table[i] = gpa | PRESENT_WRITABLE | c;
    }
    directory[0] = (uintptr_t)first_table | PRESENT_WRITABLE | c;
    pdpt[0] = (uintptr_t)directory | PRESENT_WRITABLE | c;
    pml4[0] = (uintptr_t)pdpt | PRESENT_WRITABLE | c;
    __asm__ volatile("movq %0, %%cr3" ::"r"((uintptr_t)pml4 | c) : "memory");

    /* Copied once: the hypervisor can change a shared page between two reads. */
    const volatile struct boot_info *info = boot_info();
    uint64_t ram = info->ram_bytes;
    if (info->magic != BOOT_INFO_MAGIC || info->version != 1 || ram < LARGE_PAGE_BYTES)
        return false;
    memory_map.ram_bytes = ram;
    uint64_t large_pages = ram / LARGE_PAGE_BYTES;
    if (large_pages > ENTRIES)
        large_pages = ENTRIES;
    for (uint64_t i = 1; i < large_pages; i++)
        directory[i] = i * LARGE_PAGE_BYTES | PRESENT_WRITABLE | LARGE | c;
    memory_map.mapped_end = large_pages * LARGE_PAGE_BYTES;
    return true;
}
