/* A text that may mean several things: what it may mean, in the details of an error. */
#ifndef AMCP_PBJSON_AMBIGUITY_H
#define AMCP_PBJSON_AMBIGUITY_H

#include <stdbool.h>

#include "analytics/error/v1/details.pb-c.h"
#include "common/base/error.h"

/* Adds the details to an error that is set. Candidates that do not fit are left out, and `more`
 * says so. */
void ambiguity_put(struct err *e, const Analytics__Error__V1__Ambiguity *ambiguity);
/* The details of an error, freed by the caller with
 * analytics__error__v1__ambiguity__free_unpacked(); NULL when it has none, or of them no two
 * candidates with a value and a title. */
Analytics__Error__V1__Ambiguity *ambiguity_get(const struct err *e);

#endif
