/* Waiting that a shutdown ends early: injected latency and slow bodies. */
#ifndef GA4_SIM_DELAY_H
#define GA4_SIM_DELAY_H

#include <stdint.h>

struct delay;

/* Free with delay_free(). Thread-safe from here on. */
struct delay *delay_new(void);
/* Nobody may wait any more. d may be NULL. */
void delay_free(struct delay *d);
/* Waits ms milliseconds of the monotonic clock, or until delay_end(). */
void delay_wait(struct delay *d, uint32_t ms);
/* Ends all waiting, now and later. */
void delay_end(struct delay *d);

#endif
