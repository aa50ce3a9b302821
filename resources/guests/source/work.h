/* Sharing the processor: long work calls work_breathe often, which serves the mailbox and gives way to others. */
#ifndef WORK_H
#define WORK_H

#include "abi.h"

/* Rough costs in instructions. */
#define WORK_SECTOR 4000u
#define WORK_FIELD 12u
#define WORK_CHUNK 400000u
#define WORK_ELEMENT 12u

enum work_phase { PHASE_READING, PHASE_INDEXING, PHASE_PREPARING, PHASE_READY };

extern enum work_phase work_phase;
extern uint32_t work_percent; /* of the phase */

void work_breathe(uint32_t cost);
static inline void work_progress(uint32_t percent) { work_percent = percent; }

#endif
