/* What a program imports: functions of WASI preview 1 over the C library, and its memory.
 *
 * Every word of theirs has 64 bits, so that all machines pass them alike. Addresses are offsets
 * into the program's memory, which is little-endian everywhere.
 */

#include "host.h"

#include <stdlib.h>
#include <string.h>

enum { SUCCESS = 0, BADF = 8, IO = 29, PIPE = 64 };

uint8_t *mochi_memory;
uint32_t mochi_pages;

const char *mochi_name = "program";

static uint32_t load(uint64_t address) {
    const uint8_t *bytes = mochi_memory + (uint32_t)address;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void store(uint64_t address, uint64_t value, int size) {
    for (int at = 0; at < size; at++) {
        mochi_memory[(uint32_t)address + at] = (uint8_t)(value >> 8 * at);
    }
}

static void write_all(int stream, const uint8_t *data, size_t size) {
    while (size > 0) {
        intptr_t written = mochi_system_write(stream, data, size);
        if (written <= 0) {
            return; /* if nobody listens, the status still tells */
        }
        data += written;
        size -= (size_t)written;
    }
}

void mochi_put(const char *text, size_t size) { write_all(2, (const uint8_t *)text, size); }

void mochi_begin(const char *message) {
    mochi_put("error: `", 8);
    mochi_put(mochi_name, strlen(mochi_name));
    mochi_put("`: ", 3);
    mochi_put(message, strlen(message));
    mochi_put("\n", 1);
}

_Noreturn void mochi_fail(const char *message, int status) {
    mochi_begin(message);
    mochi_system_exit(status);
}

/* The memory */

void mochi_start(uint64_t pages, uint64_t place, const uint8_t *data, uint64_t size);
uint64_t mochi_grow(uint64_t more);
void mochi_fill(uint8_t *start, uint64_t byte, uint64_t size);

/* Makes the memory, `pages` large, with the program's static data at `place`. */
void mochi_start(uint64_t pages, uint64_t place, const uint8_t *data, uint64_t size) {
    mochi_memory = mochi_system_memory();
    if (mochi_memory == NULL) {
        mochi_fail("the program cannot start: no address space for its memory", CANNOT_START);
    }
    if (mochi_grow(pages) != 0) {
        mochi_fail("the program cannot start: no memory", CANNOT_START);
    }
    memcpy(mochi_memory + place, data, size);
}

/* Returns how many pages there were before, or 2^32 - 1 where there is no more memory. */
uint64_t mochi_grow(uint64_t more) {
    uint64_t before = mochi_pages;
    uint64_t pages = before + more;
    if (pages > MEMORY_SIZE / PAGE_SIZE_OF_MEMORY ||
        (more > 0 && !mochi_system_commit(mochi_memory + before * PAGE_SIZE_OF_MEMORY,
                                          more * PAGE_SIZE_OF_MEMORY))) {
        return UINT32_MAX;
    }
    mochi_pages = (uint32_t)pages;
    return before;
}

void mochi_fill(uint8_t *start, uint64_t byte, uint64_t size) {
    memset(start, (uint8_t)byte, size);
}

/* `mochi_rules/compiler/lower/object_layout.py` says what is there. */
const uint8_t *mochi_unwritten(size_t *size) {
    if (mochi_pages == 0) {
        *size = 0;
        return NULL;
    }
    *size = load(OUTPUT + (load(OUTPUT + 20) == 0 ? 12 : 16));
    return mochi_memory + load(OUTPUT + 8);
}

void mochi_write_unwritten(void) {
    size_t size;
    const uint8_t *data = mochi_unwritten(&size);
    write_all(1, data, size);
}

/* WASI */

uint64_t mochi_wasi_fd_write(uint64_t stream, uint64_t parts, uint64_t count, uint64_t out);
uint64_t mochi_wasi_fd_fdstat_get(uint64_t stream, uint64_t out);
uint64_t mochi_wasi_fd_read(uint64_t stream, uint64_t parts, uint64_t count, uint64_t out);
uint64_t mochi_wasi_clock_time_get(uint64_t clock, uint64_t precision, uint64_t out);
uint64_t mochi_wasi_environ_sizes_get(uint64_t count, uint64_t size);
uint64_t mochi_wasi_environ_get(uint64_t addresses, uint64_t text);
void mochi_wasi_proc_exit(uint64_t status);

/* Reads or writes one part: that is all the runtime library asks for. */
static uint64_t finish(intptr_t done, uint64_t out) {
    if (done < 0) {
        return mochi_system_is_closed_pipe() ? PIPE : IO;
    }
    store(out, (uint64_t)done, 4);
    return SUCCESS;
}

uint64_t mochi_wasi_fd_write(uint64_t stream, uint64_t parts, uint64_t count, uint64_t out) {
    if (count != 1) {
        return BADF;
    }
    const uint8_t *data = mochi_memory + load(parts);
    return finish(mochi_system_write((int)stream, data, load(parts + 4)), out);
}

/* Of the status, the runtime library looks only at the type of the file. */
uint64_t mochi_wasi_fd_fdstat_get(uint64_t stream, uint64_t out) {
    enum { UNKNOWN = 0, CHARACTER_DEVICE = 2 };
    store(out, mochi_system_is_terminal((int)stream) ? CHARACTER_DEVICE : UNKNOWN, 1);
    return SUCCESS;
}

uint64_t mochi_wasi_fd_read(uint64_t stream, uint64_t parts, uint64_t count, uint64_t out) {
    if (count != 1) {
        return BADF;
    }
    uint8_t *data = mochi_memory + load(parts);
    return finish(mochi_system_read((int)stream, data, load(parts + 4)), out);
}

uint64_t mochi_wasi_clock_time_get(uint64_t clock, uint64_t precision, uint64_t out) {
    (void)clock, (void)precision; /* the runtime library asks for the time of day */
    store(out, mochi_system_nanoseconds(), 8);
    return SUCCESS;
}

uint64_t mochi_wasi_environ_sizes_get(uint64_t count, uint64_t size) {
    uint64_t strings = 0, bytes = 0;
    for (char **item = mochi_system_environment(); *item != NULL; item++) {
        strings++;
        bytes += strlen(*item) + 1;
    }
    store(count, strings, 4);
    store(size, bytes, 4);
    return SUCCESS;
}

uint64_t mochi_wasi_environ_get(uint64_t addresses, uint64_t text) {
    for (char **item = mochi_system_environment(); *item != NULL; item++) {
        size_t size = strlen(*item) + 1;
        store(addresses, text, 4);
        memcpy(mochi_memory + text, *item, size);
        addresses += 4;
        text += size;
    }
    return SUCCESS;
}

#ifdef MOCHI_LIBRARY
void mochi_wasi_proc_exit(uint64_t status) { exit((int)status); } /* writes what C has buffered */
#else
void mochi_wasi_proc_exit(uint64_t status) { mochi_system_exit((int)status); }
#endif
