/* Compares what the host has of a C library with the C library: exits with the line that differs.
 *
 * The host's functions have other names here, for the library's own not to be replaced.
 */

#define memcpy host_memcpy
#define memmove host_memmove
#define memset host_memset
#define strlen host_strlen
#define trunc host_trunc
#define floor host_floor
#define ceil host_ceil
#define nearbyint host_nearbyint
#include "memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef strlen
#undef trunc
#undef floor
#undef ceil
#undef nearbyint

#include <math.h>
#include <stdlib.h>

void *memmove(void *to, const void *from, size_t size);
void *memset(void *start, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

#define CHECK(what)                                                                                \
    if (!(what)) {                                                                                 \
        exit(__LINE__);                                                                            \
    }

enum { ROOM = 400 };

static void check_memory(void) {
    static uint8_t ours[ROOM], theirs[ROOM];
    for (int round = 0; round < 100000; round++) {
        size_t size = (size_t)rand() % (round % 2 ? 20 : 150);
        size_t to = (size_t)rand() % 200, from = (size_t)rand() % 200;
        for (size_t at = 0; at < ROOM; at++) {
            ours[at] = theirs[at] = (uint8_t)(1 + rand() % 255);
        }
        CHECK(host_memmove(ours + to, ours + from, size) == ours + to)
        memmove(theirs + to, theirs + from, size);
        CHECK(memcmp(ours, theirs, ROOM) == 0)
        CHECK(host_memset(ours + from, round, size) == ours + from)
        memset(theirs + from, round, size);
        CHECK(memcmp(ours, theirs, ROOM) == 0)
        ours[to + size] = 0;
        CHECK(host_strlen((char *)ours + to) == strlen((char *)ours + to))
    }
}

static int is_same(double left, double right) {
    return bits_of(left) == bits_of(right) || (left != left && right != right);
}

static void check_number(double number) {
    CHECK(is_same(host_trunc(number), trunc(number)))
    CHECK(is_same(host_floor(number), floor(number)))
    CHECK(is_same(host_ceil(number), ceil(number)))
    CHECK(is_same(host_nearbyint(number), nearbyint(number)))
}

static void check_numbers(void) {
    static const double odd[] = {0.0, 0.5, 1.0, 1.5, 2.5, 0.49999999999999994, 1e-310, 1e300,
                                 4503599627370495.5, 4503599627370496.0, 9007199254740993.0,
                                 INFINITY, NAN};
    for (size_t at = 0; at < sizeof odd / sizeof *odd; at++) {
        check_number(odd[at]);
        check_number(-odd[at]);
    }
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = 0;
        for (int part = 0; part < 5; part++) {
            bits = bits << 15 ^ (uint64_t)rand();
        }
        check_number(of_bits(bits));
        check_number((double)(int64_t)bits / 1048576 / 1048576); /* those have a fraction */
        check_number((double)(int64_t)(bits % 2000) / 4 - 250);
    }
}

int main(void) {
    check_memory();
    check_numbers();
    return 0;
}
