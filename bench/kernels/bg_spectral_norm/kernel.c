#include <inttypes.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>

static double element(int64_t i, int64_t j) {
    int64_t s = i + j;
    return 1.0 / (double)(s * (s + 1) / 2 + i + 1);
}

static void times(const double *source, double *target, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) sum += element(i, j) * source[j];
        target[i] = sum;
    }
}

static void times_transposed(const double *source, double *target, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t j = 0; j < n; j++) sum += element(j, i) * source[j];
        target[i] = sum;
    }
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    double *u = malloc(n * sizeof *u), *v = malloc(n * sizeof *v), *w = malloc(n * sizeof *w);
    for (int64_t i = 0; i < n; i++) {
        u[i] = 1;
        v[i] = w[i] = 0;
    }
    for (int i = 0; i < 10; i++) {
        times(u, w, n);
        times_transposed(w, v, n);
        times(v, w, n);
        times_transposed(w, u, n);
    }
    double uv = 0, vv = 0;
    for (int64_t i = 0; i < n; i++) {
        uv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    int64_t result = sqrt(uv / vv) * 1e9;
    printf("%" PRId64 "\n", result);
    return 0;
}
