#include <inttypes.h>
#include <stdio.h>

static int64_t sum_to(int64_t n) {
    int64_t total = 0;
    for (int64_t i = 1; i < n; i++) total += i;
    return total;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + sum_to(500 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
