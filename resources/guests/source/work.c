#include "work.h"

#include "attestation.h"
#include "mailbox.h"
#include "platform.h"

#define CLOCK_EVERY 200000u /* instructions: reading the clock is a device access */
#define STRETCH_MS 15u

enum work_phase work_phase;
uint32_t work_percent;

static uint32_t spent, stretch_began;
static bool serving; /* the mailbox's own work does not come back here */

void work_breathe(uint32_t cost)
{
    spent += cost;
    if (spent < CLOCK_EVERY || serving)
        return;
    spent = 0;
    if (clock_ms() - stretch_began < STRETCH_MS)
        return;
    serving = true;
    attestation_poll();
    mailbox_poll();
    serving = false;
    sleep_ms(1);
    stretch_began = clock_ms();
}
