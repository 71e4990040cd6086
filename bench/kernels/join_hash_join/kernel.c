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

typedef struct { int64_t id, val; } Left;
typedef struct { int64_t id, info; } Right;

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    Left *left = malloc(n * sizeof *left);
    Right *right = malloc(n * sizeof *right);
    for (int64_t i = 0; i < n; i++) {
        left[i] = (Left){i, i};
        right[i] = (Right){i, i * 2};
    }
    int64_t result = 0;
    for (int64_t round = 0; round < 1000; round++) {
        Map index = {0};
        for (int64_t i = 0; i < n; i++) *entry(&index, right[i].id) = i;
        int64_t *rows = malloc(n * sizeof *rows), count = 0;
        for (int64_t i = 0; i < n; i++) {
            Slot *slot = find(&index, left[i].id);
            if (slot->used) rows[count++] = left[i].val + right[slot->value].info;
        }
        result += count + rows[round % n];
        free(rows);
        free(index.slots);
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
