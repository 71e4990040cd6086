#include <inttypes.h>
#include <stdio.h>

static int64_t factorial(int64_t n) {
    if (n == 0) return 1;
    return n * factorial(n - 1);
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + factorial(12 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
