/* Whose word about a client's address is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "gateway/http/proxies.h"
#include "tests/unit/harness.h"

static struct proxies *proxies_of(const char *networks, const char *header)
{
  struct proxies *p = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(proxies_new(&p, networks, header, &e), ERR_OK);
  return p;
}

struct row {
  const char *peer, *value, *client;
};

static void expect_rows(const char *networks, const char *header, const struct row *rows, size_t n)
{
  struct proxies *p = proxies_of(networks, header);
  char got[ADDRESS_TEXT];
  for (size_t i = 0; i < n; i++) {
    proxies_client(p, got, rows[i].peer, rows[i].value);
    CU_ASSERT_STRING_EQUAL(got, rows[i].client);
    if (strcmp(got, rows[i].client) != 0)
      fprintf(stderr, "%s, \"%s\": got %s, wanted %s\n", rows[i].peer,
              rows[i].value != NULL ? rows[i].value : "(none)", got, rows[i].client);
  }
  proxies_free(p);
}

static void nobody_is_believed_by_default(void)
{
  static const struct row rows[] = {
      {"10.0.0.9", "192.0.2.1", "10.0.0.9"},
      {"127.0.0.1", "192.0.2.1", "127.0.0.1"},
      {"::1", "192.0.2.1", "::1"},
      {"10.0.0.9", NULL, "10.0.0.9"},
      {"::ffff:10.0.0.9", "192.0.2.1", "10.0.0.9"},
  };
  expect_rows(NULL, NULL, rows, ARRAY_LEN(rows));
  expect_rows("", "", rows, ARRAY_LEN(rows));
}

static void the_right_most_hop_that_is_not_a_proxy_is_the_client(void)
{
  static const struct row rows[] = {
      {"10.0.0.9", "192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "192.0.2.1, 10.1.2.3", "192.0.2.1"},
      {"10.0.0.9", "6.6.6.6, 192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "6.6.6.6,192.0.2.1 ,10.1.2.3,\t10.1.2.4", "192.0.2.1"},
      {"10.0.0.9", "10.1.2.3, 6.6.6.6, 10.1.2.4", "6.6.6.6"},
      {"10.0.0.9", "10.1.2.3, 10.1.2.4", "10.1.2.3"},
      {"10.0.0.9", "192.0.2.1:44321", "192.0.2.1"},
      {"10.0.0.9", "192.0.2.1,", "192.0.2.1"},
      {"10.0.0.9", NULL, "10.0.0.9"},
      {"10.0.0.9", "", "10.0.0.9"},
      {"10.0.0.9", " , ,", "10.0.0.9"},
      {"11.0.0.9", "192.0.2.1", "11.0.0.9"},
      {"::ffff:10.0.0.9", "::ffff:192.0.2.1", "192.0.2.1"},
  };
  expect_rows("10.0.0.0/8", NULL, rows, ARRAY_LEN(rows));
}

static void addresses_of_ipv6_are_read_in_every_form(void)
{
  static const struct row rows[] = {
      {"fd00::1", "2001:db8::7", "2001:db8::7"},
      {"fd00::1", "[2001:db8::7]", "2001:db8::7"},
      {"fd00::1", "[2001:db8::7]:443", "2001:db8::7"},
      {"fd00::1", "2001:DB8:0:0::0007, fd00::2", "2001:db8::7"},
      {"fd00::1", "[192.0.2.1]", "fd00::1"},
      {"fd00::1", "[2001:db8::7", "fd00::1"},
      {"fd00::1", "[2001:db8::7]x", "fd00::1"},
      {"fd00::1", "[2001:db8::7]:", "fd00::1"},
      {"fd00::1", "fe80::1%eth0", "fd00::1"},
      {"fe00::1", "2001:db8::7", "fe00::1"},
      {"2001:db8:0:ff::1", "192.0.2.1", "192.0.2.1"},
      {"2001:db8:0:100::1", "192.0.2.1", "2001:db8:0:100::1"},
      {"192.168.7.7", "2001:db8::7", "2001:db8::7"},
      {"192.168.7.8", "2001:db8::7", "192.168.7.8"},
  };
  expect_rows("fd00::/8, 192.168.7.7 ,2001:db8::/56", NULL, rows, ARRAY_LEN(rows));
}

static void what_is_left_of_a_hop_that_is_no_address_counts_nothing(void)
{
  static const struct row rows[] = {
      {"10.0.0.9", "unknown", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1, unknown", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1, _hidden, 10.0.0.8", "10.0.0.8"},
      {"10.0.0.9", "192.0.2.1, x, 198.51.100.2, 10.0.0.8", "198.51.100.2"},
      {"10.0.0.9", "192.0.2.300", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1.5", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1:", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1/24", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1 6.6.6.6", "10.0.0.9"},
      {"10.0.0.9", "\"192.0.2.1\"", "10.0.0.9"},
      {"10.0.0.9", "for=192.0.2.1", "10.0.0.9"},
  };
  expect_rows("10.0.0.0/8", "x-forwarded-for", rows, ARRAY_LEN(rows));
}

static void forwarded_is_read_as_rfc_7239_has_it(void)
{
  static const struct row rows[] = {
      {"10.0.0.9", "for=192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "For=192.0.2.1;proto=https;by=10.0.0.9", "192.0.2.1"},
      {"10.0.0.9", "proto=http; for=\"192.0.2.1:4711\"", "192.0.2.1"},
      {"10.0.0.9", "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"},
      {"10.0.0.9", "for=\"[2001:db8::7]:_port\", for=10.0.0.8", "2001:db8::7"},
      {"10.0.0.9", "for=6.6.6.6, for=192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "for=unknown", "10.0.0.9"},
      {"10.0.0.9", "for=_gazonk, for=10.0.0.8", "10.0.0.8"},
      {"10.0.0.9", "proto=https", "10.0.0.9"},
      {"10.0.0.9", "192.0.2.1", "10.0.0.9"},
      {"10.0.0.9", "for=", "10.0.0.9"},
      {"10.0.0.9", "for=192.0.2.1;for=6.6.6.6", "10.0.0.9"},
      {"11.0.0.9", "for=192.0.2.1", "11.0.0.9"},
  };
  expect_rows("10.0.0.0/8", "Forwarded", rows, ARRAY_LEN(rows));
}

/* A stranger's own text, before and inside of what the proxy writes. */
static void quotes_that_do_not_close_hide_and_make_nothing(void)
{
  static const struct row rows[] = {
      {"10.0.0.9", "for=\", for=192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "for=\"6.6.6.6, for=192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "host=\"x;for=6.6.6.6\";for=192.0.2.1", "192.0.2.1"},
      {"10.0.0.9", "for=192.0.2.1;host=\"x, for=6.6.6.6;y=\"", "10.0.0.9"},
      {"10.0.0.9", "for=192.0.2.1;host=\"x\\\", for=6.6.6.6;y=\\\"\"", "10.0.0.9"},
  };
  expect_rows("10.0.0.0/8", "Forwarded", rows, ARRAY_LEN(rows));
}

/* Against a computation from the right end. */
static void random_chains_agree_with_a_walk_from_the_right(void)
{
  static const char *const hops[] = {"10.0.0.1", "10.9.9.9", "192.0.2.1", "2001:db8::1", "unknown"};
  enum { PROXIES = 2, UNKNOWN = 4, LONGEST = 6, ROUNDS = 20000 };
  struct proxies *p = proxies_of("10.0.0.0/8", NULL);
  unsigned seed = 7;
  for (int round = 0; round < ROUNDS; round++) {
    unsigned chain[LONGEST], n = (unsigned)rand_r(&seed) % (LONGEST + 1);
    struct buf value AUTO_BUF = BUF_INIT(256);
    for (unsigned i = 0; i < n; i++) {
      chain[i] = (unsigned)rand_r(&seed) % ARRAY_LEN(hops);
      buf_printf(&value, "%s%s", i > 0 ? ", " : "", hops[chain[i]]);
    }
    const char *wanted = "10.0.0.9";
    for (unsigned i = n; i-- > 0 && chain[i] != UNKNOWN;) {
      wanted = hops[chain[i]];
      if (chain[i] >= PROXIES)
        break;
    }
    char got[ADDRESS_TEXT];
    proxies_client(p, got, "10.0.0.9", buf_str(&value));
    CU_ASSERT_STRING_EQUAL_FATAL(got, wanted);
  }
  proxies_free(p);
}

static void settings_that_cannot_be_meant_are_refused(void)
{
  static const char *const networks[] = {"10.0.0.0/33",
                                         "10.0.0.1/8",
                                         "10.0.0.0/",
                                         "10.0.0.0/x",
                                         "10.0.0/8",
                                         "ingress",
                                         "fd00::/129",
                                         "fd00::1/8",
                                         "0.0.0.0/0",
                                         "::/0",
                                         "10.0.0.0/8;10.1.0.0/16",
                                         "10.0.0.0/-1",
                                         "10.0.0.0/8/8"};
  struct proxies *p = NULL;
  for (size_t i = 0; i < ARRAY_LEN(networks); i++) {
    struct err e = {0};
    CU_ASSERT_EQUAL(proxies_new(&p, networks[i], NULL, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ANALYTICS_MCP_TRUSTED_PROXIES"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, networks[i]));
  }
  struct err e = {0};
  CU_ASSERT_EQUAL(proxies_new(&p, NULL, "X-Real-IP", &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ANALYTICS_MCP_FORWARDED_HEADER"));
  struct buf many AUTO_BUF = BUF_INIT(4096);
  for (int i = 0; i < 65; i++)
    buf_printf(&many, "10.0.0.%d,", i);
  CU_ASSERT_EQUAL(proxies_new(&p, buf_str(&many), NULL, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NULL(p);
}

static void a_stranger_has_one_network_of_ipv6(void)
{
  static const char *const rows[][2] = {{"192.0.2.1", "192.0.2.1"},
                                        {"::ffff:192.0.2.1", "192.0.2.1"},
                                        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
                                        {"2001:db8:1:2::", "2001:db8:1:2::/64"},
                                        {"somewhere", "somewhere"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    char got[ADDRESS_NETWORK];
    address_network(got, rows[i][0]);
    CU_ASSERT_STRING_EQUAL(got, rows[i][1]);
  }
}

TEST_MAIN("gateway_proxies", TEST(nobody_is_believed_by_default),
          TEST(the_right_most_hop_that_is_not_a_proxy_is_the_client),
          TEST(addresses_of_ipv6_are_read_in_every_form),
          TEST(what_is_left_of_a_hop_that_is_no_address_counts_nothing),
          TEST(forwarded_is_read_as_rfc_7239_has_it),
          TEST(quotes_that_do_not_close_hide_and_make_nothing),
          TEST(random_chains_agree_with_a_walk_from_the_right),
          TEST(settings_that_cannot_be_meant_are_refused), TEST(a_stranger_has_one_network_of_ipv6))
