/* Open addressing with linear probing, grown at half load: what one writes by hand. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct { int64_t key, value; char used; } Slot;
static Slot *slots; static size_t room = 8, count;
static Slot *find(Slot *table, size_t n, int64_t key) {
    size_t at = ((uint64_t)key * 0x9E3779B97F4A7C15u) >> 20 & (n - 1);
    while (table[at].used && table[at].key != key) at = (at + 1) & (n - 1);
    return &table[at];
}
static void put(int64_t key, int64_t value) {
    if (count * 2 >= room) {
        Slot *bigger = calloc(room * 2, sizeof *bigger);
        for (size_t i = 0; i < room; i++)
            if (slots[i].used) *find(bigger, room * 2, slots[i].key) = slots[i];
        free(slots); slots = bigger; room *= 2;
    }
    Slot *slot = find(slots, room, key);
    if (!slot->used) { slot->used = 1; slot->key = key; count++; }
    slot->value = value;
}
int main(void) {
    slots = calloc(room, sizeof *slots);
    for (int64_t i = 0; i < 1000000; i++) put(i * 7, i);
    printf("%zu %ld\n", count, (long)find(slots, room, 70)->value);
}
