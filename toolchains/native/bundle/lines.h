/* Which source line the code of each offset comes from: as ../launcher/src/lines.rs. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct { const uint8_t *at, *end; } bytes_t;
typedef struct { bytes_t file; uint64_t line; } place_t;

/* Decode base64 in its own place. */
static bytes_t unpack(char *text)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t *start = (uint8_t *)text, *to = start;
    uint32_t bits = 0;
    int count = 0;
    for (const char *digit; *text && *text != '=' && (digit = strchr(DIGITS, *text)); text++) {
        bits = bits << 6 | (uint32_t)(digit - DIGITS);
        count += 6;
        if (count >= 8)
            *to++ = (uint8_t)(bits >> (count -= 8));
    }
    return (bytes_t){ start, to };
}

/* Read an unsigned LEB128. */
static bool read_number(bytes_t *rest, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 63 && rest->at < rest->end; shift += 7) {
        uint8_t byte = *rest->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool read_name(bytes_t *rest, bytes_t *name)
{
    uint64_t size;
    if (!read_number(rest, &size) || size > (uint64_t)(rest->end - rest->at))
        return false;
    *name = (bytes_t){ rest->at, rest->at + size };
    rest->at += size;
    return true;
}

/* Find the place of the code at an offset of the WebAssembly. */
static bool find_place(bytes_t rest, uint64_t offset, place_t *place)
{
    uint64_t count, start = 0, step, file = 0;
    place->line = 0;
    if (offset == SIZE_MAX || !read_number(&rest, &count))
        return false;
    bytes_t names = rest;
    for (uint64_t i = 0; i < count; i++)
        if (!read_name(&rest, &place->file))
            return false;
    while (rest.at < rest.end) {
        if (!read_number(&rest, &step))
            return false;
        start += step;
        if (start > offset)
            break;
        if (!read_number(&rest, &file) || (file && !read_number(&rest, &step)))
            return false;
        if (file)
            place->line += step >> 1 ^ -(step & 1);
    }
    if (file > count)
        return false;
    for (uint64_t i = 0; i < file; i++)
        read_name(&names, &place->file);
    return file != 0;
}
