/* What all kinds of credentials share. */
#include "auth-svc/credential/credential.h"

#include <string.h>

#include "common/base/mem.h"

struct credential *credential_ref(struct credential *c)
{
  if (c != NULL)
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
  return c;
}

void credential_unref(struct credential *c)
{
  if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
    return;
  free(c->quota_project);
  c->kind->destroy(c);
}

bool credential_holds(const struct credential *c, const uint8_t digest[SHA256_SIZE])
{
  return c->kind->holds != NULL && c->kind->holds(c, digest);
}

void credential_digest(uint8_t out[SHA256_SIZE], const char *const *parts, size_t n)
{
  AUTO_BUF struct buf digests = BUF_SECRET((SHA256_SIZE + 1) * 64);
  for (size_t i = 0; i < n; i++) {
    uint8_t one[SHA256_SIZE];
    const char *part = parts[i] != NULL ? parts[i] : "";
    sha256_of(part, strlen(part), one);
    buf_putc(&digests, parts[i] != NULL ? '1' : '0');
    buf_append(&digests, one, sizeof(one));
  }
  if (digests.failed)
    abort(); /* no kind has so many parts */
  sha256_of(buf_str(&digests), digests.len, out);
}

void token_reply_clear(struct token_reply *r)
{
  secret_unref(TAKE_PTR(r->access_token));
  secret_unref(TAKE_PTR(r->refresh_token));
}
