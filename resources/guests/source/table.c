#include "table.h"

#include "aes.h"
#include "heap.h"
#include "paging.h"
#include "platform.h"
#include "work.h"

#define CRC_POLYNOMIAL 0xEDB88320u /* CRC-32 of IEEE 802.3, reflected */
#define CHUNK_BYTES (DISK_MAX_COUNT * SECTOR_BYTES)

/* First sector of the decrypted disk. `header_crc` is over the sector with itself zero. */
struct disk_header {
    char magic[8];
    uint32_t version, header_crc, columns, rows;
    uint64_t body_bytes;
    uint32_t body_crc, index_column, label_column, label_kind;
    uint8_t zero[SECTOR_BYTES - 48];
};

_Static_assert(sizeof(struct disk_header) == SECTOR_BYTES, "the header is one sector");

struct table table;

static struct xts xts;
static uint32_t crc_table[4][256];

static void crc_setup(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? CRC_POLYNOMIAL : 0);
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int n = 1; n < 4; n++)
            crc_table[n][i] = crc_table[n - 1][i] >> 8 ^ crc_table[0][crc_table[n - 1][i] & 255];
}

static uint32_t crc_update(uint32_t crc, const uint8_t *data, uint64_t length)
{
    for (; length >= 4; length -= 4, data += 4) {
        crc ^= load_le32(data);
        crc = crc_table[3][crc & 255] ^ crc_table[2][crc >> 8 & 255] ^ crc_table[1][crc >> 16 & 255] ^
              crc_table[0][crc >> 24];
    }
    while (length--)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *data++) & 255];
    return crc;
}

/* `count` sectors from the data sector `first`: ciphertext in the shared bounce buffer, plain text in private `to`. */
static bool read_sectors(uint64_t first, uint32_t count, uint8_t *to)
{
    out32(PORT_DISK_LBA, (uint32_t)(DISK_FIRST_SECTOR + first));
    out32(PORT_DISK_COUNT, count);
    out32(PORT_DISK_BUFFER, BOUNCE_GPA);
    out32(PORT_DISK_COMMAND, 1);
    if (in32(PORT_DISK_COMMAND) != 0)
        return false;
    const uint8_t *from = (const uint8_t *)(uintptr_t)BOUNCE_GPA;
    uint8_t sector[SECTOR_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        memcpy(sector, from + i * SECTOR_BYTES, SECTOR_BYTES); /* off the shared page before it is used */
        xts_decrypt_sector(&xts, first + i, sector, to + i * SECTOR_BYTES);
        work_breathe(WORK_SECTOR);
    }
    return true;
}

static bool read_length(const uint8_t **cursor, const uint8_t *end, uint32_t *length)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 28 && *cursor < end; shift += 7) {
        uint8_t byte = *(*cursor)++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *length = value;
            return value <= (uint64_t)(end - *cursor);
        }
    }
    return false;
}

/* Check that the body is exactly the columns and fields that the header promises, and note where each row begins. */
static bool find_rows(void)
{
    const uint8_t *at = table.body, *end = table.body + table.bytes;
    uint32_t length;
    for (uint32_t c = 0; c < table.columns; c++) {
        if (at == end)
            return false;
        table.kind[c] = *at++;
        if (!read_length(&at, end, &length))
            return false;
        table.name[c] = (struct field){ (const char *)at, length };
        at += length;
    }
    for (uint32_t row = 0; row < table.rows; row++) {
        table.row_offset[row] = (uint32_t)(at - table.body);
        for (uint32_t c = 0; c < table.columns; c++) {
            if (!read_length(&at, end, &length))
                return false;
            at += length;
        }
        work_breathe(WORK_FIELD * table.columns);
    }
    return at == end;
}

enum table_result table_load(const uint8_t disk_key[64], uint64_t *needed)
{
    uint64_t sectors = boot_info()->disk_sectors;
    if (sectors <= DISK_FIRST_SECTOR)
        return TABLE_NO_DISK;
    sectors -= DISK_FIRST_SECTOR;
    crc_setup();
    xts_key(&xts, disk_key);

    static struct disk_header header;
    if (!read_sectors(0, 1, (uint8_t *)&header))
        return TABLE_DISK_ERROR;
    if (memcmp(header.magic, "CVRECS01", sizeof header.magic) != 0)
        return TABLE_WRONG_KEY;
    uint32_t crc = header.header_crc;
    header.header_crc = 0;
    if (~crc_update(~0u, (const uint8_t *)&header, sizeof header) != crc || header.version != 1)
        return TABLE_DAMAGED;
    uint64_t body_sectors = (header.body_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
    if (header.body_bytes >> 31 || body_sectors + 1 > sectors || !header.columns || header.columns > MAX_COLUMNS ||
        !header.rows || header.rows > MAX_ROWS || header.index_column >= header.columns ||
        (header.label_kind != LABEL_NONE && header.label_column >= header.columns) ||
        header.label_kind > LABEL_ABOVE_MEDIAN)
        return TABLE_DAMAGED;
    table.bytes = header.body_bytes;
    table.columns = header.columns;
    table.rows = header.rows;
    table.index_column = header.index_column;
    table.label_column = header.label_kind == LABEL_NONE ? NO_COLUMN : header.label_column;
    table.label_kind = (enum label_kind)header.label_kind;

    *needed = body_sectors * SECTOR_BYTES + 4ull * table.rows;
    table.body = heap_take(body_sectors * SECTOR_BYTES);
    table.row_offset = heap_take(4ull * table.rows);
    if (!table.body || !table.row_offset)
        return TABLE_TOO_BIG;
    for (uint64_t at = 0; at < body_sectors; at += DISK_MAX_COUNT) {
        uint64_t left = body_sectors - at;
        if (!read_sectors(1 + at, left < DISK_MAX_COUNT ? (uint32_t)left : DISK_MAX_COUNT, table.body + at * SECTOR_BYTES))
            return TABLE_DISK_ERROR;
        work_progress((uint32_t)(at * 100 / body_sectors));
    }
    crc = ~0u;
    for (uint64_t at = 0; at < table.bytes; at += CHUNK_BYTES) {
        uint64_t left = table.bytes - at;
        crc = crc_update(crc, table.body + at, left < CHUNK_BYTES ? left : CHUNK_BYTES);
        work_breathe(WORK_CHUNK);
    }
    return ~crc == header.body_crc && find_rows() ? TABLE_READ : TABLE_DAMAGED;
}

struct field table_next(const uint8_t **cursor)
{
    const uint8_t *at = *cursor;
    uint32_t length = *at++;
    if (length & 0x80) {
        length &= 0x7f;
        for (unsigned shift = 7;; shift += 7) {
            uint8_t byte = *at++;
            length |= (uint32_t)(byte & 0x7f) << shift;
            if (!(byte & 0x80))
                break;
        }
    }
    *cursor = at + length;
    return (struct field){ (const char *)at, length };
}

struct field table_field(uint32_t row, uint32_t column)
{
    const uint8_t *cursor = table.body + table.row_offset[row];
    while (column--)
        table_next(&cursor);
    return table_next(&cursor);
}
