#include "text.h"

#include "platform.h"

void text_char(struct text *t, char c)
{
    if (t->length < t->capacity)
        t->data[t->length++] = c;
    else
        t->full = true;
}

void text_bytes(struct text *t, const void *data, size_t length)
{
    size_t room = t->capacity - t->length;
    if (length > room) {
        length = room;
        t->full = true;
    }
    memcpy(t->data + t->length, data, length);
    t->length += length;
}

void text_put(struct text *t, const char *s) { text_bytes(t, s, strlen(s)); }

void text_u64(struct text *t, uint64_t value)
{
    char digits[20];
    size_t n = sizeof digits;
    do
        digits[--n] = (char)('0' + value % 10);
    while (value /= 10);
    text_bytes(t, digits + n, sizeof digits - n);
}

static void serial_bytes(const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out8(PORT_COM1, (uint8_t)data[i]);
}

void serial_line(const struct text *t)
{
    serial_bytes(t->data, t->length);
    serial_bytes("\r\n", 2);
}

void serial_put(const char *s)
{
    serial_bytes(s, strlen(s));
    serial_bytes("\r\n", 2);
}
