/* The place of a claim in a token's claims, as AUTH_ISSUERS_FILE writes it.
 *
 * Steps are separated by dots: realm_access.roles. A step whose name has a dot, a slash or a blank
 * is quoted: 'https://northgate.example/dealers', or realm_access.'my.role'. */
#ifndef AMCP_AUTH_CLAIM_PATH_H
#define AMCP_AUTH_CLAIM_PATH_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/base/arena.h"

enum { CLAIM_PATH_MAX = 256, CLAIM_STEPS_MAX = 6 };

/* Immutable; lives in the arena it was read into. */
struct claim_path {
  const char *text; /* as it was written */
  const char *steps[CLAIM_STEPS_MAX];
  size_t n;
};

/* Reads a path of `len` bytes; the arena must have room. NULL, or what is wrong with it (static
 * text). */
const char *claim_path_read(struct claim_path *out, const char *text, size_t len,
                            struct arena *arena);
/* The claim at the path; NULL when there is none. Pure. */
const cJSON *claim_path_find(const struct claim_path *p, const cJSON *claims);

#endif
