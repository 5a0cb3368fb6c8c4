/* The listener for pages of operators: where it may listen, whom it answers, and TLS with a client
 * certificate that the handshake requires. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/http/pages.h"
#include "tests/unit/auth/support/cert_maker.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

static void answer(void *user, const struct page_request *r, struct page_reply *reply)
{
  const char *sort = page_argument(r, "sort");
  (void)user;
  if (strcmp(page_path(r), "/large") == 0)
    for (int i = 0; i < 5000; i++)
      buf_putc(&reply->body, 'x');
  buf_printf(&reply->body, "path %s sort %s", page_path(r), sort != NULL ? sort : "none");
}

static struct pages_options options_of(const char *listen)
{
  return (struct pages_options){
      .setting = "STATUS_LISTEN", .listen = listen, .max_body = 4096, .answer = answer};
}

static int dial(uint16_t port)
{
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 15};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  CU_ASSERT_EQUAL_FATAL(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
  return fd;
}

/* What a request is answered with, whole. */
static const char *exchange(uint16_t port, const char *method, const char *path, const char *host,
                            char out[8192])
{
  char text[512];
  ssize_t n;
  size_t len = 0;
  int fd = dial(port);
  snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method,
           path, host);
  send(fd, text, strlen(text), MSG_NOSIGNAL);
  while (len < 8191 && (n = recv(fd, out + len, 8191 - len, 0)) > 0)
    len += (size_t)n;
  out[len] = '\0';
  close(fd);
  return out;
}

#define BEGINS(text, with) (strncmp(text, with, strlen(with)) == 0)

static void only_loopback_or_mutual_tls_may_be_listened_on(void)
{
  static const struct {
    const char *listen, *cert, *key, *ca, *error;
  } table[] = {{NULL, NULL, NULL, NULL, NULL},
               {"127.0.0.1:0", NULL, NULL, NULL, NULL},
               {"[::1]:9480", NULL, NULL, NULL, NULL},
               {"localhost:9480", NULL, NULL, NULL, NULL},
               {"0.0.0.0:9480", "c", "k", "a", NULL},
               {"0.0.0.0:9480", NULL, NULL, NULL,
                "STATUS_LISTEN: 0.0.0.0:9480 is not a loopback address: set 127.0.0.1, or"},
               {":9480", NULL, NULL, NULL, "STATUS_LISTEN: :9480 is not a loopback address"},
               {"10.1.2.3:9480", "c", "k", NULL, "STATUS_LISTEN: certificate, key and CA"},
               {"127.0.0.1:0", NULL, NULL, "a", "STATUS_LISTEN: certificate, key and CA"},
               {"127.0.0.1", NULL, NULL, NULL, "STATUS_LISTEN: \"127.0.0.1\" is not an address"}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct pages_options o = options_of(table[i].listen);
    struct err e = {0};
    o.tls = (struct pages_tls){table[i].cert, table[i].key, table[i].ca};
    enum err_code code = pages_check(&o, &e);
    CU_ASSERT_EQUAL(code, table[i].error == NULL ? ERR_OK : ERR_INVALID_ARGUMENT);
    if (table[i].error != NULL)
      CU_ASSERT_TRUE(BEGINS(e.message, table[i].error));
  }
}

static void a_page_is_answered_with_headers_against_scripts_and_frames(void)
{
  struct pages_options o = options_of("127.0.0.1:0");
  struct pages *p;
  char text[8192];
  CU_ASSERT_EQUAL_FATAL(pages_start(&p, &o, NULL), ERR_OK);
  exchange(pages_port(p), "GET", "/status?sort=a%26b", "127.0.0.1", text);
  CU_ASSERT_TRUE(BEGINS(text, "HTTP/1.1 200"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "path /status sort a&b"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Content-Security-Policy: default-src 'none'"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Cache-Control: no-store"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "X-Frame-Options: DENY"));
  exchange(pages_port(p), "POST", "/status", "127.0.0.1", text);
  CU_ASSERT_TRUE(BEGINS(text, "HTTP/1.1 405"));
  exchange(pages_port(p), "GET", "/large", "127.0.0.1", text);
  CU_ASSERT_TRUE(BEGINS(text, "HTTP/1.1 500"));
  pages_stop(p);
}

/* A website that leads its own name to 127.0.0.1 comes with that name. */
static void another_name_than_loopbacks_is_refused(void)
{
  static const struct {
    const char *host, *status;
  } table[] = {{"localhost", "200"},         {"localhost:9480", "200"}, {"127.0.0.1:1", "200"},
               {"[::1]:9480", "200"},        {"[::1]", "200"},          {"evil.example", "403"},
               {"127.0.0.1.evil.io", "403"}, {"10.0.0.1:80", "403"},    {"", "403"}};
  struct pages_options o = options_of("127.0.0.1:0");
  struct pages *p;
  char text[8192];
  CU_ASSERT_EQUAL_FATAL(pages_start(&p, &o, NULL), ERR_OK);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    exchange(pages_port(p), "GET", "/status", table[i].host, text);
    if (strncmp(text + 9, table[i].status, 3) != 0)
      printf("\n  Host: %s -> %.12s\n", table[i].host, text);
    CU_ASSERT_EQUAL(strncmp(text + 9, table[i].status, 3), 0);
  }
  pages_stop(p);
}

/* ------------------------------------------------------------------------------ TLS */

static char *path_of(const char *dir, const char *name, const char *ext)
{
  return cert_path(dir, name, ext);
}

/* "200" and the like; "" when the handshake or the connection failed. client NULL: no certificate.
 */
static const char *ask_by_tls(uint16_t port, const char *ca_dir, const char *dir,
                              const char *client, char status[4])
{
  static const char request[] = "GET /status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  char text[256] = "";
  AUTO_FREE char *ca = path_of(ca_dir, "ca", "pem");
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  CU_ASSERT_EQUAL_FATAL(SSL_CTX_load_verify_locations(context, ca, NULL), 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (client != NULL) {
    AUTO_FREE char *cert = path_of(dir, client, "pem"), *key = path_of(dir, client, "key");
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_certificate_file(context, cert, SSL_FILETYPE_PEM), 1);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
  }
  SSL *ssl = SSL_new(context);
  int fd = dial(port);
  SSL_set_fd(ssl, fd);
  status[0] = '\0';
  if (SSL_connect(ssl) == 1 && SSL_write(ssl, request, sizeof(request) - 1) > 0 &&
      SSL_read(ssl, text, sizeof(text) - 1) >= 12)
    snprintf(status, 4, "%.3s", text + 9);
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(fd);
  return status;
}

static void a_client_certificate_of_the_ca_is_required(void)
{
  static const char *const names[] = {"gateway", "operator"}, *const others[] = {"stranger"};
  char dir[] = "/tmp/pages-certs-XXXXXX", other[] = "/tmp/pages-other-XXXXXX", status[4];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(other));
  signal(SIGPIPE, SIG_IGN); /* as every program does */
  cert_make(dir, names, 2);
  cert_make(other, others, 1);
  AUTO_FREE char *cert = path_of(dir, "gateway", "pem"), *key = path_of(dir, "gateway", "key"),
                 *ca = path_of(dir, "ca", "pem"), *wrong = path_of(dir, "operator", "key");
  struct pages_options o = options_of("127.0.0.1:0");
  struct pages *p;
  struct err e = {0};
  o.tls = (struct pages_tls){cert, key, ca};
  CU_ASSERT_EQUAL_FATAL(pages_start(&p, &o, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(ask_by_tls(pages_port(p), dir, dir, "operator", status), "200");
  CU_ASSERT_STRING_EQUAL(ask_by_tls(pages_port(p), dir, dir, NULL, status), "");
  CU_ASSERT_STRING_EQUAL(ask_by_tls(pages_port(p), dir, other, "stranger", status), "");
  CU_ASSERT_STRING_EQUAL(ask_by_tls(pages_port(p), dir, dir, "operator", status), "200");
  pages_stop(p);
  /* A key that is another certificate's, and a file that is not there, end the start. */
  o.tls.key_file = wrong;
  CU_ASSERT_EQUAL(pages_start(&p, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "not a certificate and its key"));
  o.tls.key_file = "/nowhere/key.pem";
  CU_ASSERT_EQUAL(pages_start(&p, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "/nowhere/key.pem: the file cannot be read");
  folder_remove(dir);
  folder_remove(other);
}

TEST_MAIN("http_pages", TEST(only_loopback_or_mutual_tls_may_be_listened_on),
          TEST(a_page_is_answered_with_headers_against_scripts_and_frames),
          TEST(another_name_than_loopbacks_is_refused),
          TEST(a_client_certificate_of_the_ca_is_required))
