/* How C calls the functions of a library: what the generated functions have in common.
 *
 * Objects are known by their offsets in the memory; the generated source has their layout.
 */

#include "host.h"

#include <stdlib.h>
#include <string.h>

extern mochi_function *const mochi_exports[];

typedef struct {
    void *data;
    size_t size;
} mochi_span;

/* Runs the top level of the library before its first function. */
static void mochi_call(size_t number, uint64_t *words) {
    if (mochi_memory == NULL) {
        mochi_name = MOCHI_LIBRARY;
#ifdef _WIN32
        mochi_system_start(); /* elsewhere, streams and signals are the caller's */
#endif
        static uint8_t handler_stack[HANDLER_STACK_SIZE];
        mochi_guard(handler_stack);
        mochi_run(mochi_program, NULL);
    }
    mochi_run(mochi_exports[number], words);
}

static void mochi_release(uint64_t object) { mochi_call(MOCHI_RELEASE, &object); }

static uint64_t mochi_of_float(double value) {
    uint64_t word;
    memcpy(&word, &value, sizeof word);
    return word;
}

static double mochi_to_float(uint64_t word) {
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* The runtime library stops the program where this is more than there can be. */
static uint64_t mochi_size(size_t size) { return size < INT32_MAX ? size : INT32_MAX; }

static void *mochi_allocate(size_t size) {
    void *data = malloc(size);
    if (data == NULL) {
        mochi_fail("out of memory", 1);
    }
    return data;
}

static uint64_t mochi_of_string(const char *data, size_t size) {
    uint64_t words[2] = {mochi_size(size), 0};
    for (size_t at = 0; at < size; at++) {
        words[1] += ((uint8_t)data[at] & 0xc0) != 0x80; /* code points */
    }
    mochi_call(MOCHI_STRING_BLANK, words);
    if (size > 0) {
        memcpy(mochi_memory + words[0] + MOCHI_STRING_DATA, data, size);
    }
    return words[0];
}

static mochi_span mochi_to_string(uint64_t object) {
    size_t size = load(object + MOCHI_STRING_BYTES);
    char *data = mochi_allocate(size + 1);
    memcpy(data, mochi_memory + object + MOCHI_STRING_DATA, size);
    data[size] = '\0';
    mochi_release(object);
    return (mochi_span){data, size};
}

/* Copies numbers, which the memory has in little-endian order. */
static void mochi_copy(uint8_t *to, const uint8_t *from, size_t count) {
    for (size_t at = 0; at < 8 * count; at++) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        to[at] = from[at ^ 7];
#else
        to[at] = from[at];
#endif
    }
}

static uint64_t mochi_of_list(const void *data, size_t size, uint64_t slot) {
    uint64_t words[2] = {mochi_size(size), slot};
    mochi_call(MOCHI_LIST_MAKE, words);
    mochi_copy(mochi_memory + words[0] + MOCHI_LIST_DATA, data, size);
    return words[0];
}

static mochi_span mochi_to_list(uint64_t object) {
    size_t size = load(object + MOCHI_LIST_LEN);
    uint8_t *data = mochi_allocate(8 * size + 1);
    mochi_copy(data, mochi_memory + object + MOCHI_LIST_DATA, size);
    mochi_release(object);
    return (mochi_span){data, size};
}

static uint64_t mochi_of_handle(const void *handle) {
    return (uint64_t)((const uint8_t *)handle - mochi_memory);
}

static void *mochi_to_handle(uint64_t object) { return mochi_memory + object; }
