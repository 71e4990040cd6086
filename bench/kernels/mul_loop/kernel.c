#include <inttypes.h>
#include <stdio.h>

static int64_t product(int64_t n) {
    int64_t result = 1;
    for (int64_t i = 1; i < n; i++) result *= i;
    return result;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + product(13 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
