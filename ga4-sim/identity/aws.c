/* Key pairs that follow from the seed, and IMDSv2 session tokens. */
#include "ga4-sim/identity/aws.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/aws_private.h"

static void mac_of(const struct aws *a, const char *what, uint64_t n, unsigned char out[32])
{
  unsigned char full[EVP_MAX_MD_SIZE];
  AUTO_FREE char *text = xasprintf("%s %llu", what, (unsigned long long)n);
  HMAC(EVP_sha256(), a->key, sizeof(a->key), (const unsigned char *)text, strlen(text), full, NULL);
  memcpy(out, full, 32);
}

/* Sixteen characters of an access key id. */
static void key_id(const struct aws *a, const char *prefix, uint64_t n, char *out, size_t size)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  unsigned char mac[32];
  char text[17] = {0};
  mac_of(a, prefix, n, mac);
  for (int i = 0; i < 16; i++)
    text[i] = alphabet[mac[i] & 31];
  snprintf(out, size, "%s%s", prefix, text);
}

static void text_of(const struct aws *a, const char *what, uint64_t n, size_t bytes, char *out,
                    size_t size)
{
  unsigned char mac[32];
  AUTO_BUF struct buf text = BUF_INIT(128);
  mac_of(a, what, n, mac);
  base64_encode(&text, mac, bytes);
  snprintf(out, size, "%s", buf_str(&text));
}

struct aws *aws_new(uint64_t seed)
{
  struct aws *a = xcalloc(1, sizeof(*a));
  char text[64];
  int n = snprintf(text, sizeof(text), "ga4-sim aws %llu", (unsigned long long)seed);
  EVP_Digest(text, (size_t)n, a->key, NULL, EVP_sha256(), NULL);
  pthread_mutex_init(&a->lock, NULL);
  return a;
}

void aws_free(struct aws *a)
{
  if (a == NULL)
    return;
  pthread_mutex_destroy(&a->lock);
  free(a);
}

void aws_user_credentials(struct aws *a, struct aws_credentials *out)
{
  *out = (struct aws_credentials){.arn = "arn:aws:iam::" AWS_ACCOUNT ":user/" AWS_ROLE};
  key_id(a, "AKIA", 0, out->access_key_id, sizeof(out->access_key_id));
  text_of(a, "user secret", 0, 30, out->secret_access_key, sizeof(out->secret_access_key));
}

static void make_role(const struct aws *a, const struct aws_role_state *state,
                      struct aws_credentials *out)
{
  uint64_t n = state->generation;
  *out = (struct aws_credentials){.arn = AWS_ROLE_ARN,
                                  .issued_unix_s = state->issued_unix_s,
                                  .expires_unix_s = state->expires_unix_s};
  key_id(a, "ASIA", n, out->access_key_id, sizeof(out->access_key_id));
  text_of(a, "role secret", n, 30, out->secret_access_key, sizeof(out->secret_access_key));
  char end[64];
  text_of(a, "session token", n, 32, end, sizeof(end));
  snprintf(out->session_token, sizeof(out->session_token), "IQoJb3JpZ2luX2VjE%s", end);
}

/* Generations in a ring: the newest answers, the others are good until their end. */
static void next_role(struct aws *a, int64_t now)
{
  uint64_t n = ++a->generation;
  a->roles[n % AWS_ROLES] = (struct aws_role_state){
      .generation = n, .issued_unix_s = now, .expires_unix_s = now + AWS_ROLE_LIFETIME_S};
}

void aws_role_credentials(struct aws *a, int64_t now_unix_s, struct aws_credentials *out)
{
  pthread_mutex_lock(&a->lock);
  const struct aws_role_state *state = &a->roles[a->generation % AWS_ROLES];
  if (a->generation == 0 || a->rotate || state->expires_unix_s - now_unix_s < 300)
    next_role(a, now_unix_s);
  a->rotate = false;
  make_role(a, &a->roles[a->generation % AWS_ROLES], out);
  pthread_mutex_unlock(&a->lock);
}

void aws_rotate(struct aws *a, bool kill_old)
{
  pthread_mutex_lock(&a->lock);
  a->rotate = true;
  for (size_t i = 0; kill_old && i < AWS_ROLES; i++)
    a->roles[i].expires_unix_s = 0;
  pthread_mutex_unlock(&a->lock);
}

bool aws_find(struct aws *a, const char *access_key_id, struct aws_credentials *out)
{
  aws_user_credentials(a, out);
  bool found = strcmp(out->access_key_id, access_key_id) == 0;
  pthread_mutex_lock(&a->lock);
  for (size_t i = 0; !found && i < AWS_ROLES; i++) {
    if (a->roles[i].generation == 0)
      continue;
    make_role(a, &a->roles[i], out);
    found = strcmp(out->access_key_id, access_key_id) == 0;
  }
  pthread_mutex_unlock(&a->lock);
  return found;
}

void aws_imds_token(struct aws *a, uint32_t ttl_s, int64_t now_unix_s, char *out, size_t size)
{
  unsigned char mac[32];
  AUTO_BUF struct buf text = BUF_INIT(64);
  int64_t end = now_unix_s + ttl_s;
  mac_of(a, "imds", (uint64_t)end, mac);
  base64url_encode(&text, mac, 24);
  snprintf(out, size, "AQAEA%llx.%s", (unsigned long long)end, buf_str(&text));
}

bool aws_imds_token_is_good(struct aws *a, const char *token, int64_t now_unix_s)
{
  char expected[128];
  char *after = NULL;
  if (token == NULL || strncmp(token, "AQAEA", 5) != 0)
    return false;
  long long end = strtoll(token + 5, &after, 16);
  if (*after != '.' || end <= now_unix_s || end > now_unix_s + 21600)
    return false;
  aws_imds_token(a, (uint32_t)(end - now_unix_s), now_unix_s, expected, sizeof(expected));
  return strlen(token) == strlen(expected) && CRYPTO_memcmp(token, expected, strlen(expected)) == 0;
}
