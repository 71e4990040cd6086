/* Messages: text of others is escaped. Needs system.h. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 2000 };

/* The last part of a path. */
static char *name_of(char *path)
{
    for (char *at = path; *at; at++)
        if (strchr(SLASHES, *at))
            path = at + 1;
    return path;
}

/* Print text. What would steer a terminal or is not UTF-8 is escaped, and what is endless cut, as
   by `printable` in ../launcher/src/main.rs: C0, C1, and what turns the direction of a line. */
static void print_text(const void *text, size_t size)
{
    for (const uint8_t *at = text, *end = at + (size < MAX_LINE ? size : MAX_LINE); at < end;) {
        uint32_t code = *at;
        int more = code < 0x80 ? 0 : code >> 5 == 6 ? 1 : code >> 4 == 14 ? 2 : code >> 3 == 30 ? 3 : -1;
        bool valid = more >= 0 && end - at > more;
        if (valid && more)
            code &= 0x3f >> more;
        for (int i = 1; valid && i <= more; i++) {
            valid = at[i] >> 6 == 2;
            code = code << 6 | (at[i] & 0x3f);
        }
        if (!valid)
            code = *at, more = 0;
        bool turns = code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e)
            || (code >= 0x2066 && code <= 0x2069);
        if (!valid || code < ' ' || (code >= 0x7f && code < 0xa0))
            fprintf(stderr, "\\x%02x", (unsigned)code);
        else if (turns)
            fprintf(stderr, "\\u%04x", (unsigned)code);
        else
            fwrite(at, 1, (size_t)more + 1, stderr);
        at += more + 1;
    }
}

/* As fprintf to standard error, by `print_text`. */
static void say(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, again);
        print_text(text, (size_t)size);
        free(text);
    }
    va_end(again);
    va_end(arguments);
}
