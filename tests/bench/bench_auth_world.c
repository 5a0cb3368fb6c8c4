/* Makes dealers, keys and tokens, and reads them back. */
#include "tests/bench/bench_auth_world.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/jwt_maker.h"

enum { FILE_MAX = 64 << 20, CLAIMS_MAX = 32 * 1024, TOKEN_LIFE_S = 86400, LISTED_MAX = 1000 };
#define HS256_SECRET "bench-hs256-secret-of-thirty-two-bytes"

static const char *const regions[WORLD_REGIONS] = {"East", "North", "South", "West"};

const char *world_dealer_id(char out[WORLD_ID_SIZE], size_t i)
{
  snprintf(out, WORLD_ID_SIZE, "d%05u", (unsigned)((i + 1) % 100000));
  return out;
}

/* ----------------------------------------------------------------------- files */

static void fail(const char *path)
{
  fprintf(stderr, "bench_auth: %s: %s\n", path, strerror(errno));
  exit(1);
}

static void write_file(const char *dir, const char *name, const char *text, size_t len)
{
  AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0)
    fail(path);
}

char *world_read(size_t *len, const char *dir, const char *name, ...)
{
  char file[64];
  va_list args;
  va_start(args, name);
  vsnprintf(file, sizeof(file), name, args);
  va_end(args);
  AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
  FILE *f = fopen(path, "r");
  if (f == NULL)
    fail(path);
  struct buf text = BUF_INIT(FILE_MAX);
  char piece[1 << 16];
  for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
    buf_append(&text, piece, n);
  fclose(f);
  if (text.failed)
    fail(path);
  return buf_take(&text, len);
}

char **world_lines(size_t *n, char *text)
{
  char **lines = NULL;
  *n = 0;
  for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
    if (*n % 1024 == 0)
      lines = xrealloc(lines, (*n + 1024) * sizeof(*lines));
    *end = '\0';
    lines[(*n)++] = text;
  }
  return lines;
}

/* --------------------------------------------------------------------- dealers */

static void write_dealers(const char *dir, size_t n)
{
  struct buf b = BUF_INIT(FILE_MAX);
  char id[WORLD_ID_SIZE], name[32];
  buf_puts(&b, "{\"dealers\":[");
  for (size_t i = 0; i < n; i++)
    buf_printf(
        &b,
        "%s\n{\"dealer_id\":\"%s\",\"account_id\":\"account-%zu\",\"name\":\"Dealer %zu\","
        "\"region\":\"%s\",\"city\":\"Springfield\",\"state\":\"NV\",\"owner\":\"Owner %zu\","
        "\"groups\":[\"group-%zu\"],\"properties\":[\"%zu\"],\"oauth\":{\"client_id\":"
        "\"bench.apps.example\",\"client_secret\":\"bench-client-secret\","
        "\"refresh_token\":\"1//bench-refresh-token-of-account-%zu\"}}",
        i > 0 ? "," : "", world_dealer_id(id, i), i, i, regions[i % WORLD_REGIONS], i / 2, i % 20,
        300000000 + i, i);
  buf_puts(&b, "\n]}\n");
  snprintf(name, sizeof(name), "dealers-%zu.json", n);
  write_file(dir, name, buf_str(&b), b.len);
  buf_free(&b);
}

/* ---------------------------------------------------------------------- tokens */

struct alg_tokens {
  const char *dir;
  enum jwt_alg alg;
  EVP_PKEY *key; /* NULL for HS256 */
};

static char *sign_claims(const struct alg_tokens *t, const char *claims)
{
  AUTO_FREE char *header = xasprintf("{\"alg\":\"%s\",\"typ\":\"JWT\"}", jwt_alg_name(t->alg));
  return maker_token(header, claims, t->key, t->key == NULL ? HS256_SECRET : NULL);
}

static void put_claims(struct buf *b, const char *subject, size_t number, const char *role)
{
  buf_printf(b,
             "{\"iss\":\"" WORLD_ISSUER "\",\"aud\":\"" WORLD_AUDIENCE "\",\"sub\":\"%s-%zu\","
             "\"role\":\"%s\",\"exp\":%lld",
             subject, number, role, (long long)(clock_unix_ms() / 1000 + TOKEN_LIFE_S));
}

/* A token for each of many users of one dealer. */
static void *write_tokens(void *arg)
{
  const struct alg_tokens *t = arg;
  struct buf out = BUF_INIT(FILE_MAX);
  char name[32];
  for (size_t i = 0; i < WORLD_TOKENS; i++) {
    struct buf claims = BUF_INIT(CLAIMS_MAX);
    put_claims(&claims, "user", i, "dealer");
    buf_puts(&claims, ",\"dealers\":[\"d00001\"]}");
    AUTO_FREE char *token = sign_claims(t, buf_str(&claims));
    buf_printf(&out, "%s\n", token);
    buf_free(&claims);
  }
  snprintf(name, sizeof(name), "tokens-%s", jwt_alg_name(t->alg));
  write_file(t->dir, name, buf_str(&out), out.len);
  buf_free(&out);
  return NULL;
}

static void write_bearer(const char *dir, const char *name, size_t n, const char *role,
                         const char *rest)
{
  const struct alg_tokens hs256 = {.alg = JWT_HS256};
  struct buf claims = BUF_INIT(CLAIMS_MAX);
  char file[48];
  put_claims(&claims, name, n, role);
  buf_printf(&claims, "%s}", rest);
  AUTO_FREE char *token = sign_claims(&hs256, buf_str(&claims));
  snprintf(file, sizeof(file), "bearer-%s-%zu", name, n);
  write_file(dir, file, token, strlen(token));
  buf_free(&claims);
}

static void write_bearers(const char *dir, size_t n)
{
  struct buf listed = BUF_INIT(CLAIMS_MAX), account = BUF_INIT(4096);
  char id[WORLD_ID_SIZE];
  write_bearer(dir, "admin", n, "admin", "");
  write_bearer(dir, "dealer", n, "dealer", ",\"dealers\":[\"d00001\"]");
  write_bearer(dir, "region", n, "group", ",\"regions\":[\"East\",\"West\"]");
  buf_puts(&listed, ",\"dealers\":[");
  for (size_t i = 0; i < n && i < LISTED_MAX; i++)
    buf_printf(&listed, "%s\"%s\"", i > 0 ? "," : "", world_dealer_id(id, i));
  buf_puts(&listed, "]");
  write_bearer(dir, "listed", n, "group", buf_str(&listed));
  static const char json[] = "{\"account_id\":\"account-0\","
                             "\"refresh_token\":\"1//bench-refresh-token-of-account-0\"}";
  base64_encode(&account, json, sizeof(json) - 1);
  write_file(dir, "bearer-account", buf_str(&account), account.len);
  buf_free(&listed);
  buf_free(&account);
}

static void write_keys(const char *dir, const struct alg_tokens *t, size_t n)
{
  struct buf b = BUF_INIT(1 << 16);
  buf_puts(&b, "{\"keys\":[");
  for (size_t i = 0; i < n; i++) {
    AUTO_FREE char *jwk = maker_jwk(t[i].key, jwt_alg_name(t[i].alg));
    buf_printf(&b, "%s%s", i > 0 ? "," : "", jwk);
  }
  buf_puts(&b, "]}");
  write_file(dir, "keys.json", buf_str(&b), b.len);
  write_file(dir, "hs256.secret", HS256_SECRET, strlen(HS256_SECRET));
  buf_free(&b);
}

void world_make(const char *dir, const size_t *sizes, size_t n_sizes)
{
  struct alg_tokens t[] = {{dir, JWT_RS256, maker_key(JWT_RS256)},
                           {dir, JWT_ES256, maker_key(JWT_ES256)},
                           {dir, JWT_EDDSA, maker_key(JWT_EDDSA)},
                           {dir, JWT_HS256, NULL}};
  pthread_t threads[ARRAY_LEN(t)];
  write_keys(dir, t, ARRAY_LEN(t) - 1);
  for (size_t i = 0; i < n_sizes; i++) {
    write_dealers(dir, sizes[i]);
    write_bearers(dir, sizes[i]);
  }
  for (size_t i = 0; i < ARRAY_LEN(t); i++)
    if (pthread_create(&threads[i], NULL, write_tokens, &t[i]) != 0)
      fail("a thread");
  for (size_t i = 0; i < ARRAY_LEN(t); i++) {
    pthread_join(threads[i], NULL);
    EVP_PKEY_free(t[i].key);
  }
}
