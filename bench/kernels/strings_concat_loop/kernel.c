#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t concat(int64_t n) {
    size_t length = 1, capacity = 16;
    char *text = malloc(capacity);
    text[0] = 'a';
    for (int64_t i = 0; i < n; i++) {
        if (length + 1 > capacity) text = realloc(text, capacity *= 2);
        memcpy(text + length++, "a", 1);
    }
    free(text);
    return length;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + concat(1000 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
