/* Logistic regression by gradient descent over the whole batch, on standardised numeric columns. */
#ifndef TRAINING_H
#define TRAINING_H

#include "table.h"
#include "text.h"

#define MAX_FEATURES 16u
/* Above so many rows, or rows times features, every k-th row is used. */
#define TRAINING_ROWS (1u << 16)
#define TRAINING_CELLS (1u << 20)
#define EPOCHS 100u
#define LEARNING_RATE 0.3

struct model {
    double bias, weight[MAX_FEATURES];
    double loss, accuracy; /* of these weights, over the training rows */
};

struct training {
    uint32_t features, rows; /* 0 features: nothing to learn from */
    uint32_t column[MAX_FEATURES];
    double mean[MAX_FEATURES], inverse_deviation[MAX_FEATURES]; /* 0 for a constant column */
    uint32_t positives;
    double high_value; /* numeric labels: those at or above it are 1 */
    uint32_t high_row; /* a row that holds the value that counts as 1 */
    uint32_t rounds;   /* finished trainings */
    uint32_t epoch;    /* of the running one */
    double loss, accuracy; /* of the last whole epoch */
    struct model model; /* of the last finished training; during the first one, of its last epoch */
};

/* Whether there is a model to ask, finished or not. */
static inline bool training_has_model(const struct training *t) { return t->rounds || t->epoch; }

extern struct training training;

/* False: out of memory. */
bool training_prepare(uint64_t *needed);

enum training_event { TRAINING_GOES_ON, TRAINING_EPOCH_DONE, TRAINING_ROUND_DONE };

/* Work through up to `rows` rows. */
enum training_event training_step(uint32_t rows);

/* The model's probability that the row's label is 1. */
double training_predict(uint32_t row);

#endif
