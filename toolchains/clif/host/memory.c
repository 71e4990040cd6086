/* What programs and compilers call of a C library, whatever the system: of memory and of numbers. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Stands in a loop that a compiler would make a call of the function that it is in. */
#define BARRIER() __asm__ volatile("" ::: "memory")

#ifdef __riscv /* loads and stores only what is aligned */
typedef uint64_t Block __attribute__((may_alias));
typedef Block Word;
#define ALIGNED(address) ((uintptr_t)(address) % sizeof(Block) == 0)
#else
typedef uint8_t Block __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t Word __attribute__((aligned(1), may_alias));
typedef uint32_t Half __attribute__((aligned(1), may_alias));
#define ALIGNED(address) 1
#endif

/* Copies from the first to the last; what is behind the source may be overwritten. */
static void copy_up(uint8_t *to, const uint8_t *from, size_t size) {
    if (ALIGNED(to - from)) {
        for (; size > 0 && !ALIGNED(to); size--) {
            *to++ = *from++;
            BARRIER();
        }
        for (; size >= 2 * sizeof(Block); size -= 2 * sizeof(Block)) {
            Block first = ((const Block *)from)[0], second = ((const Block *)from)[1];
            ((Block *)to)[0] = first;
            ((Block *)to)[1] = second;
            to += 2 * sizeof(Block);
            from += 2 * sizeof(Block);
            BARRIER();
        }
        for (; size >= sizeof(Word); size -= sizeof(Word)) {
            *(Word *)to = *(const Word *)from;
            to += sizeof(Word);
            from += sizeof(Word);
            BARRIER();
        }
    }
    for (; size > 0; size--) {
        *to++ = *from++;
        BARRIER();
    }
}

/* Copies from the last to the first. */
static void copy_down(uint8_t *to, const uint8_t *from, size_t size) {
    to += size;
    from += size;
    if (ALIGNED(to - from)) {
        for (; size > 0 && !ALIGNED(to); size--) {
            *--to = *--from;
            BARRIER();
        }
        for (; size >= 2 * sizeof(Block); size -= 2 * sizeof(Block)) {
            to -= 2 * sizeof(Block);
            from -= 2 * sizeof(Block);
            Block first = ((const Block *)from)[0], second = ((const Block *)from)[1];
            ((Block *)to)[0] = first;
            ((Block *)to)[1] = second;
            BARRIER();
        }
        for (; size >= sizeof(Word); size -= sizeof(Word)) {
            to -= sizeof(Word);
            from -= sizeof(Word);
            *(Word *)to = *(const Word *)from;
            BARRIER();
        }
    }
    for (; size > 0; size--) {
        *--to = *--from;
        BARRIER();
    }
}

#ifndef __riscv
/* Copies up to two blocks: all is loaded before the first store, and the last overlap the first. */
static void copy_few(uint8_t *to, const uint8_t *from, size_t size) {
    if (size >= sizeof(Block)) {
        Block first = *(const Block *)from, last = *(const Block *)(from + size - sizeof(Block));
        *(Block *)to = first;
        *(Block *)(to + size - sizeof(Block)) = last;
    } else if (size >= sizeof(Word)) {
        Word first = *(const Word *)from, last = *(const Word *)(from + size - sizeof(Word));
        *(Word *)to = first;
        *(Word *)(to + size - sizeof(Word)) = last;
    } else if (size >= sizeof(Half)) {
        Half first = *(const Half *)from, last = *(const Half *)(from + size - sizeof(Half));
        *(Half *)to = first;
        *(Half *)(to + size - sizeof(Half)) = last;
    } else if (size > 0) {
        uint8_t first = from[0], middle = from[size / 2], last = from[size - 1];
        to[0] = first;
        to[size / 2] = middle;
        to[size - 1] = last;
    }
}
#endif

static void *copy(void *to, const void *from, size_t size) {
#ifndef __riscv
    if (size <= 2 * sizeof(Block)) {
        copy_few(to, from, size);
        return to;
    }
#endif
    if ((uintptr_t)to - (uintptr_t)from >= size) {
        copy_up(to, from, size);
    } else {
        copy_down(to, from, size);
    }
    return to;
}

void *memmove(void *to, const void *from, size_t size) { return copy(to, from, size); }

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    return copy(to, from, size);
}

void *memset(void *start, int byte, size_t size) {
    uint8_t *at = start;
    Word word = (uint8_t)byte * UINT64_C(0x0101010101010101);
    for (; size > 0 && !ALIGNED(at); size--) {
        *at++ = (uint8_t)byte;
        BARRIER();
    }
    for (; size >= 2 * sizeof(Word); size -= 2 * sizeof(Word)) {
        ((Word *)at)[0] = word;
        ((Word *)at)[1] = word;
        at += 2 * sizeof(Word);
        BARRIER();
    }
    for (; size > 0; size--) {
        *at++ = (uint8_t)byte;
        BARRIER();
    }
    return start;
}

size_t strlen(const char *text) {
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
        BARRIER();
    }
    return size;
}

/* Numbers, for processors that do not round by themselves. From 2^52 on, all are whole. */

static uint64_t bits_of(double number) {
    uint64_t bits;
    __builtin_memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double number;
    __builtin_memcpy(&number, &bits, sizeof number);
    return number;
}

enum { MANTISSA = 52, BIAS = 1023 };
static const uint64_t SIGN = UINT64_C(1) << 63;

double trunc(double number) {
    uint64_t bits = bits_of(number);
    int exponent = (int)(bits >> MANTISSA & 0x7ff) - BIAS;
    if (exponent >= MANTISSA) {
        return number;
    }
    return of_bits(bits & (exponent < 0 ? SIGN : ~(UINT64_MAX >> 12 >> exponent)));
}

double floor(double number) {
    double whole = trunc(number);
    return whole > number ? whole - 1 : whole;
}

double ceil(double number) {
    double whole = trunc(number);
    return whole < number ? of_bits(bits_of(whole + 1) | (bits_of(number) & SIGN)) : whole;
}

/* To even where it lies between two. */
double nearbyint(double number) {
    uint64_t sign = bits_of(number) & SIGN;
    double size = of_bits(bits_of(number) & ~SIGN);
    double whole = of_bits(UINT64_C(0x433) << MANTISSA); /* 2^52 */
    return size < whole ? of_bits(bits_of(size + whole - whole) | sign) : number;
}
