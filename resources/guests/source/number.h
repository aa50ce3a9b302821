/* Numbers as text, both ways. */
#ifndef NUMBER_H
#define NUMBER_H

#include "text.h"

#define NUMBER_MAX_CHARACTERS 64u

/* A decimal number, blanks around it allowed, to the nearest double (ties to even), as Python's float() reads it.
   False for anything else, and for magnitudes outside 1e-300 to 1e300 that are not zero. Never gives -0.0. */
bool number_parse(const char *s, size_t length, double *value);
/* A whole number below 2^32. */
bool number_parse_u32(const char *s, size_t length, uint32_t *value);

/* `decimals` digits behind the point, for magnitudes below 1e12. */
void text_fixed(struct text *t, double value, unsigned decimals);
/* Twelve significant digits: -1.23456789012e-05. */
void text_number(struct text *t, double value);

#endif
