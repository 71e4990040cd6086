#include <inttypes.h>
#include <stdio.h>

static int64_t escape(double cx, double cy, int64_t limit) {
    double zr = 0, zi = 0;
    for (int64_t n = 0; n < limit; n++) {
        double r2 = zr * zr, i2 = zi * zi;
        if (r2 + i2 > 4.0) return n;
        zi = 2.0 * zr * zi + cy;
        zr = r2 - i2 + cx;
    }
    return limit;
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    double side = n;
    int64_t result = 0;
    for (int64_t row = 0; row < n; row++) {
        double cy = row / side * 2.0 - 1.0;
        for (int64_t column = 0; column < n; column++)
            result += escape(column / side * 3.0 - 2.0, cy, 50);
    }
    printf("%" PRId64 "\n", result);
    return 0;
}
