/* Fuzz target of an issuer's metadata: keys are never fetched from an address that is not safe, nor
 * on the word of another issuer.
 *
 * Input: a line with the issuer, then the metadata. */
#include "auth-svc/identity/discovery.h"
#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *issuer = fuzz_line(&in);
  AUTO_FREE char *metadata = fuzz_rest(&in);
  AUTO_BUF struct buf uri = BUF_INIT(DISCOVERY_URL_MAX);
  AUTO_JSON cJSON *root = NULL;
  struct err e = {0};
  if (discovery_issuer_problem(issuer) != NULL)
    return 0;
  AUTO_BUF struct buf place = BUF_INIT(2 * DISCOVERY_URL_MAX);
  discovery_put_url(&place, issuer, size % 2 != 0);
  size_t origin =
      strcspn(strstr(issuer, "://") + 3, "/") + (size_t)(strstr(issuer, "://") - issuer) + 3;
  FUZZ_MUST(strncmp(buf_str(&place), issuer, origin) == 0 && buf_str(&place)[origin] == '/');
  enum err_code code = discovery_read(&uri, issuer, metadata, in.len, &e);
  if (code != ERR_OK) {
    FUZZ_MUST(code == ERR_INVALID_ARGUMENT && e.message[0] != '\0');
    return 0;
  }
  FUZZ_MUST(discovery_url_is_safe(buf_str(&uri)));
  FUZZ_MUST(json_parse(&root, metadata, in.len, NULL, NULL) == ERR_OK);
  FUZZ_MUST(strcmp(json_get_string(root, "issuer"), issuer) == 0);
  return 0;
}
