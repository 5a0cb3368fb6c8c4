/* Subjects and their bindings. */
#include "ga4-sim/identity/federation.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/aws.h"
#include "ga4-sim/identity/tokens.h"

enum { SUBJECTS_MAX = 1024 };

struct federation {
  pthread_mutex_t lock;
  const struct world *world;
  struct {
    int64_t identity;
    struct federation_binding binding;
  } list[SUBJECTS_MAX];
  size_t count;
};

static int64_t hash(const char *subject)
{
  unsigned char digest[EVP_MAX_MD_SIZE];
  uint64_t n = 0;
  EVP_Digest(subject, strlen(subject), digest, NULL, EVP_sha256(), NULL);
  for (int i = 0; i < 8; i++)
    n = n << 8 | digest[i];
  return (int64_t)(n >> 1 | UINT64_C(1) << 40); /* positive, and no index */
}

static struct federation_binding *put(struct federation *f, const struct federation_binding *b)
{
  int64_t identity = hash(b->subject);
  for (size_t i = 0; i < f->count; i++)
    if (f->list[i].identity == identity)
      return &f->list[i].binding;
  if (f->count == SUBJECTS_MAX)
    return NULL;
  f->list[f->count].identity = identity;
  f->list[f->count].binding = *b;
  return &f->list[f->count++].binding;
}

struct federation *federation_new(const struct world *w)
{
  static const char *const everyone[] = {FEDERATION_AGENCY_SUBJECT, AWS_ROLE_ARN,
                                         "arn:aws:iam::" AWS_ACCOUNT ":user/" AWS_ROLE};
  struct federation *f = xcalloc(1, sizeof(*f));
  pthread_mutex_init(&f->lock, NULL);
  f->world = w;
  for (size_t i = 0; i < ARRAY_LEN(everyone); i++) {
    struct federation_binding b = {.scope = IDENTITY_SERVICE_ACCOUNT, .impersonate = true};
    snprintf(b.subject, sizeof(b.subject), "%s", everyone[i]);
    put(f, &b);
  }
  for (size_t i = 0; i < w->property_count; i++) {
    struct federation_binding b = {.scope = (int64_t)i, .impersonate = true, .direct = true};
    snprintf(b.subject, sizeof(b.subject), FEDERATION_DEALER_NAMESPACE "%s",
             w->properties[i].dealer_id);
    put(f, &b);
  }
  return f;
}

void federation_free(struct federation *f)
{
  if (f == NULL)
    return;
  pthread_mutex_destroy(&f->lock);
  free(f);
}

int64_t federation_identity(struct federation *f, const char *subject)
{
  struct federation_binding b = {.scope = IDENTITY_NONE};
  if (strlen(subject) >= sizeof(b.subject))
    return 0;
  snprintf(b.subject, sizeof(b.subject), "%s", subject);
  pthread_mutex_lock(&f->lock);
  bool there = put(f, &b) != NULL;
  pthread_mutex_unlock(&f->lock);
  return there ? hash(subject) : 0;
}

bool federation_find(struct federation *f, int64_t identity, struct federation_binding *out)
{
  bool found = false;
  pthread_mutex_lock(&f->lock);
  for (size_t i = 0; i < f->count && !found; i++)
    if ((found = f->list[i].identity == identity))
      *out = f->list[i].binding;
  pthread_mutex_unlock(&f->lock);
  return found;
}

static int64_t scope_of(const struct federation *f, const char *dealer)
{
  if (dealer != NULL && strcmp(dealer, "*") == 0)
    return IDENTITY_SERVICE_ACCOUNT;
  for (size_t i = 0; dealer != NULL && i < f->world->property_count; i++)
    if (strcmp(f->world->properties[i].dealer_id, dealer) == 0)
      return (int64_t)i;
  return IDENTITY_NONE;
}

enum err_code federation_set(struct federation *f, const cJSON *body, cJSON **state, struct err *e)
{
  const char *subject = json_get_string(body, "subject");
  struct federation_binding b = {.scope = scope_of(f, json_get_string(body, "dealer_id")),
                                 .impersonate = json_get_bool(body, "impersonate", false),
                                 .direct = json_get_bool(body, "direct", false)};
  if (subject == NULL || strlen(subject) >= sizeof(b.subject))
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "subject must be text of at most 255 bytes");
  if (b.scope == IDENTITY_NONE && (b.impersonate || b.direct))
    return err_set(e, ERR_INVALID_ARGUMENT, NULL,
                   "dealer_id must be a dealer of the world or \"*\"");
  snprintf(b.subject, sizeof(b.subject), "%s", subject);
  pthread_mutex_lock(&f->lock);
  struct federation_binding *at = put(f, &b);
  if (at != NULL)
    *at = b;
  pthread_mutex_unlock(&f->lock);
  if (at == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, NULL, "there are 1024 subjects already");
  *state = cJSON_Duplicate(body, true);
  return ERR_OK;
}
