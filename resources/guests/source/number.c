#include "number.h"

#include "platform.h"

#define POWER_OVERFLOW 1000000
#define LARGEST_EXPONENT 301
#define SMALLEST_EXPONENT (-300)
#define EXACT_POWERS 23
#define U64_POWERS 28 /* 5^27 < 2^64 */

static const double powers_of_ten[EXACT_POWERS] = { /* exactly representable */
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static const double square_powers[] = { 1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256 };

/* value = digits (as an integer) times 10^exponent */
struct decimal {
    uint8_t digits[NUMBER_MAX_CHARACTERS];
    unsigned count; /* significant ones: no leading and no trailing zeros */
    int exponent;
    bool negative;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool read_decimal(const char *s, size_t length, struct decimal *d)
{
    while (length && is_blank(s[length - 1]))
        length--;
    while (length && is_blank(*s))
        s++, length--;
    if (!length || length > NUMBER_MAX_CHARACTERS)
        return false;
    size_t i = 0, seen = 0;
    d->count = 0;
    d->exponent = 0;
    d->negative = s[0] == '-';
    if (s[0] == '-' || s[0] == '+')
        i = 1;
    for (bool point = false; i < length && (is_digit(s[i]) || (s[i] == '.' && !point)); i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        seen++;
        d->exponent -= point;
        if (d->count || s[i] != '0')
            d->digits[d->count++] = (uint8_t)(s[i] - '0');
    }
    if (!seen)
        return false;
    if (i < length && (s[i] == 'e' || s[i] == 'E')) {
        int sign = 1, power = 0;
        size_t first;
        i++;
        if (i < length && (s[i] == '-' || s[i] == '+'))
            sign = s[i++] == '-' ? -1 : 1;
        for (first = i; i < length && is_digit(s[i]); i++)
            if (power < POWER_OVERFLOW)
                power = power * 10 + (s[i] - '0');
        if (i == first)
            return false;
        d->exponent += sign * power;
    }
    while (d->count && d->digits[d->count - 1] == 0)
        d->count--, d->exponent++;
    return i == length;
}

static double from_bits(uint64_t bits)
{
    double v;
    __builtin_memcpy(&v, &bits, 8);
    return v;
}

static uint64_t to_bits(double v)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &v, 8);
    return bits;
}

/* high:low (with `sticky` for anything lost below) times 2^exponent, rounded to nearest, ties to even. */
static double round_wide(uint64_t high, uint64_t low, bool sticky, int exponent)
{
    if (!high) {
        high = low;
        low = 0;
        exponent -= 64;
    }
    unsigned shift = (unsigned)__builtin_clzll(high);
    if (shift) {
        high = high << shift | low >> (64 - shift);
        low <<= shift;
        exponent -= (int)shift;
    }
    uint64_t mantissa = high >> 11, rest = high & 0x7ff;
    if (rest > 0x400 || (rest == 0x400 && (low || sticky || (mantissa & 1))))
        mantissa++; /* 2^53 is fine: the sum below carries into the exponent */
    /* value = mantissa * 2^(exponent + 64 + 11) with 2^52 <= mantissa <= 2^53 */
    return from_bits(((uint64_t)(exponent + 64 + 11 + 52 + 1022) << 52) + mantissa);
}

/* n * 10^exponent = n * 5^exponent * 2^exponent: up to 19 digits and 10^27, 128 bits of whole-number arithmetic do. */
static double convert_wide(uint64_t n, int exponent)
{
    uint64_t power = 1, high, low;
    for (int i = exponent < 0 ? -exponent : exponent; i; i--)
        power *= 5;
    if (exponent >= 0) {
        __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(n), "rm"(power) : "cc");
        return round_wide(high, low, false, exponent);
    }
    int shift_n = __builtin_clzll(n), shift_power = __builtin_clzll(power);
    uint64_t quotient, remainder, dividend = n << shift_n, divisor = power << shift_power;
    /* dividend / 2 < divisor, so that the quotient fits into 64 bits; 63 or 64 of them are significant. */
    __asm__("divq %4"
            : "=a"(quotient), "=d"(remainder)
            : "a"(dividend << 63), "d"(dividend >> 1), "rm"(divisor)
            : "cc");
    return round_wide(quotient, 0, remainder != 0, exponent + shift_power - shift_n - 63 - 64);
}

/* Whole numbers of up to 2,048 bits, for the rare rest. */
#define WORDS 64
struct big {
    uint32_t word[WORDS];
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (unsigned i = 0; i < WORDS; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void big_scale(struct big *b, unsigned tens, unsigned twos)
{
    for (; tens >= 9; tens -= 9)
        big_multiply_add(b, 1000000000, 0);
    for (; tens; tens--)
        big_multiply_add(b, 10, 0);
    for (; twos >= 31; twos -= 31)
        big_multiply_add(b, 1u << 31, 0);
    big_multiply_add(b, 1u << twos, 0);
}

/* Sign of (decimal) - m * 2^e. */
static int compare(const struct decimal *d, uint64_t m, int e)
{
    struct big left = { { 0 } }, right = { { (uint32_t)m, (uint32_t)(m >> 32) } };
    for (unsigned i = 0; i < d->count; i++)
        big_multiply_add(&left, 10, d->digits[i]);
    big_scale(&left, d->exponent > 0 ? (unsigned)d->exponent : 0, e < 0 ? (unsigned)-e : 0);
    big_scale(&right, d->exponent < 0 ? (unsigned)-d->exponent : 0, e > 0 ? (unsigned)e : 0);
    for (unsigned i = WORDS; i--;)
        if (left.word[i] != right.word[i])
            return left.word[i] < right.word[i] ? -1 : 1;
    return 0;
}

/* Approximate, then walk to the double whose rounding interval holds the decimal. Magnitudes are normal ones. */
static double convert_slowly(const struct decimal *d, uint64_t leading, int leading_exponent)
{
    double v = (double)leading;
    unsigned power = (unsigned)(leading_exponent < 0 ? -leading_exponent : leading_exponent);
    for (unsigned i = 0; i < sizeof square_powers / sizeof *square_powers; i++)
        if (power >> i & 1)
            v = leading_exponent < 0 ? v / square_powers[i] : v * square_powers[i];
    for (;;) {
        uint64_t bits = to_bits(v), m = (bits & ((1ull << 52) - 1)) | 1ull << 52;
        int e = (int)(bits >> 52) - 1075;
        int above = compare(d, 2 * m + 1, e - 1);
        if (above > 0 || (above == 0 && (m & 1))) {
            v = from_bits(bits + 1);
            continue;
        }
        bool boundary = m == 1ull << 52; /* the doubles below are twice as dense */
        int below = boundary ? compare(d, 4 * m - 1, e - 2) : compare(d, 2 * m - 1, e - 1);
        if (below < 0 || (below == 0 && (m & 1))) {
            v = from_bits(bits - 1);
            continue;
        }
        return v;
    }
}

bool number_parse(const char *s, size_t length, double *value)
{
    struct decimal d;
    if (!read_decimal(s, length, &d))
        return false;
    if (!d.count) {
        *value = 0;
        return true;
    }
    int magnitude = (int)d.count + d.exponent; /* value is in [10^(magnitude-1), 10^magnitude) */
    if (magnitude > LARGEST_EXPONENT || magnitude <= SMALLEST_EXPONENT)
        return false;
    uint64_t n = 0;
    unsigned used = d.count < 19 ? d.count : 19;
    for (unsigned i = 0; i < used; i++)
        n = n * 10 + d.digits[i];
    double v;
    int size = d.exponent < 0 ? -d.exponent : d.exponent;
    if (d.count <= 15 && size < EXACT_POWERS)
        v = d.exponent < 0 ? (double)n / powers_of_ten[size] : (double)n * powers_of_ten[size];
    else if (d.count == used && size < U64_POWERS)
        v = convert_wide(n, d.exponent);
    else
        v = convert_slowly(&d, n, d.exponent + (int)(d.count - used));
    if (v > 1e300 || v < 1e-300)
        return false;
    *value = d.negative ? -v : v;
    return true;
}

bool number_parse_u32(const char *s, size_t length, uint32_t *value)
{
    uint64_t n = 0;
    if (!length || length > 10)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(s[i]))
            return false;
        n = n * 10 + (uint64_t)(s[i] - '0');
    }
    *value = (uint32_t)n;
    return n >> 32 == 0;
}

static void text_digits(struct text *t, uint64_t n, unsigned places)
{
    char digits[20];
    for (unsigned i = places; i--; n /= 10)
        digits[i] = (char)('0' + n % 10);
    text_bytes(t, digits, places);
}

void text_fixed(struct text *t, double value, unsigned decimals)
{
    if (value < 0) {
        text_char(t, '-');
        value = -value;
    }
    uint64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    uint64_t n = (uint64_t)(value * (double)unit + 0.5);
    text_u64(t, n / unit);
    if (decimals) {
        text_char(t, '.');
        text_digits(t, n % unit, decimals);
    }
}

void text_number(struct text *t, double value)
{
    if (value != value) {
        text_put(t, "nan");
        return;
    }
    if (value < 0) {
        text_char(t, '-');
        value = -value;
    }
    int exponent = 0;
    if (value > 1.7976931348623157e308) {
        text_put(t, "inf");
        return;
    }
    if (value > 0) {
        for (unsigned i = sizeof square_powers / sizeof *square_powers; i--;) {
            if (value >= square_powers[i]) {
                value /= square_powers[i];
                exponent += 1 << i;
            } else if (value * square_powers[i] < 10) {
                value *= square_powers[i];
                exponent -= 1 << i;
            }
        }
    }
    uint64_t n = (uint64_t)(value * 1e11 + 0.5);
    if (n >= 1000000000000u) {
        n /= 10;
        exponent++;
    }
    text_u64(t, n / 100000000000u);
    text_char(t, '.');
    text_digits(t, n % 100000000000u, 11);
    text_char(t, 'e');
    text_char(t, exponent < 0 ? '-' : '+');
    text_digits(t, (uint64_t)(exponent < 0 ? -exponent : exponent), exponent <= -100 || exponent >= 100 ? 3 : 2);
}
