#include <inttypes.h>
#include <stdio.h>
#include <stdbool.h>

static bool is_prime(int64_t n) {
    if (n < 2) return false;
    for (int64_t i = 2; i < n - 1; i++)
        if (n % i == 0) return false;
    return true;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 2; i < n; i++) result += is_prime(i);
    printf("%" PRId64 "\n", result);
    return 0;
}
