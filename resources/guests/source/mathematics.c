#include "mathematics.h"

#include <stdint.h>

#define LN2_HIGH 0x1.62e42feep-1 /* short enough that k * LN2_HIGH is exact */
#define LN2_LOW 0x1.a39ef35793c76p-33
#define INVERSE_LN2 0x1.71547652b82fep+0
#define SQRT_HALF 0x1.6a09e667f3bcdp-1

#define TERMS(series) (sizeof(series) / sizeof *(series))

/* 1/i!, from i = 13 down to 0: e^r for |r| <= ln 2 / 2 ends below 1e-17. */
static const double exp_series[] = {
    1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
    1.0 / 5040.0,       1.0 / 720.0,       1.0 / 120.0,      1.0 / 24.0,      1.0 / 6.0,      0.5,
    1.0,                1.0 };

/* 1/i, for odd i from 23 down to 1: artanh(s) / s in powers of s^2 <= 0.0295. */
static const double artanh_series[] = { 1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                        1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0 };

static double evaluate(const double *series, unsigned terms, double x)
{
    double sum = 0;
    for (unsigned i = 0; i < terms; i++)
        sum = sum * x + series[i];
    return sum;
}

static double power_of_two(int k)
{
    uint64_t bits = (uint64_t)(k + 1023) << 52;
    double v;
    __builtin_memcpy(&v, &bits, 8);
    return v;
}

double math_exp(double x)
{
    if (x > 700)
        x = 700;
    if (x < -700)
        return 0;
    int k = (int)(x * INVERSE_LN2 + (x < 0 ? -0.5 : 0.5));
    double r = (x - k * LN2_HIGH) - k * LN2_LOW; /* x = k ln 2 + r */
    return evaluate(exp_series, TERMS(exp_series), r) * power_of_two(k);
}

double math_log(double x)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &x, 8);
    int k = (int)(bits >> 52) - 1022;
    bits = (bits & ((1ull << 52) - 1)) | 1022ull << 52;
    double m; /* x = m 2^k with 1/2 <= m < 1, then sqrt(1/2) <= m < sqrt(2) */
    __builtin_memcpy(&m, &bits, 8);
    if (m < SQRT_HALF) {
        m *= 2;
        k--;
    }
    double s = (m - 1) / (m + 1); /* log m = 2 artanh s */
    return 2 * s * evaluate(artanh_series, TERMS(artanh_series), s * s) + k * LN2_LOW + k * LN2_HIGH;
}
