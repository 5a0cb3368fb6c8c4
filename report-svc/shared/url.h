/* The address of a Redis or Valkey: redis://[user[:password]@]host[:port][/database], or rediss://
 * for TLS. */
#ifndef AMCP_REPORT_SHARED_URL_H
#define AMCP_REPORT_SHARED_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

enum { REDIS_URL_MAX = 4096 };

struct redis_url {
  bool tls;
  char *host; /* without the brackets of an IPv6 address */
  char *port; /* "6379" when not given */
  char *user; /* NULL: the default user */
  char *password;
  uint32_t database;
};

/* Reads an address. User and password may be percent-encoded; a password without a user is the
 * default user's. ERR_INVALID_ARGUMENT (`invalid_config`) says what is wrong and repeats nothing of
 * the text, which holds a password. `what` begins it: "REDIS_URL". */
enum err_code redis_url_parse(struct redis_url *out, const char *what, const char *text,
                              struct err *e);
/* Overwrites the password, frees all. */
void redis_url_free(struct redis_url *u);

#endif
