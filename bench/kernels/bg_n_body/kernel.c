#include <inttypes.h>
#include <stdio.h>
#include <math.h>

static double x[] = {0.0, 4.84143144246472090, 8.34336671824457987, 12.8943695621391310, 15.3796971148509165};
static double y[] = {0.0, -1.16032004402742839, 4.12479856412430479, -15.1111514016986312, -25.9193146099879641};
static double z[] = {0.0, -0.103622044471123109, -0.403523417114321381, -0.223307578892655734, 0.179258772950371181};
static double vx[] = {0.0, 0.00166007664274403694, -0.00276742510726862411, 0.00296460137564761618, 0.00268067772490389322};
static double vy[] = {0.0, 0.00769901118419740425, 0.00499852801234917238, 0.00237847173959480950, 0.00162824170038242295};
static double vz[] = {0.0, -0.0000690460016972063023, 0.0000230417297573763929, -0.0000296589568540237556, -0.0000951592254519715870};
static double mass[] = {1.0, 0.000954791938424326609, 0.000285885980666130812, 0.0000436624404335156298, 0.0000515138902046611451};

static void advance(double step) {
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            double dx = x[i] - x[j], dy = y[i] - y[j], dz = z[i] - z[j];
            double squared = dx * dx + dy * dy + dz * dz;
            double magnitude = step / (squared * sqrt(squared));
            double mi = mass[i] * magnitude, mj = mass[j] * magnitude;
            vx[i] -= dx * mj;
            vy[i] -= dy * mj;
            vz[i] -= dz * mj;
            vx[j] += dx * mi;
            vy[j] += dy * mi;
            vz[j] += dz * mi;
        }
    for (int i = 0; i < 5; i++) {
        x[i] += step * vx[i];
        y[i] += step * vy[i];
        z[i] += step * vz[i];
    }
}

int main(void) {
    int64_t n;
    if (scanf("%" SCNd64, &n) != 1) return 1;
    for (int i = 0; i < 5; i++) {
        vx[i] *= 365.24;
        vy[i] *= 365.24;
        vz[i] *= 365.24;
        mass[i] *= 39.47841760435743;
    }
    for (int64_t i = 0; i < n; i++) advance(0.01);
    double energy = 0;
    for (int i = 0; i < 5; i++)
        energy += 0.5 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i] + vz[i] * vz[i]);
    int64_t result = energy * 1e9;
    printf("%" PRId64 "\n", result);
    return 0;
}
