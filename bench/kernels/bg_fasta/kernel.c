#include <inttypes.h>
#include <stdio.h>

static int64_t lookup(double p) {
    if (p < 0.302954942668) return 97;
    if (p < 0.5009432431601) return 99;
    if (p < 0.6984905497992) return 103;
    return 116;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t seed = 42, result = 0;
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        result = (result * 1009 + lookup(seed / 139968.0)) % 2147483647;
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
