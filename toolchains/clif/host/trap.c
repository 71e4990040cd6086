/* What a trap prints: the message, and the functions that were running with their Mochi lines.
 *
 * `toolchains/clif/src/debug.rs` writes the table of lines and says what is in it.
 */

#include "host.h"

#include <string.h>

enum { MOST_FRAMES = 20 };

static uint64_t number(const uint8_t **at) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return value;
}

/* Returns the file of an offset, and its line. */
static uint64_t place(const uint8_t *rows, const uint8_t *end, uint64_t offset, uint64_t *line) {
    uint64_t start = 0, file = 0;
    *line = 0;
    while (rows < end) {
        uint64_t step = number(&rows);
        start += step;
        if (start > offset || (step == 0 && *line != 0)) {
            break; /* beyond it, or what fills the record up */
        }
        file = number(&rows);
        uint64_t change = number(&rows);
        *line += change >> 1 ^ (0 - (change & 1));
    }
    return file;
}

static void put_number(uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    mochi_put(digits + at, sizeof digits - at);
}

static void put_place(uint64_t file, uint64_t line) {
    const char *path = mochi_files;
    while (file-- > 0) {
        path += strlen(path) + 1;
    }
    mochi_put(" (", 2);
    mochi_put(path, strlen(path));
    mochi_put(":", 1);
    put_number(line);
    mochi_put(")", 1);
}

/* Prints the function that an address is in; returns 0 where no function of which lines are known
 * has it: one of the runtime library, or of the host. */
static int put_frame(uintptr_t address) {
    for (const uint8_t *record = mochi_lines;;) {
        uint64_t start;
        uint32_t sizes[2];
        memcpy(&start, record, sizeof start);
        if (start == 0) {
            return 0;
        }
        memcpy(sizes, record + 8, sizeof sizes);
        const uint8_t *at = record + 16;
        record = at + sizes[1];
        if (address - start < sizes[0]) {
            uint64_t size = number(&at), line;
            mochi_put("  at ", 5);
            mochi_put((const char *)at, size);
            uint64_t file = place(at + size, record, address - start, &line);
            put_place(file, line);
            mochi_put("\n", 1);
            return 1;
        }
    }
}

_Noreturn void mochi_report_trap(const char *message, const uintptr_t *addresses, size_t count) {
    mochi_write_unwritten();
    mochi_begin(message);
    int left = MOST_FRAMES;
    for (size_t index = 0; index < count && left > 0; index++) {
        /* A return address may be that of the next line, or of the next function. */
        left -= put_frame(addresses[index] - (index > 0));
    }
    mochi_system_exit(TRAP_STATUS);
}
