/* Access tokens in memory. */
#include "report-svc/google/token.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

struct token *token_new(const Analytics__Auth__V1__GetAccessTokenResponse *message)
{
  struct token *t = xcalloc(1, sizeof(*t));
  atomic_init(&t->refs, 1);
  t->access_token = xstrdup(message->access_token);
  t->dealer_ref = xstrdup(message->dealer_ref);
  t->dealer_name = xstrdup(message->dealer_name);
  t->quota_project = xstrdup(message->quota_project_id);
  t->principal = xstrdup(message->principal);
  t->lead_event = xstrdup(message->lead_event);
  t->qualified_session = xstrdup(message->qualified_session);
  t->opaque = message->opaque;
  t->assignment = message->assignment;
  t->property_ids = xcalloc(message->n_property_ids, sizeof(*t->property_ids));
  for (size_t i = 0; i < message->n_property_ids; i++)
    t->property_ids[t->n_property_ids++] = xstrdup(message->property_ids[i]);
  return t;
}

struct token *token_with_found(const struct token *t, const struct found *found)
{
  struct token *with = xcalloc(1, sizeof(*with));
  atomic_init(&with->refs, 1);
  with->access_token = xstrdup(t->access_token);
  with->dealer_ref = xstrdup(t->dealer_ref);
  with->dealer_name = xstrdup(t->dealer_name);
  with->quota_project = xstrdup(t->quota_project);
  with->principal = xstrdup(t->principal);
  with->lead_event = xstrdup(t->lead_event);
  with->qualified_session = xstrdup(t->qualified_session);
  with->opaque = t->opaque;
  with->property_ids = xcalloc(found->n, sizeof(*with->property_ids));
  for (size_t i = 0; i < found->n; i++)
    with->property_ids[with->n_property_ids++] = xstrdup(found->ids[i]);
  with->choice = found_choice(found);
  return with;
}

bool token_lacks_properties(const struct token *t)
{
  return t->dealer_ref[0] != '\0' && t->n_property_ids == 0;
}

struct token *token_ref(struct token *t)
{
  if (t != NULL)
    atomic_fetch_add(&t->refs, 1);
  return t;
}

void token_unref(struct token *t)
{
  if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
    return;
  mem_wipe(t->access_token, strlen(t->access_token));
  free(t->access_token);
  free(t->dealer_ref);
  free(t->dealer_name);
  free(t->quota_project);
  free(t->principal);
  free(t->lead_event);
  free(t->qualified_session);
  for (size_t i = 0; i < t->n_property_ids; i++)
    free(t->property_ids[i]);
  free(t->property_ids);
  free(t->choice);
  free(t);
}

size_t token_size(const struct token *t)
{
  const char *const texts[] = {t->access_token,     t->dealer_ref, t->dealer_name,
                               t->quota_project,    t->principal,  t->lead_event,
                               t->qualified_session};
  size_t n = sizeof(*t) + (t->choice != NULL ? strlen(t->choice) + 1 : 0);
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    n += strlen(texts[i]) + 1;
  for (size_t i = 0; i < t->n_property_ids; i++)
    n += sizeof(*t->property_ids) + strlen(t->property_ids[i]) + 1;
  return n;
}

static enum err_code not_the_dealers(struct err *e, const struct token *t, const char *wanted)
{
  AUTO_BUF struct buf list = BUF_INIT(200);
  for (size_t i = 0; i < t->n_property_ids && i < 5; i++)
    buf_printf(&list, "%s%s", i == 0 ? "" : ", ", t->property_ids[i]);
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "property_id: %s is not a property of dealer %s; its properties: %s", wanted,
                 t->dealer_ref, buf_str(&list));
}

enum err_code token_property(char out[REQUEST_PROPERTY_SIZE], const struct token *t,
                             const char *wanted, struct err *e)
{
  if (wanted == NULL || wanted[0] == '\0') {
    if (t->n_property_ids == 0)
      return err_set(e, ERR_FAILED_PRECONDITION, "no_property",
                     "property_id: must be given, because no dealer is configured to find it by");
    return request_parse_property(out, t->property_ids[0], e);
  }
  bool found = t->dealer_ref[0] == '\0' && t->n_property_ids == 0; /* no configured dealer */
  for (size_t i = 0; i < t->n_property_ids && !found; i++)
    found = strcmp(t->property_ids[i], wanted) == 0;
  if (!found)
    return not_the_dealers(e, t, wanted);
  return request_parse_property(out, wanted, e);
}

size_t token_properties(const struct token *t)
{
  return t->choice != NULL ? 1 : t->n_property_ids;
}

enum err_code token_check_one_property(const struct token *t, struct err *e)
{
  if (token_properties(t) < 2)
    return ERR_OK;
  return err_set(e, ERR_FAILED_PRECONDITION, TOKEN_SEVERAL_PROPERTIES,
                 "the dealer has %zu properties", t->n_property_ids);
}
