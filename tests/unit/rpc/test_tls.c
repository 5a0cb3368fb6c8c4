/* Mutual TLS: who gets in, who the caller is, and new files without a restart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/rpc/tls.h"
#include "tests/unit/rpc/certs.h"
#include "tests/unit/rpc/echo_service.h"
#include "tests/unit/side.h"

static struct echo echo;
static char dir[64];
static struct cert_authority *ca;

static void begin(void)
{
  memset(&echo, 0, sizeof(echo));
  snprintf(dir, sizeof(dir), "/tmp/rpc-tls-XXXXXX");
  if (mkdtemp(dir) == NULL)
    abort();
  rpc_init();
  ca = certs_ca_new("test CA");
  certs_issue(ca, dir, "server", "DNS:localhost,IP:127.0.0.1");
}

static void end(void)
{
  certs_ca_free(ca);
  rpc_shutdown();
  static const char *const names[] = {"server", "client", "other"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    struct cert_paths p = certs_paths(dir, names[i]);
    unlink(p.cert);
    unlink(p.key);
    unlink(p.ca);
    certs_paths_free(&p);
  }
  CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static struct rpc_server *serve(const char *listen)
{
  struct cert_paths p = certs_paths(dir, "server");
  struct rpc_server *s =
      echo_start(&echo, &(struct rpc_server_options){.listen = listen, .tls = certs_tls(&p)});
  certs_paths_free(&p);
  return s;
}

/* A channel with the files of `name`; NULL: plaintext. */
static struct rpc_channel *connect_as(const char *address, const char *name)
{
  struct cert_paths p = {0};
  struct rpc_channel_options o = {.target = address, .name = "echo-svc"};
  if (name != NULL) {
    p = certs_paths(dir, name);
    o.tls = certs_tls(&p);
  }
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  certs_paths_free(&p);
  return ch;
}

static enum err_code say_as(const char *address, const char *name)
{
  struct rpc_channel *ch = connect_as(address, name);
  struct err e;
  enum err_code code = echo_say(ch, "Say", "hello", NULL, &e);
  rpc_channel_free(ch);
  return code;
}

static void identity_is(const char *address, const char *alt_names, const char *want)
{
  certs_issue(ca, dir, "client", alt_names);
  struct rpc_channel *ch = connect_as(address, "client");
  SayRequest request = SAY_REQUEST;
  ProtobufCMessage *response;
  struct err e = {0};
  enum err_code code =
      rpc_client_call_sync(&response, ch, ECHO_SERVICE, "Describe", &request.base, NULL, &e);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(((DescribeResponse *)response)->identity, want);
  protobuf_c_message_free_unpacked(response, NULL);
  rpc_channel_free(ch);
}

static void the_callers_identity_comes_from_its_certificate(void)
{
  begin();
  struct rpc_server *server = serve(NULL);
  const char *address = echo_address(server);
  identity_is(address, "URI:spiffe://amcp.test/ns/a/sa/report-svc,DNS:report-svc",
              "spiffe://amcp.test/ns/a/sa/report-svc");
  identity_is(address, "DNS:report-svc,DNS:report-svc.ns", "report-svc");
  identity_is(address, NULL, "client");
  rpc_server_stop(server);
  end();
}

static void strangers_are_refused_by_the_server(void)
{
  begin();
  struct rpc_server *server = serve(NULL);
  const char *address = echo_address(server);
  certs_issue(ca, dir, "client", "DNS:client");
  CU_ASSERT_EQUAL(say_as(address, "client"), ERR_OK);
  CU_ASSERT_EQUAL(say_as(address, NULL), ERR_UNAVAILABLE);
  /* A certificate of another CA, though the client trusts the server. */
  struct cert_authority *stranger = certs_ca_new("stranger CA");
  certs_issue(stranger, dir, "other", "DNS:client");
  struct cert_paths ours = certs_paths(dir, "client"), theirs = certs_paths(dir, "other");
  struct rpc_channel_options o = {.target = address, .name = "echo-svc"};
  o.tls = (struct rpc_tls){theirs.cert, theirs.key, ours.ca};
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  rpc_channel_free(ch);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 1);
  certs_paths_free(&ours);
  certs_paths_free(&theirs);
  certs_ca_free(stranger);
  rpc_server_stop(server);
  end();
}

static void a_server_of_another_authority_is_refused_by_the_client(void)
{
  begin();
  struct rpc_server *server = serve(NULL);
  certs_issue(ca, dir, "client", "DNS:client");
  struct cert_authority *stranger = certs_ca_new("stranger CA");
  certs_issue(stranger, dir, "other", "DNS:client");
  struct cert_paths ours = certs_paths(dir, "client"), theirs = certs_paths(dir, "other");
  struct rpc_channel_options o = {.target = echo_address(server), .name = "echo-svc"};
  o.tls = (struct rpc_tls){ours.cert, ours.key, theirs.ca};
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  rpc_channel_free(ch);
  CU_ASSERT_EQUAL(atomic_load(&echo.served), 0);
  certs_paths_free(&ours);
  certs_paths_free(&theirs);
  certs_ca_free(stranger);
  rpc_server_stop(server);
  end();
}

/* As `PROGRAM healthcheck` asks: any name will do, but not any authority. */
static void a_program_may_ask_itself_by_an_address_its_certificate_does_not_name(void)
{
  begin();
  certs_issue(ca, dir, "server", "DNS:report-svc");
  struct rpc_server *server = serve(NULL);
  const char *address = echo_address(server);
  struct cert_paths ours = certs_paths(dir, "server");
  struct rpc_channel_options o = {
      .target = address, .name = "echo-svc", .tls = certs_tls(&ours), .any_host = true};
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_OK);
  rpc_channel_free(ch);
  o.any_host = false;
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  rpc_channel_free(ch);
  struct cert_authority *stranger = certs_ca_new("stranger CA");
  certs_issue(stranger, dir, "other", "DNS:report-svc");
  struct cert_paths theirs = certs_paths(dir, "other");
  o.tls = (struct rpc_tls){ours.cert, ours.key, theirs.ca};
  o.any_host = true;
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(echo_say(ch, "Say", "x", NULL, &e), ERR_UNAVAILABLE);
  rpc_channel_free(ch);
  certs_paths_free(&ours);
  certs_paths_free(&theirs);
  certs_ca_free(stranger);
  rpc_server_stop(server);
  end();
}

static void a_server_with_anothers_name_is_refused(void)
{
  begin();
  certs_issue(ca, dir, "server", "DNS:another-host,IP:10.9.8.7");
  struct rpc_server *server = serve(NULL);
  certs_issue(ca, dir, "client", "DNS:client");
  CU_ASSERT_EQUAL(say_as(echo_address(server), "client"), ERR_UNAVAILABLE);
  rpc_server_stop(server);
  end();
}

/* Whether a client that wants this identity takes the server. */
static bool takes(const char *address, const char *identity)
{
  struct cert_paths ours = certs_paths(dir, "client");
  struct rpc_channel_options o = {
      .target = address, .name = "echo-svc", .tls = certs_tls(&ours), .identity = identity};
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  enum err_code code = echo_say(ch, "Say", "x", NULL, &e);
  CU_ASSERT_TRUE(code == ERR_OK || code == ERR_UNAVAILABLE);
  if (code != ERR_OK)
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  rpc_channel_free(ch);
  certs_paths_free(&ours);
  return code == ERR_OK;
}

static void a_server_must_have_the_identity_that_is_asked_for(void)
{
  begin();
  certs_issue(ca, dir, "client", "DNS:gateway");
  certs_issue(ca, dir, "server", "URI:spiffe://amcp.test/ns/a/sa/auth-svc,DNS:auth-svc");
  struct rpc_server *server = serve(NULL);
  const char *address = echo_address(server); /* 127.0.0.1, which it does not name */
  CU_ASSERT_TRUE(takes(address, "auth-svc"));
  CU_ASSERT_TRUE(takes(address, "spiffe://amcp.test/ns/a/sa/auth-svc"));
  CU_ASSERT_FALSE(takes(address, "report-svc"));
  CU_ASSERT_FALSE(takes(address, NULL)); /* the host of the address */
  rpc_server_stop(server);
  end();
}

static void an_identity_is_one_of_the_certificates_names_as_a_whole(void)
{
  begin();
  certs_issue(ca, dir, "server",
              "URI:spiffe://amcp.test/ns/a/sa/auth-svc,DNS:auth-svc,DNS:auth-svc.ns,email:a@b.c");
  struct cert_paths p = certs_paths(dir, "server");
  char pem[8192] = "";
  FILE *f = fopen(p.cert, "r");
  CU_ASSERT_TRUE_FATAL(f != NULL && fread(pem, 1, sizeof(pem) - 1, f) > 0);
  fclose(f);
  static const char *const its[] = {"auth-svc", "AUTH-SVC.ns",
                                    "spiffe://amcp.test/ns/a/sa/auth-svc"};
  static const char *const not_its[] = {"report-svc",
                                        "auth-sv",
                                        "auth-svc.ns.evil",
                                        "server", /* the common name does not count */
                                        "a@b.c",
                                        "",
                                        "spiffe://amcp.test/ns/a/sa/report-svc",
                                        "spiffe://AMCP.test/ns/a/sa/auth-svc",
                                        "spiffe://amcp.test/ns/a/sa/auth-svc/x"};
  for (size_t i = 0; i < ARRAY_LEN(its); i++)
    CU_ASSERT_TRUE(rpc_tls_has_identity(pem, its[i]));
  for (size_t i = 0; i < ARRAY_LEN(not_its); i++)
    CU_ASSERT_FALSE(rpc_tls_has_identity(pem, not_its[i]));
  CU_ASSERT_FALSE(rpc_tls_has_identity(NULL, "auth-svc"));
  CU_ASSERT_FALSE(rpc_tls_has_identity("no certificate", "auth-svc"));
  certs_issue(ca, dir, "server", NULL);
  f = fopen(p.cert, "r");
  memset(pem, 0, sizeof(pem));
  CU_ASSERT_TRUE_FATAL(f != NULL && fread(pem, 1, sizeof(pem) - 1, f) > 0);
  fclose(f);
  CU_ASSERT_FALSE(rpc_tls_has_identity(pem, "server"));
  certs_paths_free(&p);
  end();
}

static void a_certificate_for_clients_serves_nobody(void)
{
  begin();
  certs_issue(ca, dir, "client", "DNS:gateway");
  certs_issue_client(ca, dir, "server", "DNS:nightly-export,DNS:localhost,IP:127.0.0.1");
  struct rpc_server *server = serve(NULL);
  const char *address = echo_address(server);
  CU_ASSERT_FALSE(takes(address, NULL)); /* though it names the host */
  CU_ASSERT_FALSE(takes(address, "nightly-export"));
  certs_issue_client(ca, dir, "client", "DNS:nightly-export");
  rpc_server_stop(server);
  certs_issue(ca, dir, "server", "DNS:auth-svc");
  server = serve(NULL);
  CU_ASSERT_TRUE(takes(echo_address(server), "auth-svc")); /* but it is good for a client */
  rpc_server_stop(server);
  end();
}

static void an_identity_without_tls_is_refused(void)
{
  begin();
  struct rpc_channel_options o = {
      .target = "127.0.0.1:1", .name = "echo-svc", .identity = "auth-svc"};
  struct rpc_channel *ch;
  struct err e = {0};
  CU_ASSERT_EQUAL(rpc_channel_new(&ch, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "GRPC_TLS_CERT"));
  o.identity = "";
  CU_ASSERT_EQUAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  rpc_channel_free(ch);
  end();
}

/* Whether the call succeeds in the end: files are looked at every two seconds. */
static bool soon_says(struct rpc_channel *ch)
{
  struct err e;
  int64_t longest = clock_mono_ms() + 30000;
  while (echo_say(ch, "Say", "x", NULL, &e) != ERR_OK)
    if (clock_mono_ms() > longest)
      return false;
  return true;
}

/* Every file moves to a new CA while server and channel live on. */
static void new_files_are_taken_without_a_restart(void)
{
  begin();
  certs_issue(ca, dir, "client", "DNS:client");
  struct rpc_server *server = serve(NULL);
  char address[64];
  snprintf(address, sizeof(address), "%s", echo_address(server));
  struct rpc_channel *old = connect_as(address, "client");
  struct err e;
  CU_ASSERT_EQUAL(echo_say(old, "Say", "x", NULL, &e), ERR_OK);

  struct cert_authority *next = certs_ca_new("next CA");
  certs_issue(next, dir, "server", "DNS:localhost,IP:127.0.0.1");
  certs_issue(next, dir, "client", "DNS:client");
  /* A new channel knows only the new CA: the server must take its new files. */
  struct rpc_channel *new = connect_as(address, "client");
  CU_ASSERT_TRUE(soon_says(new));
  rpc_channel_free(new);
  /* The old channel connects again to a server that knows only the new CA. */
  rpc_server_stop(server);
  server = serve(address);
  CU_ASSERT_TRUE(soon_says(old));
  rpc_channel_free(old);
  rpc_server_stop(server);
  certs_ca_free(next);
  end();
}

static void files_that_do_not_fit_are_named(void)
{
  begin();
  certs_issue(ca, dir, "client", NULL);
  struct cert_paths server = certs_paths(dir, "server"), client = certs_paths(dir, "client");
  const struct {
    struct rpc_tls tls;
    const char *named;
  } cases[] = {
      {{server.cert, client.key, server.ca}, client.key},
      {{server.cert, client.key, server.ca}, "GRPC_TLS_KEY: "},
      {{server.cert, client.key, server.ca}, "is not the key of the certificate in GRPC_TLS_CERT"},
      {{server.cert, server.cert, server.ca}, "holds no private key in PEM"},
      {{"/nonexistent.crt", server.key, server.ca},
       "GRPC_TLS_CERT: cannot read /nonexistent.crt: No such file or directory"},
      {{server.cert, server.key, "/tmp"}, "GRPC_TLS_CA: cannot read /tmp: Is a directory"},
      {{server.cert, server.key, server.key}, server.key},
      {{server.cert, server.key, server.key}, "holds no certificate in PEM"},
      {{server.cert, NULL, server.ca}, "GRPC_TLS_KEY"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct rpc_server *s;
    struct rpc_channel *ch;
    struct err e = {0};
    struct rpc_server_options so = {.listen = "127.0.0.1:0", .tls = cases[i].tls};
    struct rpc_channel_options co = {.target = "127.0.0.1:1", .tls = cases[i].tls};
    CU_ASSERT_EQUAL(rpc_server_new(&s, &so, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, cases[i].named));
    CU_ASSERT_EQUAL(rpc_channel_new(&ch, &co, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NULL(s);
    CU_ASSERT_PTR_NULL(ch);
  }
  certs_paths_free(&server);
  certs_paths_free(&client);
  end();
}

/* The figure of a file at /metrics; -1 when there is none. */
static double told_end(const char *file)
{
  AUTO_BUF struct buf page = BUF_INIT(1 << 20);
  AUTO_FREE char *series =
      xasprintf("rpc_tls_certificate_expiry_timestamp_seconds{file=\"%s\"} ", file);
  CU_ASSERT_TRUE(metrics_render(&page));
  const char *found = strstr(buf_str(&page), series);
  return found != NULL ? strtod(found + strlen(series), NULL) : -1;
}

static void metrics_tell_when_the_certificate_ends(void)
{
  begin();
  struct cert_paths p = certs_paths(dir, "server");
  const double day = 86400, now = (double)clock_unix_ms() / 1000;
  CU_ASSERT_EQUAL(told_end(p.cert), -1);
  struct rpc_server *server = serve("127.0.0.1:0");
  CU_ASSERT_DOUBLE_EQUAL(told_end(p.cert), now + CERTS_LIFE_DAYS * day, 60);
  certs_issue_for(ca, dir, "server", "DNS:localhost", 3);
  CU_ASSERT_DOUBLE_EQUAL(told_end(p.cert), now + 3 * day, 60);
  unlink(p.cert); /* the library goes on with what it had */
  CU_ASSERT_DOUBLE_EQUAL(told_end(p.cert), now + 3 * day, 60);
  certs_paths_free(&p);
  rpc_server_stop(server);
  end();
}

/* The first of them: no more than four files are reported in a process. */
TEST_MAIN_SIDE_BY_SIDE("rpc TLS", TEST(metrics_tell_when_the_certificate_ends),
                       TEST(the_callers_identity_comes_from_its_certificate),
                       TEST(strangers_are_refused_by_the_server),
                       TEST(a_server_of_another_authority_is_refused_by_the_client),
                       TEST(a_program_may_ask_itself_by_an_address_its_certificate_does_not_name),
                       TEST(a_server_must_have_the_identity_that_is_asked_for),
                       TEST(an_identity_is_one_of_the_certificates_names_as_a_whole),
                       TEST(a_certificate_for_clients_serves_nobody),
                       TEST(an_identity_without_tls_is_refused),
                       TEST(a_server_with_anothers_name_is_refused),
                       TEST(new_files_are_taken_without_a_restart),
                       TEST(files_that_do_not_fit_are_named))
