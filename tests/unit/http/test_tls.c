/* https: trust, and the reuse of a TLS connection. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/certs.h"
#include "tests/unit/http/fetch.h"

struct tls_server {
  struct certs certs;
  struct server *server;
};

static void tls_start_as(struct tls_server *t, const char *names)
{
  CU_ASSERT_TRUE_FATAL(certs_make(&t->certs, names));
  SSL_CTX *ctx = certs_server_context(&t->certs);
  CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
  t->server = server_start(ctx);
}

static void tls_start(struct tls_server *t)
{
  tls_start_as(t, "IP:127.0.0.1,DNS:localhost");
}

static void tls_stop(struct tls_server *t)
{
  server_stop(t->server);
  certs_remove(&t->certs);
}

static struct http_client *client_with_ca(const char *ca_file)
{
  struct http_client *c = NULL;
  CU_ASSERT_EQUAL_FATAL(
      http_client_new(&c, &(struct http_client_options){.ca_file = ca_file}, NULL), ERR_OK);
  return c;
}

static void init_https(struct fetch *f, const struct tls_server *t, const char *host,
                       const char *path)
{
  char url[256];
  snprintf(url, sizeof(url), "https://%s:%u%s", host, server_port(t->server), path);
  fetch_init(f, NULL, url);
}

static void server_signed_by_the_ca_file_is_trusted(void)
{
  struct tls_server t;
  tls_start(&t);
  struct http_client *c = client_with_ca(t.certs.ca_file);
  for (int i = 0; i < 10; i++) {
    struct fetch f;
    init_https(&f, &t, "127.0.0.1", "/bytes?n=200000");
    CU_ASSERT_TRUE(fetch_run(&f, c));
    CU_ASSERT_EQUAL(f.error.code, ERR_OK);
    CU_ASSERT_EQUAL(f.body.len, 200000);
    fetch_free(&f);
  }
  CU_ASSERT_EQUAL(server_connections(t.server), 1);
  http_client_free(c);
  tls_stop(&t);
}

/* Puts the authority into a directory under the name that OpenSSL looks for: hash of the subject.
 */
static void make_ca_directory(char dir[64], char link[96], const struct certs *certs)
{
  FILE *f = fopen(certs->ca_file, "re");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  X509 *ca = PEM_read_X509(f, NULL, NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL(ca);
  fclose(f);
  snprintf(dir, 64, "/tmp/http-ca-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  snprintf(link, 96, "%s/%08lx.0", dir, X509_subject_name_hash(ca));
  CU_ASSERT_EQUAL_FATAL(symlink(certs->ca_file, link), 0);
  X509_free(ca);
}

static void server_signed_by_a_ca_of_the_directory_is_trusted(void)
{
  struct tls_server t;
  struct http_client *c = NULL;
  struct fetch f;
  char dir[64], link[96];
  tls_start(&t);
  make_ca_directory(dir, link, &t.certs);
  struct http_client_options options = {.ca_dir = dir};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&c, &options, NULL), ERR_OK);
  init_https(&f, &t, "127.0.0.1", "/bytes?n=2000");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.body.len, 2000);
  fetch_free(&f);
  http_client_free(c);
  unlink(link);
  rmdir(dir);
  CU_ASSERT_EQUAL(http_client_new(&c, &options, NULL), ERR_FAILED_PRECONDITION);
  tls_stop(&t);
}

static void paused_https_body_loses_and_repeats_nothing(void)
{
  struct tls_server t;
  tls_start(&t);
  struct http_client *c = client_with_ca(t.certs.ca_file);
  struct fetch f;
  init_https(&f, &t, "127.0.0.1", "/bytes?n=3000000&gzip=1&piece=40000");
  fetch_stream(&f);
  f.pause_every = 3;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_resume_to_end(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(f.streamed, 3000000);
  CU_ASSERT_TRUE(f.in_order);
  fetch_free(&f);
  http_client_free(c);
  tls_stop(&t);
}

static void check_untrusted(struct http_client *c, const struct tls_server *t, const char *host)
{
  struct fetch f;
  init_https(&f, t, host, "/echo?key=hunter2");
  CU_ASSERT_TRUE(fetch_run(&f, c));
  CU_ASSERT_EQUAL(f.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(f.error.reason, "tls_failed");
  CU_ASSERT_PTR_NOT_NULL(strstr(f.error.message, host));
  CU_ASSERT_PTR_NULL(strstr(f.error.message, "hunter2"));
  CU_ASSERT_EQUAL(server_requests(t->server), 0);
  fetch_free(&f);
}

static void server_of_another_ca_is_refused(void)
{
  struct tls_server t, other;
  tls_start(&t);
  tls_start(&other);
  struct http_client *c = client_with_ca(other.certs.ca_file);
  check_untrusted(c, &t, "127.0.0.1");
  http_client_free(c);
  c = new_client(); /* the system's certificates */
  check_untrusted(c, &t, "127.0.0.1");
  http_client_free(c);
  tls_stop(&other);
  tls_stop(&t);
}

static void certificate_for_another_name_is_refused(void)
{
  struct tls_server t;
  tls_start_as(&t, "IP:127.0.0.2,DNS:other.example");
  struct http_client *c = client_with_ca(t.certs.ca_file);
  check_untrusted(c, &t, "127.0.0.1");
  check_untrusted(c, &t, "localhost");
  http_client_free(c);
  tls_stop(&t);
}

static void plain_http_answer_to_https_is_unavailable(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = new_client();
  struct fetch f;
  char url[64];
  snprintf(url, sizeof(url), "https://127.0.0.1:%u/echo", server_port(s));
  fetch_init(&f, NULL, url);
  f.request.timeout_ms = 3000;
  CU_ASSERT_EQUAL(fetch_start(&f, c), ERR_OK);
  test_sleep_ms(100); /* the server waits for more of a request that is none */
  server_stop(s);
  CU_ASSERT_TRUE(fetch_wait(&f));
  CU_ASSERT_EQUAL(f.error.code, ERR_UNAVAILABLE);
  fetch_free(&f);
  http_client_free(c);
}

static void concurrent_https_requests_all_arrive(void)
{
  enum { N = 32 };
  struct tls_server t;
  tls_start(&t);
  struct http_client *c = client_with_ca(t.certs.ca_file);
  struct fetch *f = xcalloc(N, sizeof(*f));
  for (int i = 0; i < N; i++) {
    init_https(&f[i], &t, "localhost", "/bytes?n=30000");
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
  }
  for (int i = 0; i < N; i++) {
    CU_ASSERT_TRUE(fetch_wait(&f[i]));
    CU_ASSERT_EQUAL(f[i].error.code, ERR_OK);
    CU_ASSERT_EQUAL(f[i].body.len, 30000);
    fetch_free(&f[i]);
  }
  free(f);
  http_client_free(c);
  tls_stop(&t);
}

TEST_MAIN("http.tls", TEST(server_signed_by_the_ca_file_is_trusted),
          TEST(server_signed_by_a_ca_of_the_directory_is_trusted),
          TEST(paused_https_body_loses_and_repeats_nothing), TEST(server_of_another_ca_is_refused),
          TEST(certificate_for_another_name_is_refused),
          TEST(plain_http_answer_to_https_is_unavailable),
          TEST(concurrent_https_requests_all_arrive))
