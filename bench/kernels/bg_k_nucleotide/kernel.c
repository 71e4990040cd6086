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

static int64_t lookup(double p) {
    if (p < 0.302954942668) return 0;
    if (p < 0.5009432431601) return 1;
    if (p < 0.6984905497992) return 2;
    return 3;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    Map counts = {0};
    for (int64_t k = 0; k < 20; k++) *entry(&counts, k) = 0;
    int64_t seed = 42, previous = 0;
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t code = lookup(seed / 139968.0);
        *entry(&counts, code) += 1;
        *entry(&counts, 4 + previous * 4 + code) += 1;
        previous = code;
    }
    int64_t result = 0;
    for (int64_t k = 0; k < 20; k++) result = (result * 1009 + *entry(&counts, k)) % 2147483647;
    printf("%" PRId64 "\n", result);
    return 0;
}
