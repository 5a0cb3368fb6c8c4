/* Looks through everything a call brought for anything of a dealer outside the caller's
 * view: its mark, property, figures; a region it may not know; a secret of anybody. */
#ifndef AMCP_TESTS_ISOLATION_SCAN_H
#define AMCP_TESTS_ISOLATION_SCAN_H

#include "tests/unit/isolation/stage.h"

/* Finds; each is printed. `asked`: texts of the request, which an error may repeat once. */
size_t scan_reply(const struct plan *p, const struct view *v, const struct reply *r,
                  const char *const *asked, size_t n_asked);
/* The same over one text. */
size_t scan_text(const struct plan *p, const struct view *v, const char *text, size_t len);

#endif
