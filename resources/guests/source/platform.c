#include "platform.h"

/* The compiler calls these by name; they must not be turned into calls of themselves (see `build`). */

void *memcpy(void *to, const void *from, size_t length)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; length >= 8; length -= 8, t += 8, f += 8)
        store_le64(t, load_le64(f));
    while (length--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t length)
{
    uint8_t *t = to;
    uint64_t pattern = 0x0101010101010101u * (uint8_t)value;
    for (; length >= 8; length -= 8, t += 8)
        store_le64(t, pattern);
    while (length--)
        *t++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const uint8_t *x = a, *y = b;
    for (; length >= 8 && load_le64(x) == load_le64(y); length -= 8)
        x += 8, y += 8;
    for (; length; length--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

void wipe(void *secret, size_t length)
{
    memset(secret, 0, length);
    __asm__ volatile("" ::"r"(secret) : "memory");
}

void power_off(uint32_t reason)
{
    out32(PORT_POWER_OFF, reason);
    for (;;)
        __asm__ volatile("hlt");
}
