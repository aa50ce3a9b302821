/* exp and log in double, to within a few units in the last place. */
#ifndef MATHEMATICS_H
#define MATHEMATICS_H

double math_exp(double x);
/* For normal x above 0. */
double math_log(double x);

static inline double math_sqrt(double x)
{
    __asm__("sqrtsd %0, %0" : "+x"(x));
    return x;
}

#endif
