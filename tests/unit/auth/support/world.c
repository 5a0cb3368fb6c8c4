/* Makes snapshots for tests. */
#include "tests/unit/auth/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "common/base/mem.h"

struct snapshot *world_parse(const char *json)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  if (snapshot_parse(&s, "world.json", json, strlen(json), NULL, &e) != ERR_OK) {
    fprintf(stderr, "world: %s\n", e.message);
    abort();
  }
  return s;
}

struct snapshot *world_new(size_t n, const char *token_uri)
{
  static const char *const regions[] = {"West", "East", "North"};
  static const char *const names[] = {"Quokka Ford", "Zephyr Kia", "Umber Toyota", "Jasper Honda"};
  struct buf json = BUF_INIT(8 << 20);
  buf_puts(&json, "{\"dealers\":[");
  for (size_t i = 1; i <= n; i++) {
    buf_printf(&json,
               "%s{\"dealer_id\":\"d%02zu\",\"account_id\":\"a%02zu\",\"name\":\"%s No%02zu\","
               "\"region\":\"%s\",\"city\":\"Town%02zu\",\"state\":\"NV\",\"owner\":\"Owner%zu\","
               "\"groups\":[\"group%zu\"],\"properties\":[\"%zu\"],",
               i > 1 ? "," : "", i, i, names[i % 4], i, regions[i % 3], i, i / 3, i % 4,
               2000000 + i);
    buf_printf(&json,
               "\"oauth\":{\"client_id\":\"client-id-%02zu\",\"client_secret\":"
               "\"client-secret-%02zu\",\"refresh_token\":\"refresh-token-%02zu\"%s%s%s}}\n",
               i, i, i, token_uri != NULL ? ",\"token_uri\":\"" : "",
               token_uri != NULL ? token_uri : "", token_uri != NULL ? "\"" : "");
  }
  buf_puts(&json, "]}");
  struct snapshot *s = world_parse(buf_str(&json));
  buf_free(&json);
  return s;
}

size_t world_needing_consent(struct tokens *t)
{
  AUTO_BUF struct buf detail = BUF_INIT(8192);
  size_t n = 0;
  tokens_describe(t, &detail);
  const char *line = strstr(buf_str(&detail), "accounts: ");
  if (line == NULL || sscanf(line, "accounts: %zu need", &n) != 1)
    abort();
  return n;
}
