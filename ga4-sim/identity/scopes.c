/* Names of the scopes. */
#include "ga4-sim/identity/scopes.h"

#include <string.h>

#define GOOGLE "https://www.googleapis.com/auth/"

static const struct {
  const char *name;
  uint32_t bit;
} known[] = {
    {GOOGLE "analytics.readonly", SCOPE_ANALYTICS_READONLY},
    {GOOGLE "analytics.edit", SCOPE_ANALYTICS_EDIT},
    {GOOGLE "analytics", SCOPE_ANALYTICS},
    {GOOGLE "cloud-platform", SCOPE_CLOUD_PLATFORM},
    {GOOGLE "iam", SCOPE_IAM},
    {"openid", SCOPE_OPENID},
    {GOOGLE "userinfo.email", SCOPE_EMAIL},
    {"email", SCOPE_EMAIL},
    {GOOGLE "analytics.manage.users", SCOPE_MANAGE_USERS},
    {GOOGLE "analytics.manage.users.readonly", SCOPE_MANAGE_USERS_READONLY},
};

uint32_t scope_bit(const char *name, size_t len)
{
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
      return known[i].bit;
  return 0;
}

uint32_t scopes_read(const char *list, unsigned *unknown)
{
  uint32_t bits = 0;
  *unknown = 0;
  while (list != NULL && *list != '\0') {
    size_t len = strcspn(list, " ,");
    uint32_t bit = scope_bit(list, len);
    if (len > 0 && bit == 0)
      ++*unknown;
    bits |= bit;
    list += len + (list[len] != '\0');
  }
  return bits;
}

void scopes_write(struct buf *out, uint32_t scopes)
{
  const char *between = "";
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    if (!(scopes & known[i].bit))
      continue;
    buf_printf(out, "%s%s", between, known[i].name);
    between = " ";
    scopes &= ~known[i].bit;
  }
}
