/* Fuzz target of the keyring's text and of sealed values. The input is a keyring; behind a NUL
 * byte it may go on with a sealed text. What a ring seals it must open. */
#include "auth-svc/secret/keyring.h"
#include "tests/fuzz/fuzz.h"

static const struct keyring_record record = {"d01", "dealers.json/v1", "oauth.refresh_token"};

static void seal_and_open(struct keyring *k)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_TEXT_MAX);
  AUTO_SECRET struct secret *plain = NULL;
  char id[KEYRING_ID_MAX + 1];
  if (keyring_seal(&sealed, k, &record, "plain", 5, NULL) != ERR_OK ||
      !keyring_id_of(sealed.data, sealed.len, id) || strcmp(id, keyring_id(k, 0)) != 0 ||
      keyring_open(&plain, k, &record, sealed.data, sealed.len, NULL) != ERR_OK ||
      strcmp(secret_text(plain), "plain") != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char fixed[] =
      "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  struct keyring *k = NULL, *ours = NULL;
  AUTO_SECRET struct secret *plain = NULL;
  const char *text = (const char *)data;
  if (keyring_parse(&k, "RING", text, size, NULL) == ERR_OK)
    seal_and_open(k);
  keyring_unref(k);
  if (keyring_parse(&ours, "RING", fixed, strlen(fixed), NULL) != ERR_OK)
    abort();
  /* Nobody guesses a tag. */
  if (keyring_open(&plain, ours, &record, text, size, NULL) == ERR_OK)
    abort();
  keyring_unref(ours);
  return 0;
}
