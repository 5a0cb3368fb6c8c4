/* Fuzz target of what the listener decides by header values: lines of allowed
 * origins and of allowed hosts, then any header value. */
#include "gateway/http/policy.h"
#include "tests/fuzz/fuzz.h"

static void check_token(const char *value)
{
  const char *token = bearer_token(value);
  if (token == NULL)
    return;
  FUZZ_MUST(token > value && token < value + strlen(value));
  FUZZ_MUST(strncasecmp(value, "bearer", 6) == 0);
  if (bearer_well_formed(token))
    for (const char *p = token; *p != '\0'; p++)
      FUZZ_MUST(*p > ' ' && *p <= '~' && strchr(",;\"'\\{}%", *p) == NULL);
}

static void check_origins(const char *allowed, const char *hosts, const char *value)
{
  struct origins *o = NULL;
  struct err e = {0};
  enum err_code code = origins_new(&o, allowed, hosts, "127.0.0.1", 3334, &e);
  FUZZ_MUST((code == ERR_OK) == (o != NULL));
  if (code != ERR_OK) {
    FUZZ_MUST(e.message[0] != '\0');
    return;
  }
  FUZZ_MUST(origin_allowed(o, NULL) && !origin_allowed(o, "null"));
  origin_allowed(o, value);
  host_allowed(o, value);
  if (*allowed == '\0')
    FUZZ_MUST(!origin_allowed(o, "http://evil.example"));
  if (*hosts == '\0')
    FUZZ_MUST(!host_allowed(o, "evil.example"));
  origins_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *allowed = fuzz_line(&in);
  AUTO_FREE char *hosts = fuzz_line(&in);
  AUTO_FREE char *value = fuzz_rest(&in);
  accept_read(value);
  content_type_is_json(value);
  check_token(value);
  check_origins(allowed, hosts, value);
  return 0;
}
