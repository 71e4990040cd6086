#include <inttypes.h>
#include <stdio.h>

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t seed = 42, window = 0, result = 0;
    for (int64_t i = 0; i < n; i++) {
        seed = (seed * 3877 + 29573) % 139968;
        int64_t code = seed * 4 / 139968;
        window = window * 4 % 256 + code;
        if (i >= 3 && (window == 47 || window == 248)) result++;
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
