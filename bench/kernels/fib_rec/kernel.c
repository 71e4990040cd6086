#include <inttypes.h>
#include <stdio.h>

static int64_t fib(int64_t n) {
    if (n <= 1) return n;
    return fib(n - 1) + fib(n - 2);
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = fib(n);
    printf("%" PRId64 "\n", result);
    return 0;
}
