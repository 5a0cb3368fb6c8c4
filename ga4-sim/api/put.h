/* Members of an answer's JSON. */
#ifndef GA4_SIM_PUT_H
#define GA4_SIM_PUT_H

#include "ga4-sim/api/call.h"

/* "name":"value" */
void put_text(struct buf *out, const char *name, const char *value);
/* ,"name":"VALUE", or the number when the client asked for numbers. */
void put_enum(const struct call *c, struct buf *out, const char *name, const char *value,
              int number);

#endif
