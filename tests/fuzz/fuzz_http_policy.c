/* Fuzz target of what the listener decides by header values: lines of allowed
 * origins and of allowed hosts, then any header value. */
#include <arpa/inet.h>

#include "gateway/http/policy.h"
#include "gateway/http/proxies.h"
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

/* The client is an address whatever a header says, and the peer's when the peer is not a proxy. */
static void check_proxies(const char *networks, const char *header, const char *value)
{
  struct proxies *p = NULL;
  struct err e = {0};
  char client[ADDRESS_TEXT], bytes[16];
  enum err_code code = proxies_new(&p, networks, header, &e);
  FUZZ_MUST((code == ERR_OK) == (p != NULL));
  if (p == NULL && proxies_new(&p, "10.0.0.0/8", NULL, &e) != ERR_OK)
    return;
  proxies_client(p, client, "10.0.0.1", value);
  FUZZ_MUST(inet_pton(AF_INET, client, bytes) == 1 || inet_pton(AF_INET6, client, bytes) == 1);
  if (*networks == '\0') {
    proxies_client(p, client, "2001:db8::1", value);
    FUZZ_MUST(strcmp(client, "2001:db8::1") == 0);
  }
  proxies_free(p);
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
  check_proxies(allowed, hosts, value);
  check_proxies("10.0.0.0/8", "Forwarded", value);
  check_proxies("10.0.0.0/8", "", value);
  return 0;
}
