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

static int64_t nsieve(int64_t n) {
    List composite = {0};
    for (int64_t i = 0; i <= n; i++) append(&composite, 0);
    int64_t count = 0;
    for (int64_t i = 2; i <= n; i++)
        if (!composite.items[i]) {
            count++;
            for (int64_t j = i * i; j <= n; j += i) composite.items[j] = 1;
        }
    free(composite.items);
    return count;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < 50; i++) result += nsieve(n + i);
    printf("%" PRId64 "\n", result);
    return 0;
}
