#include <inttypes.h>
#include <stdio.h>

static int64_t flips(int64_t *perm) {
    int64_t count = 0, head = perm[0];
    while (head != 1) {
        for (int64_t low = 0, high = head - 1; low < high; low++, high--) {
            int64_t kept = perm[low];
            perm[low] = perm[high];
            perm[high] = kept;
        }
        head = perm[0];
        count++;
    }
    return count;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t perm[7], result = 0;
    for (int64_t k = 0; k < n; k++) {
        for (int64_t i = 0; i < 7; i++) perm[i] = (i + k) % 7 + 1;
        result += flips(perm);
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
