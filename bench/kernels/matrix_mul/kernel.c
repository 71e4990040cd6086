#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t **matrix(int64_t n) {
    int64_t **rows = malloc(n * sizeof *rows);
    for (int64_t i = 0; i < n; i++) rows[i] = malloc(n * sizeof **rows);
    return rows;
}

static int64_t **product(int64_t n, int64_t **a, int64_t **b) {
    int64_t **result = matrix(n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = 0;
            for (int64_t k = 0; k < n; k++) sum += a[i][k] * b[k][j];
            result[i][j] = sum;
        }
    return result;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    int64_t **a = matrix(n), **b = matrix(n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            a[i][j] = i + j;
            b[i][j] = i * j % 100;
        }
    int64_t result = 0;
    for (int64_t i = 0; i < 4; i++) result += product(n, a, b)[n / 2][n / 3 + i];
    printf("%" PRId64 "\n", result);
    return 0;
}
