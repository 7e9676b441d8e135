/* Adam on Himmelblau's function: what a kernel of the engine does, written by hand.

   Like the engine, it tests every entry for divergence and for a value at or below `stop`, keeps the best entry, and
   records every `every`-th. Bias corrections are running products, which the engine looks up in a table. */

#include <math.h>
#include <stdint.h>

#define LANES 32
static const double LR = 1e-3, BETA1 = 0.9, BETA2 = 0.999, EPS = 1e-8;

/* One start. record: (steps / every + 1, 3). best: x, y, f, step. Returns the number of entries. */
int64_t one(const double start[2], int64_t steps, int64_t every, double stop, double *record, double best[4])
{
    double x = start[0], y = start[1], mx = 0, my = 0, vx = 0, vy = 0, power1 = 1, power2 = 1;
    int64_t due = 0;
    best[2] = INFINITY;
    for (int64_t step = 0;; step++) {
        double a = x * x + y - 11, b = x + y * y - 7, f = a * a + b * b;
        if (f < best[2] && f > -INFINITY) {
            best[0] = x, best[1] = y, best[2] = f, best[3] = (double)step;
        }
        if (step == due) {
            record[0] = x, record[1] = y, record[2] = f;
            record += 3, due += every;
        }
        if (step == steps || f <= stop || !(isfinite(f) && isfinite(x) && isfinite(y)))
            return step + 1;
        double gx = 4 * a * x + 2 * b, gy = 2 * a + 4 * b * y;
        power1 *= BETA1, power2 *= BETA2;
        double scale = LR / (1 - power1), root = 1 / sqrt(1 - power2);
        mx += (1 - BETA1) * (gx - mx), my += (1 - BETA1) * (gy - my);
        vx = BETA2 * vx + (1 - BETA2) * gx * gx, vy = BETA2 * vy + (1 - BETA2) * gy * gy;
        x -= scale * mx / (sqrt(vx) * root + EPS);
        y -= scale * my / (sqrt(vy) * root + EPS);
    }
}

/* n starts, a multiple of LANES, as columns; ends: (2, n). best: (3, n). */
void many(const double *starts, int64_t n, int64_t steps, double stop, double *ends, double *best)
{
    for (int64_t first = 0; first < n; first += LANES) {
        double x[LANES], y[LANES], mx[LANES], my[LANES], vx[LANES], vy[LANES], best_x[LANES], best_y[LANES],
            best_f[LANES], power1 = 1, power2 = 1;
        int64_t alive[LANES];
        for (int k = 0; k < LANES; k++) {
            x[k] = starts[first + k], y[k] = starts[n + first + k];
            mx[k] = my[k] = vx[k] = vy[k] = 0;
            best_x[k] = x[k], best_y[k] = y[k], best_f[k] = INFINITY, alive[k] = 1;
        }
        for (int64_t step = 0;; step++) {
            int64_t some = 0;
            power1 *= BETA1, power2 *= BETA2;
            double scale = LR / (1 - power1), root = 1 / sqrt(1 - power2);
            for (int k = 0; k < LANES; k++) {
                double a = x[k] * x[k] + y[k] - 11, b = x[k] + y[k] * y[k] - 7, f = a * a + b * b;
                int64_t better = alive[k] & (f < best_f[k]) & (f > -INFINITY);
                best_x[k] = better ? x[k] : best_x[k];
                best_y[k] = better ? y[k] : best_y[k];
                best_f[k] = better ? f : best_f[k];
                alive[k] &= (f > stop) & ((f + x[k] + y[k]) * 0 == 0);
                some |= alive[k];
                double gx = 4 * a * x[k] + 2 * b, gy = 2 * a + 4 * b * y[k];
                mx[k] += (1 - BETA1) * (gx - mx[k]), my[k] += (1 - BETA1) * (gy - my[k]);
                vx[k] = BETA2 * vx[k] + (1 - BETA2) * gx * gx, vy[k] = BETA2 * vy[k] + (1 - BETA2) * gy * gy;
                double next_x = x[k] - scale * mx[k] / (sqrt(vx[k]) * root + EPS);
                double next_y = y[k] - scale * my[k] / (sqrt(vy[k]) * root + EPS);
                int64_t moves = alive[k] & (step < steps);
                x[k] = moves ? next_x : x[k], y[k] = moves ? next_y : y[k];
            }
            if (!some || step == steps)
                break;
        }
        for (int k = 0; k < LANES; k++) {
            ends[first + k] = x[k], ends[n + first + k] = y[k];
            best[first + k] = best_x[k], best[n + first + k] = best_y[k], best[2 * n + first + k] = best_f[k];
        }
    }
}
