#include "x25519.h"

#include "platform.h"

/* Elements of the field modulo 2^255 - 19: five limbs of 51 bits, least first. What `multiply` gives is below 2^52 a
   limb; one sum or difference of such may be multiplied again. */
#define LIMBS 5u
#define LIMB_BITS 51u
#define MASK ((1ull << LIMB_BITS) - 1)
#define A24 121665u /* (486662 - 2) / 4 */

typedef uint64_t element[LIMBS];
typedef unsigned __int128 wide;

static void copy(element out, const element in)
{
    for (unsigned i = 0; i < LIMBS; i++)
        out[i] = in[i];
}

static void add(element out, const element a, const element b)
{
    for (unsigned i = 0; i < LIMBS; i++)
        out[i] = a[i] + b[i];
}

/* Twice the modulus goes in, so that no limb falls below zero. */
static void subtract(element out, const element a, const element b)
{
    out[0] = a[0] + 2 * (MASK - 18) - b[0];
    for (unsigned i = 1; i < LIMBS; i++)
        out[i] = a[i] + 2 * MASK - b[i];
}

static void carry(element out, const wide sum[LIMBS])
{
    wide running = 0;
    for (unsigned i = 0; i < LIMBS; i++) {
        running = running + sum[i];
        out[i] = (uint64_t)running & MASK;
        running = running >> LIMB_BITS;
    }
    /* 2^255 = 19 */
    uint64_t low = out[0] + 19 * (uint64_t)running;
    out[0] = low & MASK;
    out[1] = out[1] + (low >> LIMB_BITS);
}

static void multiply(element out, const element a, const element b)
{
    wide sum[LIMBS];
    for (unsigned i = 0; i < LIMBS; i++) {
        wide inside = 0, over = 0;
        for (unsigned j = 0; j <= i; j++)
            inside = inside + (wide)a[j] * b[i - j];
        for (unsigned j = i + 1; j < LIMBS; j++)
            over = over + (wide)a[j] * b[LIMBS + i - j];
        sum[i] = inside + over * 19;
    }
    carry(out, sum);
}

static void square(element out, const element a) { multiply(out, a, a); }

static void multiply_small(element out, const element a, uint64_t factor)
{
    wide sum[LIMBS];
    for (unsigned i = 0; i < LIMBS; i++)
        sum[i] = (wide)a[i] * factor;
    carry(out, sum);
}

/* a^(p - 2), which is 1/a, and 0 for 0. The exponent is 2^255 - 21: all ones but for bits 2 and 4. */
static void invert(element out, const element a)
{
    element power;
    copy(power, a);
    for (unsigned bit = 254; bit-- > 0;) {
        square(power, power);
        if (bit != 2 && bit != 4)
            multiply(power, power, a);
    }
    copy(out, power);
}

static void exchange(uint64_t swap, element a, element b)
{
    uint64_t mask = 0 - swap;
    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t different = mask & (a[i] ^ b[i]);
        a[i] = a[i] ^ different;
        b[i] = b[i] ^ different;
    }
}

static void from_bytes(element out, const uint8_t in[32])
{
    uint64_t w0 = load_le64(in), w1 = load_le64(in + 8), w2 = load_le64(in + 16), w3 = load_le64(in + 24);
    out[0] = w0 & MASK;
    out[1] = (w0 >> 51 | w1 << 13) & MASK;
    out[2] = (w1 >> 38 | w2 << 26) & MASK;
    out[3] = (w2 >> 25 | w3 << 39) & MASK;
    out[4] = w3 >> 12 & MASK; /* the top bit is to be ignored */
}

/* The one representative below the modulus. */
static void to_bytes(uint8_t out[32], const element in)
{
    element t;
    wide sum[LIMBS];
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < LIMBS; i++)
            sum[i] = round ? t[i] : in[i];
        carry(t, sum);
    }
    /* Now below 2^255 + 2^51; is it at or above the modulus, once or (just) twice? Adding 19 tells by the last carry. */
    for (unsigned round = 0; round < 2; round++) {
        uint64_t over = t[0] + 19;
        for (unsigned i = 1; i < LIMBS; i++)
            over = t[i] + (over >> LIMB_BITS);
        uint64_t running = t[0] + 19 * (over >> LIMB_BITS);
        for (unsigned i = 1; i < LIMBS; i++) {
            t[i - 1] = running & MASK;
            running = t[i] + (running >> LIMB_BITS);
        }
        t[4] = running & MASK;
    }
    store_le64(out, t[0] | t[1] << 51);
    store_le64(out + 8, t[1] >> 13 | t[2] << 38);
    store_le64(out + 16, t[2] >> 26 | t[3] << 25);
    store_le64(out + 24, t[3] >> 39 | t[4] << 12);
}

bool x25519(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32])
{
    uint8_t k[32];
    memcpy(k, scalar, sizeof k);
    k[0] = k[0] & 248;
    k[31] = (k[31] & 127) | 64;

    element x1, x2 = { 1 }, z2 = { 0 }, x3, z3 = { 1 };
    uint64_t swap = 0;
    from_bytes(x1, u);
    copy(x3, x1);
    /* The Montgomery ladder of RFC 7748, 5. */
    for (unsigned bit = 255; bit-- > 0;) {
        uint64_t k_t = k[bit >> 3] >> (bit & 7) & 1;
        swap = swap ^ k_t;
        exchange(swap, x2, x3);
        exchange(swap, z2, z3);
        swap = k_t;
        element a, b, c, d, aa, bb, e;
        add(a, x2, z2);
        subtract(b, x2, z2);
        add(c, x3, z3);
        subtract(d, x3, z3);
        multiply(d, d, a);
        multiply(c, c, b);
        square(aa, a);
        square(bb, b);
        subtract(e, aa, bb);
        add(a, d, c);
        square(x3, a);
        subtract(b, d, c);
        square(b, b);
        multiply(z3, x1, b);
        multiply(x2, aa, bb);
        multiply_small(a, e, A24);
        add(a, a, aa);
        multiply(z2, e, a);
    }
    exchange(swap, x2, x3);
    exchange(swap, z2, z3);
    invert(z2, z2);
    multiply(x2, x2, z2);
    to_bytes(out, x2);
    wipe(k, sizeof k);

    uint8_t any = 0;
    for (unsigned i = 0; i < X25519_BYTES; i++)
        any = any | out[i];
    return any;
}

void x25519_public(uint8_t out[32], const uint8_t scalar[32])
{
    static const uint8_t base[32] = { 9 };
    x25519(out, scalar, base);
}
