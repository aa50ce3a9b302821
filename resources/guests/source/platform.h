/* The processor and the devices: ports, CPUID, clock, sleep, memory operations. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "abi.h"

struct cpuid_result {
    uint32_t eax, ebx, ecx, edx;
};

static inline void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }

static inline void out32(uint16_t port, uint32_t value) { __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory"); }

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline struct cpuid_result cpuid(uint32_t leaf)
{
    struct cpuid_result r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(0));
    return r;
}

static inline uint32_t clock_ms(void) { return in32(PORT_CLOCK); }

/* Sleep for at most `ms`; the mailbox doorbell wakes earlier. */
static inline void sleep_ms(uint32_t ms)
{
    out32(PORT_SLEEP, ms);
    __asm__ volatile("hlt" ::: "memory");
}

void power_off(uint32_t reason) __attribute__((noreturn));

void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *s);
/* Zeros over what was secret; the compiler does not leave it out. */
void wipe(void *secret, size_t length);

static inline uint32_t load_le32(const void *p)
{
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}

static inline uint64_t load_le64(const void *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, 8);
    return v;
}

static inline void store_le64(void *p, uint64_t v) { __builtin_memcpy(p, &v, 8); }

#endif
