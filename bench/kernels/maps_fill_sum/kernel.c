#include <inttypes.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct { int64_t key, value; bool used; } Slot;
typedef struct { Slot *slots; uint64_t mask, count; } Map;

static uint64_t mix(int64_t key) {
    uint64_t hash = (uint64_t)key * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static Slot *find(Map *map, int64_t key) {
    uint64_t at = mix(key) & map->mask;
    while (map->slots[at].used && map->slots[at].key != key) at = (at + 1) & map->mask;
    return &map->slots[at];
}

static int64_t *entry(Map *map, int64_t key) {
    if (!map->slots || 4 * map->count >= 3 * (map->mask + 1)) {
        Map grown = {NULL, map->slots ? 2 * map->mask + 1 : 7, map->count};
        grown.slots = calloc(grown.mask + 1, sizeof *grown.slots);
        for (uint64_t i = 0; map->slots && i <= map->mask; i++)
            if (map->slots[i].used) *find(&grown, map->slots[i].key) = map->slots[i];
        free(map->slots);
        *map = grown;
    }
    Slot *slot = find(map, key);
    if (!slot->used) {
        *slot = (Slot){key, 0, true};
        map->count++;
    }
    return &slot->value;
}

static int64_t fill_sum(int64_t n) {
    Map m = {0};
    for (int64_t i = 0; i < n; i++) *entry(&m, i) = i;
    int64_t sum = 0;
    for (int64_t j = 0; j < n; j++) sum += find(&m, j)->value;
    free(m.slots);
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
