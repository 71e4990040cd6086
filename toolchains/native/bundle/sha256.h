/* SHA-256, FIPS 180-4. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

/* The constants are the fractions of roots of primes, computed as the standard says. */
static void sha256(const uint8_t *data, size_t size, uint8_t out[32])
{
    static uint32_t k[64], start[8];
    for (uint32_t p = 2, n = 0; n < 64; p++) {
        bool is_prime = true;
        for (uint32_t d = 2; d * d <= p; d++)
            is_prime &= p % d != 0;
        if (!is_prime)
            continue;
        /* floor(root * 2^32), by bisection: exact in 128 bits for square and cube roots. */
        uint64_t square = 0, cube = 0;
        for (int bit = 36; bit >= 0; bit--) {
            unsigned __int128 s = square | 1ull << bit, c = cube | 1ull << bit;
            if (s * s <= (unsigned __int128)p << 64)
                square = s;
            if (c * c * c <= (unsigned __int128)p << 96)
                cube = c;
        }
        if (n < 8)
            start[n] = (uint32_t)square;
        k[n++] = (uint32_t)cube;
    }
    uint32_t h[8];
    memcpy(h, start, sizeof h);
    for (size_t at = 0; at < size + 9; at += 64) {
        uint8_t block[64] = { 0 };
        uint32_t w[64], v[8];
        for (size_t i = 0; i < 64 && at + i <= size; i++)
            block[i] = at + i < size ? data[at + i] : 0x80;
        if (at + 64 >= size + 9)
            for (int i = 0; i < 8; i++)
                block[63 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
        for (int i = 0; i < 64; i++) {
            if (i < 16) {
                const uint8_t *b = block + 4 * i;
                w[i] = (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
                continue;
            }
            uint32_t x = w[i - 15], y = w[i - 2];
            w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[i - 7]
                + (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
        }
        memcpy(v, h, sizeof v);
        for (int i = 0; i < 64; i++) {
            uint32_t a = v[0], e = v[4];
            uint32_t t1 = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25))
                + ((e & v[5]) ^ (~e & v[6])) + k[i] + w[i];
            uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22))
                + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += t1;
            v[0] = t1 + t2;
        }
        for (int i = 0; i < 8; i++)
            h[i] += v[i];
    }
    for (int i = 0; i < 32; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}
