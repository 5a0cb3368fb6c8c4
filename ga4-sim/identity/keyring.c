/* Makes, keeps and finds private keys. */
#include "ga4-sim/identity/keyring.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/base/file.h"

enum { KEYS_MAX = 1024, FILE_MAX = 8 * 1024 * 1024 };

struct keyring {
  pthread_mutex_t lock;
  char *path;
  struct {
    char *name;
    EVP_PKEY *key;
  } keys[KEYS_MAX];
  size_t count;
};

bool keyring_pem(EVP_PKEY *key, struct buf *out)
{
  BIO *bio = BIO_new(BIO_s_mem());
  char *pem = NULL;
  bool ok = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
  long n = ok ? BIO_get_mem_data(bio, &pem) : 0;
  ok = ok && buf_append(out, pem, (size_t)n);
  BIO_free(bio);
  return ok;
}

static EVP_PKEY *read_pem(const char *pem)
{
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  BIO_free(bio);
  return key;
}

static void add(struct keyring *k, const char *name, EVP_PKEY *key)
{
  k->keys[k->count].name = xstrdup(name);
  k->keys[k->count++].key = key;
}

static enum err_code load(struct keyring *k, struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
  AUTO_JSON cJSON *json = NULL;
  const cJSON *item;
  struct err why;
  if (!file_read(k->path, &text) || text.len == 0)
    return ERR_OK;
  if (json_parse(&json, buf_str(&text), text.len, NULL, &why) != ERR_OK || !cJSON_IsObject(json))
    return err_set(e, ERR_INVALID_ARGUMENT, "keys",
                   "%s is not a key file of ga4-sim: move it away or name another --db", k->path);
  cJSON_ArrayForEach(item, json)
  {
    EVP_PKEY *key = cJSON_IsString(item) ? read_pem(item->valuestring) : NULL;
    if (key == NULL || k->count == KEYS_MAX) {
      EVP_PKEY_free(key);
      return err_set(e, ERR_INVALID_ARGUMENT, "keys",
                     "%s: the key \"%s\" cannot be read: remove the file to have new keys", k->path,
                     item->string);
    }
    add(k, item->string, key);
  }
  return ERR_OK;
}

enum err_code keyring_open(struct keyring **out, const char *path, struct err *e)
{
  struct keyring *k = xcalloc(1, sizeof(*k));
  pthread_mutex_init(&k->lock, NULL);
  k->path = xstrdup(path);
  enum err_code code = path == NULL ? ERR_OK : load(k, e);
  if (code != ERR_OK) {
    keyring_close(k);
    return code;
  }
  *out = k;
  return ERR_OK;
}

void keyring_close(struct keyring *k)
{
  if (k == NULL)
    return;
  for (size_t i = 0; i < k->count; i++) {
    free(k->keys[i].name);
    EVP_PKEY_free(k->keys[i].key);
  }
  pthread_mutex_destroy(&k->lock);
  free(k->path);
  free(k);
}

static void save(struct keyring *k)
{
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  for (size_t i = 0; i < k->count; i++) {
    AUTO_BUF struct buf pem = BUF_INIT(16 * 1024);
    if (keyring_pem(k->keys[i].key, &pem))
      cJSON_AddStringToObject(json, k->keys[i].name, buf_str(&pem));
  }
  AUTO_FREE char *text = cJSON_Print(json);
  AUTO_BUF struct buf content = BUF_INIT(FILE_MAX);
  struct err e;
  buf_puts(&content, text == NULL ? "{}" : text);
  if (file_write_private(k->path, &content, &e) != ERR_OK)
    log_warn("the keys could not be kept: key files will not outlive a restart",
             LOG_S("error", e.message));
}

static EVP_PKEY *make(const char *alg)
{
  return strcmp(alg, "RS256") == 0   ? EVP_RSA_gen(2048)
         : strcmp(alg, "ES256") == 0 ? EVP_EC_gen("P-256")
                                     : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

EVP_PKEY *keyring_get(struct keyring *k, const char *name, const char *alg)
{
  EVP_PKEY *key = NULL;
  pthread_mutex_lock(&k->lock);
  for (size_t i = 0; i < k->count && key == NULL; i++)
    if (strcmp(k->keys[i].name, name) == 0)
      key = k->keys[i].key;
  if (key == NULL && alg != NULL && k->count < KEYS_MAX && (key = make(alg)) != NULL) {
    add(k, name, key);
    if (k->path != NULL)
      save(k);
  }
  pthread_mutex_unlock(&k->lock);
  return key;
}
