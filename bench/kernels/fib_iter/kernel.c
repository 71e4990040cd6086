#include <inttypes.h>
#include <stdio.h>

static int64_t fib(int64_t n) {
    int64_t a = 0, b = 1;
    for (int64_t i = 0; i < n; i++) {
        int64_t next = a + b;
        a = b;
        b = next;
    }
    return a;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t result = 0;
    for (int64_t i = 0; i < n; i++) result = (result + fib(80 + i % 8)) % 1000003;
    printf("%" PRId64 "\n", result);
    return 0;
}
