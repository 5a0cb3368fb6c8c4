/* Names of vehicles that only one website uses. */
#include <string.h>

#include "aggregate-svc/vehicle/tokens.h"
#include "aggregate-svc/vehicle/vehicle.h"

bool vehicle_alias_make(struct vehicle_alias *out, const char *words, const char *make,
                        const char *model)
{
  struct vehicle_alias a = {.len = 0};
  size_t len = vehicle_squeeze(a.key, sizeof(a.key), words, strlen(words));
  if (len == 0 || !vehicle_find(&a.model, make, model))
    return false;
  a.len = (uint8_t)len;
  *out = a;
  return true;
}

/* Whether the tokens from one on, run together, begin with the alias and end where a token ends. */
static bool stands_at(const struct vehicle_tokens *t, size_t from, const struct vehicle_alias *a)
{
  size_t done = 0;
  for (size_t i = from; i < t->n && done < a->len; i++) {
    if (t->token[i].len > a->len - done ||
        memcmp(t->text + t->token[i].at, a->key + done, t->token[i].len) != 0)
      return false;
    done += t->token[i].len;
  }
  return done == a->len;
}

bool vehicle_alias_match(struct vehicle *out, const struct vehicle_aliases *aliases,
                         const char *text, size_t len)
{
  struct vehicle_tokens t;
  const struct vehicle_alias *best = NULL;
  if (aliases == NULL || aliases->n == 0)
    return false;
  vehicle_tokens_read(&t, text, len);
  for (size_t i = 0; i < t.n; i++)
    for (size_t k = 0; k < aliases->n; k++)
      if ((best == NULL || aliases->list[k].len > best->len) && stands_at(&t, i, &aliases->list[k]))
        best = &aliases->list[k];
  if (best == NULL)
    return false;
  out->model = best->model;
  out->year = t.year;
  out->powertrain = vehicle_tokens_powertrain(&t, vehicle_models[best->model].powertrains);
  return true;
}
