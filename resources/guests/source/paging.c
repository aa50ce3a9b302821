#include "paging.h"

#include "platform.h"
#include "text.h"

#define PRESENT_WRITABLE 3u
#define LARGE (1u << 7)
#define ENTRIES 512u
#define CPUID_MEMORY_ENCRYPTION 0x8000001Fu
#define SEV_ACTIVE 2u
#define SEV_ES_ACTIVE 8u
#define SEV_SNP_ACTIVE 16u
#define SIZE_MISMATCH 6u

static uint64_t pml4[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t pdpt[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t directory[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));
static uint64_t first_table[ENTRIES] __attribute__((aligned(4096), section(".bss.page_tables")));

struct memory_map memory_map;

static bool is_shared(uint64_t gpa)
{
    return gpa == BOOT_INFO_GPA || (memory_map.snp_active && gpa >= FIRMWARE_REQUEST_GPA && gpa <= ATTESTATION_GPA) ||
           (gpa >= MAILBOX_GPA && gpa < BOUNCE_END);
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

static bool is_private(uint64_t gpa)
{
    return gpa == SECRET_GPA || (memory_map.snp_active && gpa == SNP_SECRETS_GPA) || gpa >= IMAGE_GPA;
}

bool paging_enable(void)
{
    struct cpuid_result leaf = ask_memory_encryption();
    memory_map.sev_active = leaf.eax & SEV_ACTIVE;
    memory_map.es_active = leaf.eax & SEV_ES_ACTIVE;
    memory_map.snp_active = leaf.eax & SEV_SNP_ACTIVE;
    memory_map.c_bit = leaf.ebx & 0x3f;
    uint64_t c = memory_map.sev_active ? 1ull << memory_map.c_bit : 0;

    /* The first 2 MiB page by page; what the ABI does not name stays unmapped, so that a stray access is a crash. */
    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint64_t gpa = i * PAGE_BYTES;
        if (is_shared(gpa))
            first_table[i] = gpa | PRESENT_WRITABLE;
        else if (is_private(gpa))
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

const char *memory_protection(void)
{
    return memory_map.snp_active ? "SEV-SNP" : memory_map.es_active ? "SEV-ES" : "SEV";
}

static __attribute__((noreturn)) void refused(const char *why)
{
    serial_put(why);
    serial_put("powering off");
    power_off(1);
}

/* Returns EAX. */
static uint32_t pvalidate(uint64_t gpa, bool large)
{
    uint64_t result = gpa;
    bool unchanged;
    __asm__ volatile(".byte 0xF2, 0x0F, 0x01, 0xFF" /* by older assemblers not known by name */
                     : "+a"(result), "=@ccc"(unchanged)
                     : "c"(large), "d"(1)
                     : "memory");
    /* Valid already, though never validated: two pages of the host's would take turns under one address. */
    if ((uint32_t)result == 0 && unchanged)
        refused("sev-snp: the host has swapped a page of this guest's");
    return (uint32_t)result;
}

void memory_claim(uint64_t gpa, uint64_t count)
{
    if (!memory_map.snp_active || !count)
        return;
    out32(PORT_STATE_FIRST, (uint32_t)(gpa / PAGE_BYTES));
    out32(PORT_STATE_COUNT, (uint32_t)count);
    out32(PORT_STATE_CHANGE, 1);
    if (in32(PORT_STATE_CHANGE) != 0)
        refused("sev-snp: the host does not give the guest its memory");
    for (uint64_t end = gpa + count * PAGE_BYTES; gpa < end;) {
        bool large = gpa % LARGE_PAGE_BYTES == 0 && end - gpa >= LARGE_PAGE_BYTES;
        uint32_t result = pvalidate(gpa, large);
        uint64_t step = large ? LARGE_PAGE_BYTES : PAGE_BYTES;
        if (large && result == SIZE_MISMATCH) {
            /* The host has it in small pages. */
            result = 0;
            for (uint64_t page = gpa; page < gpa + step && !result; page += PAGE_BYTES)
                result = pvalidate(page, false);
        }
        if (result)
            refused("sev-snp: the processor does not validate the guest's memory");
        gpa += step;
    }
}
