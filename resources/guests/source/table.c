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

static uint64_t body_sectors(const struct disk_header *header)
{
    return (header->body_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

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

static bool read_disk(uint64_t first, uint32_t count)
{
    out32(PORT_DISK_LBA, (uint32_t)first);
    out32(PORT_DISK_COUNT, count);
    out32(PORT_DISK_BUFFER, BOUNCE_GPA);
    out32(PORT_DISK_COMMAND, 1);
    return in32(PORT_DISK_COMMAND) == 0;
}

bool table_read_raw(uint64_t first, uint32_t count, uint8_t *to)
{
    if (!read_disk(first, count))
        return false;
    memcpy(to, (const void *)(uintptr_t)BOUNCE_GPA, (size_t)count * SECTOR_BYTES);
    return true;
}

/* `count` sectors from the data sector `first`: ciphertext in the shared bounce buffer, plain text in private `to`. */
static bool read_sectors(uint64_t first, uint32_t count, uint8_t *to)
{
    if (!read_disk(DISK_FIRST_SECTOR + first, count))
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

/* Check that the body is exactly the columns and fields that its header promises, and note where each of its rows
 * begins, from `row` on. The columns of a body behind the first must be named as the first one's are. */
static bool find_rows(const uint8_t *at, const uint8_t *end, uint32_t row, uint32_t rows)
{
    uint32_t length;
    bool first = row == 0;
    for (uint32_t c = 0; c < table.columns; c++) {
        if (at == end)
            return false;
        uint8_t kind = *at++;
        if (!read_length(&at, end, &length))
            return false;
        struct field name = { (const char *)at, length };
        if (!first && (length != table.name[c].length || memcmp(name.text, table.name[c].text, length) != 0))
            return false;
        table.name[c] = name;
        /* A number in all of them is one; what is text in one is text. */
        table.kind[c] = first ? kind : table.kind[c] & kind;
        at += length;
    }
    for (uint32_t behind = row + rows; row < behind; row++) {
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

/* Of a header as it was decrypted; `sectors` there are behind it. */
static enum table_result check_header(struct disk_header *header, uint64_t sectors)
{
    if (memcmp(header->magic, "CVRECS01", sizeof header->magic) != 0)
        return TABLE_WRONG_KEY;
    uint32_t crc = header->header_crc;
    header->header_crc = 0;
    if (~crc_update(~0u, (const uint8_t *)header, sizeof *header) != crc || header->version != 1)
        return TABLE_DAMAGED;
    if (header->body_bytes >> 31 || body_sectors(header) > sectors || !header->columns ||
        header->columns > MAX_COLUMNS || !header->rows || header->rows > MAX_ROWS ||
        header->index_column >= header->columns ||
        (header->label_kind != LABEL_NONE && header->label_column >= header->columns) ||
        header->label_kind > LABEL_ABOVE_MEDIAN)
        return TABLE_DAMAGED;
    return TABLE_READ;
}

static void take_header(const struct disk_header *header)
{
    table.bytes = header->body_bytes;
    table.columns = header->columns;
    table.rows = header->rows;
    table.index_column = header->index_column;
    table.label_column = header->label_kind == LABEL_NONE ? NO_COLUMN : header->label_column;
    table.label_kind = (enum label_kind)header->label_kind;
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
    enum table_result result = check_header(&header, sectors - 1);
    if (result != TABLE_READ)
        return result;
    take_header(&header);
    uint64_t body = body_sectors(&header);

    *needed = body * SECTOR_BYTES + 4ull * table.rows;
    table.body = heap_take(body * SECTOR_BYTES);
    table.row_offset = heap_take(4ull * table.rows);
    if (!table.body || !table.row_offset)
        return TABLE_TOO_BIG;
    for (uint64_t at = 0; at < body; at += DISK_MAX_COUNT) {
        uint64_t left = body - at;
        if (!read_sectors(1 + at, left < DISK_MAX_COUNT ? (uint32_t)left : DISK_MAX_COUNT, table.body + at * SECTOR_BYTES))
            return TABLE_DISK_ERROR;
        work_progress((uint32_t)(at * 100 / body));
    }
    uint32_t crc = ~0u;
    for (uint64_t at = 0; at < table.bytes; at += CHUNK_BYTES) {
        uint64_t left = table.bytes - at;
        crc = crc_update(crc, table.body + at, left < CHUNK_BYTES ? left : CHUNK_BYTES);
        work_breathe(WORK_CHUNK);
    }
    bool good = ~crc == header.body_crc && find_rows(table.body, table.body + table.bytes, 0, table.rows);
    return good ? TABLE_READ : TABLE_DAMAGED;
}

enum table_result table_join(const struct plain_text *texts, uint32_t count, uint64_t *needed)
{
    crc_setup();
    for (uint32_t i = 0; i < count; i++) {
        struct disk_header *header = (struct disk_header *)texts[i].at;
        if (texts[i].bytes < sizeof *header ||
            check_header(header, (texts[i].bytes - sizeof *header) / SECTOR_BYTES) != TABLE_READ)
            return TABLE_DAMAGED;
        if (i == 0) {
            take_header(header);
            continue;
        }
        if (header->columns != table.columns || header->rows > MAX_ROWS - table.rows)
            return TABLE_DAMAGED;
        table.bytes = table.bytes + header->body_bytes;
        table.rows = table.rows + header->rows;
        if (header->label_kind != (uint32_t)table.label_kind || header->label_column != table.label_column) {
            table.label_kind = LABEL_NONE;
            table.label_column = NO_COLUMN;
        }
    }
    *needed = 4ull * table.rows;
    table.body = texts[0].at;
    table.row_offset = heap_take(*needed);
    if (!table.row_offset)
        return TABLE_TOO_BIG;
    uint32_t row = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct disk_header *header = (const struct disk_header *)texts[i].at;
        const uint8_t *body = texts[i].at + sizeof *header;
        if (!find_rows(body, body + header->body_bytes, row, header->rows))
            return TABLE_DAMAGED;
        row += header->rows;
    }
    if (table.label_kind == LABEL_ABOVE_MEDIAN && !table_numeric(table.label_column)) {
        table.label_kind = LABEL_NONE;
        table.label_column = NO_COLUMN;
    }
    return TABLE_READ;
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
