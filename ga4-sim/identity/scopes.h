/* OAuth scopes as bits, so that a token can carry them without a table. */
#ifndef GA4_SIM_SCOPES_H
#define GA4_SIM_SCOPES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

enum scope {
  SCOPE_ANALYTICS_READONLY = 1,
  SCOPE_ANALYTICS_EDIT = 2,
  SCOPE_ANALYTICS = 4,
  SCOPE_CLOUD_PLATFORM = 8,
  SCOPE_IAM = 16,
  SCOPE_OPENID = 32,
  SCOPE_EMAIL = 64,
  SCOPE_MANAGE_USERS = 128,
  SCOPE_MANAGE_USERS_READONLY = 256,
  /* What opens the Data API and the Admin API's reading methods. */
  SCOPES_READ_ANALYTICS = SCOPE_ANALYTICS_READONLY | SCOPE_ANALYTICS_EDIT | SCOPE_ANALYTICS,
  /* What opens the IAM Credentials API. */
  SCOPES_IMPERSONATE = SCOPE_CLOUD_PLATFORM | SCOPE_IAM
};

/* Bit of one scope, 0 when Google has no such scope (or none this world knows). */
uint32_t scope_bit(const char *name, size_t len);
/* Bits of a list separated by spaces or commas; *unknown counts the others. */
uint32_t scopes_read(const char *list, unsigned *unknown);
/* The list, separated by spaces. */
void scopes_write(struct buf *out, uint32_t scopes);

#endif
