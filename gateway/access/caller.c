/* The caller of one request. */
#include "gateway/access/caller.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/seal/digest.h"

enum { RENEWAL_MAGIC = 0x43524e57 };

struct caller {
  struct mcp_principal principal; /* first: caller_of() casts */
  atomic_size_t refs;
  struct access *access;
  char *id;
  uint8_t digest[DIGEST_BYTES];
  char label[CALLER_LABEL];
  char *bearer; /* NULL: none */
  char *client; /* address; NULL: not known */
  pthread_mutex_t lock;
  struct grant *grant; /* guarded by lock */
};

struct renewal {
  unsigned magic;
  struct caller *caller;
  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant);
  void *arg;
};

static void principal_ref(struct mcp_principal *p)
{
  atomic_fetch_add(&((struct caller *)p)->refs, 1);
}

static void principal_unref(struct mcp_principal *p)
{
  struct caller *c = (struct caller *)p;
  if (atomic_fetch_sub(&c->refs, 1) != 1)
    return;
  if (c->bearer != NULL)
    mem_wipe(c->bearer, strlen(c->bearer));
  free(c->bearer);
  free(c->client);
  grant_unref(c->grant);
  share_unref(c->principal.share);
  pthread_mutex_destroy(&c->lock);
  free(c->id);
  free(c);
}

static bool has_scopes(const struct mcp_principal *p, const char *scopes)
{
  struct grant *g = caller_grant(caller_of(p));
  bool has = grant_has_scopes(g, scopes);
  grant_unref(g);
  return has;
}

void caller_label(char out[CALLER_LABEL], const uint8_t *digest)
{
  hex_write(out, digest, (CALLER_LABEL - 1) / 2);
}

struct caller *caller_new(struct access *access, const char *bearer, const char *client,
                          struct grant *grant, struct share *share, const char *label)
{
  struct caller *c = xcalloc(1, sizeof(*c));
  atomic_init(&c->refs, 1);
  pthread_mutex_init(&c->lock, NULL);
  c->access = access;
  share_ref(share);
  text_copy(c->label, sizeof(c->label), label);
  c->id = xstrdup(grant_principal_id(grant));
  memcpy(c->digest, grant_principal_digest(grant), DIGEST_BYTES);
  c->bearer = bearer != NULL ? xstrdup(bearer) : NULL;
  c->client = client != NULL ? xstrdup(client) : NULL;
  grant_ref(grant);
  c->grant = grant;
  c->principal = (struct mcp_principal){.id = c->id,
                                        .digest = c->digest,
                                        .label = c->label,
                                        .share = share,
                                        .is_operator = grant_is_admin(grant),
                                        .has_scopes = has_scopes,
                                        .ref = principal_ref,
                                        .unref = principal_unref};
  return c;
}

struct mcp_principal *caller_principal(struct caller *c)
{
  return &c->principal;
}

struct caller *caller_of(const struct mcp_principal *p)
{
  struct caller *c;
  memcpy(&c, &p, sizeof(c)); /* the principal is the caller's first member */
  return c;
}

struct grant *caller_grant(struct caller *c)
{
  pthread_mutex_lock(&c->lock);
  struct grant *g = c->grant;
  grant_ref(g);
  pthread_mutex_unlock(&c->lock);
  return g;
}

static void put_grant(struct caller *c, struct grant *g)
{
  grant_ref(g);
  pthread_mutex_lock(&c->lock);
  struct grant *old = c->grant;
  c->grant = g;
  pthread_mutex_unlock(&c->lock);
  grant_unref(old);
}

/* One bearer is one principal; a grant for another would mix two people's calls. */
static void on_checked(void *arg, enum access_outcome outcome, struct grant *grant, const char *why)
{
  (void)why;
  struct renewal *r = arg;
  MAGIC_CHECK(r, RENEWAL_MAGIC);
  if (outcome == ACCESS_GRANTED && strcmp(grant_principal_id(grant), r->caller->id) != 0)
    outcome = ACCESS_INVALID;
  if (outcome == ACCESS_GRANTED)
    put_grant(r->caller, grant);
  r->done(r->arg, outcome, outcome == ACCESS_GRANTED ? grant : NULL);
  principal_unref(&r->caller->principal);
  r->magic = 0;
  free(r);
}

void caller_renew(struct caller *c, struct grant *refused,
                  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant),
                  void *arg)
{
  struct grant *now = caller_grant(c);
  grant_mark_refused(refused);
  if (now != refused) {
    done(arg, ACCESS_GRANTED, now);
  } else {
    struct renewal *r = xcalloc(1, sizeof(*r));
    *r = (struct renewal){RENEWAL_MAGIC, c, done, arg};
    principal_ref(&c->principal);
    access_check(c->access, c->bearer, c->client, on_checked, r);
  }
  grant_unref(now);
}
