/* Records of the token store's file: from bytes and to bytes. Pure; nobody but the store
 * includes it. */
#ifndef AMCP_AUTH_TOKEN_STORE_RECORD_H
#define AMCP_AUTH_TOKEN_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/secret.h"

enum {
  STORE_HEAD_SIZE = 16,
  STORE_MAX_ACCOUNT = 255,
  STORE_RECORD_OVERHEAD = 4 + 8 + 1 + 8 + SHA256_SIZE + 2,
};
extern const char store_head[STORE_HEAD_SIZE];

enum store_kind { STORE_SEALED = 1, STORE_PLAIN = 2 };

struct store_record {
  enum store_kind kind;
  int64_t stored_s; /* unix seconds */
  uint8_t fingerprint[SHA256_SIZE];
  char account_id[STORE_MAX_ACCOUNT + 1];
  const void *value; /* points into the bytes it was read from */
  size_t value_len;
};

/* Appends a record. False when out is full or the account_id is too long. */
bool store_record_write(struct buf *out, const struct store_record *r);
/* Reads the record that starts at p. Its size in bytes, or 0 when there is no whole and
 * undamaged one. */
size_t store_record_read(struct store_record *out, const uint8_t *p, size_t len);

#endif
