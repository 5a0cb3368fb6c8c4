/* The currencies a report may be asked in. */
#ifndef GA4_SIM_CURRENCIES_H
#define GA4_SIM_CURRENCIES_H

#include <stdbool.h>

/* Whether a code is an ISO 4217 currency in use, in capital letters as the standard writes it. */
bool currency_is_real(const char *code);

#endif
