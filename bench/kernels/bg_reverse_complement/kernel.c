#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { int64_t *items, length, capacity; } List;

static void append(List *list, int64_t value) {
    if (list->length == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 4;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->length++] = value;
}

static int64_t complement(int64_t c) {
    if (c == 65) return 84;
    if (c == 84) return 65;
    if (c == 67) return 71;
    if (c == 71) return 67;
    return c;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t bases[] = {65, 67, 71, 84}, result = 0;
    for (int64_t round = 0; round < 4; round++) {
        List source = {0}, target = {0};
        for (int64_t i = 0; i < n; i++) {
            append(&source, 0);
            append(&target, 0);
        }
        for (int64_t i = 0; i < n; i++) source.items[i] = bases[(i + round) % 4];
        for (int64_t i = 0; i < n; i++) target.items[n - 1 - i] = complement(source.items[i]);
        for (int64_t i = 0; i < n; i++) result += target.items[i];
        free(source.items);
        free(target.items);
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
