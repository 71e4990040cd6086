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

static int64_t fill_sum(int64_t n) {
    List xs = {0};
    for (int64_t i = 0; i < n; i++) append(&xs, i);
    int64_t sum = 0;
    for (int64_t j = 0; j < n; j++) sum += xs.items[j];
    free(xs.items);
    return sum;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + fill_sum(1000 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
