/* What the benches of auth-svc work on: dealers, keys and bearer tokens, as files in a folder. */
#ifndef AMCP_BENCH_AUTH_WORLD_H
#define AMCP_BENCH_AUTH_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/identity/jwt_keys.h"

#define WORLD_ISSUER "https://bench.example"
#define WORLD_AUDIENCE "analytics-mcp"

enum {
  WORLD_ID_SIZE = 8,    /* "d00001" */
  WORLD_REGIONS = 4,    /* dealers take turns */
  WORLD_TOKENS = 32768, /* of each algorithm: twice what auth-svc remembers, so that in a
                         * round trip over all of them a hundredth is remembered at most */
};

/* Writes dealers-N.json for each size, keys.json (JWKS), hs256.secret, tokens-ALG (a line each,
 * role dealer) and bearer-ROLE-N. Exits with a message when it cannot. */
void world_make(const char *dir, const size_t *sizes, size_t n_sizes);

/* Id of dealer i, from 0. */
const char *world_dealer_id(char out[WORLD_ID_SIZE], size_t i);

/* Contents of a file of the folder, NUL-terminated; name is a format. Free with free(). */
char *world_read(size_t *len, const char *dir, const char *name, ...)
    __attribute__((format(printf, 3, 4)));

/* The lines of a text, which is cut up in place. Free the array with free(). */
char **world_lines(size_t *n, char *text);

#endif
