/* Settings from the environment. */
#include "common/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

static const char *text;
static int64_t number;
static bool flag;
static const char *address;

static const struct config_var VARS[] = {
    {.name = "T_TEXT", .type = CONFIG_STRING, .out = &text, .fallback = "x", .help = "A text"},
    {.name = "T_NUMBER",
     .type = CONFIG_INT,
     .out = &number,
     .fallback = "7",
     .min = 1,
     .max = 10,
     .help = "A number"},
    {.name = "T_FLAG", .type = CONFIG_BOOL, .out = &flag, .fallback = "true", .help = "A switch"},
    {.name = "T_ADDR",
     .type = CONFIG_HOSTPORT,
     .out = &address,
     .fallback = "[::1]:80",
     .help = "Where"},
    {.name = "T_SECRET",
     .type = CONFIG_INT,
     .out = &number,
     .min = 1,
     .max = 10,
     .secret = true,
     .help = "A secret"},
};

static void clear(void)
{
  for (size_t i = 0; i < sizeof(VARS) / sizeof(VARS[0]); i++)
    unsetenv(VARS[i].name);
}

static enum err_code load(struct err *e)
{
  return config_load(VARS, sizeof(VARS) / sizeof(VARS[0]), e);
}

static void unset_and_empty_variables_take_their_defaults(void)
{
  clear();
  setenv("T_NUMBER", "", 1);
  CU_ASSERT_EQUAL(load(NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(text, "x");
  CU_ASSERT_EQUAL(number, 7);
  CU_ASSERT_TRUE(flag);
  CU_ASSERT_STRING_EQUAL(address, "[::1]:80");
}

static void malformed_values_are_named_with_what_is_expected(void)
{
  static const char *const bad[][2] = {
      {"T_NUMBER", "11"},
      {"T_NUMBER", "0"},
      {"T_NUMBER", "7x"},
      {"T_NUMBER", " 7"},
      {"T_NUMBER", "99999999999999999999"},
      {"T_FLAG", "maybe"},
      {"T_ADDR", "host"},
      {"T_ADDR", "h:x"},
      {"T_ADDR", "h:70000"},
      {"T_ADDR", "::1:80"},
      {"T_ADDR", "a b:80"},
  };
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    clear();
    setenv(bad[i][0], bad[i][1], 1);
    struct err e = {0};
    CU_ASSERT_EQUAL(load(&e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, bad[i][0]));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "expected"));
  }
}

static void a_secret_value_is_not_printed(void)
{
  clear();
  setenv("T_SECRET", "hunter2", 1);
  struct err e = {0};
  CU_ASSERT_EQUAL(load(&e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NULL(strstr(e.message, "hunter2"));
}

static void host_and_port_are_split(void)
{
  char host[64];
  uint16_t port;
  CU_ASSERT_TRUE(config_split_hostport("[::1]:50051", host, sizeof(host), &port));
  CU_ASSERT_STRING_EQUAL(host, "::1");
  CU_ASSERT_EQUAL(port, 50051);
  CU_ASSERT_TRUE(config_split_hostport(":80", host, sizeof(host), &port));
  CU_ASSERT_STRING_EQUAL(host, "");
  CU_ASSERT_FALSE(config_split_hostport("[::1:80", host, sizeof(host), &port));
}

static void loopback_is_recognised(void)
{
  CU_ASSERT_TRUE(config_host_is_loopback("127.0.0.1"));
  CU_ASSERT_TRUE(config_host_is_loopback("127.8.9.1"));
  CU_ASSERT_TRUE(config_host_is_loopback("::1"));
  CU_ASSERT_TRUE(config_host_is_loopback("localhost"));
  CU_ASSERT_FALSE(config_host_is_loopback("0.0.0.0"));
  CU_ASSERT_FALSE(config_host_is_loopback(""));
  CU_ASSERT_FALSE(config_host_is_loopback("127.0.0.1.example.com"));
}

static void a_wiped_variable_leaves_nothing_where_it_stood(void)
{
  setenv("T_SECRET", "hush", 1);
  const char *place = config_text("T_SECRET");
  CU_ASSERT_STRING_EQUAL(place, "hush");
  config_wipe("T_SECRET");
  CU_ASSERT_EQUAL(memcmp(place, "\0\0\0\0", 4), 0);
  CU_ASSERT_PTR_NULL(config_text("T_SECRET"));
  setenv("T_SECRET", "", 1);
  CU_ASSERT_PTR_NULL(config_text("T_SECRET"));
  config_wipe("T_SECRET");
  config_wipe("T_SECRET"); /* that is not there */
}

TEST_MAIN("base/config", TEST(unset_and_empty_variables_take_their_defaults),
          TEST(malformed_values_are_named_with_what_is_expected),
          TEST(a_secret_value_is_not_printed), TEST(host_and_port_are_split),
          TEST(loopback_is_recognised), TEST(a_wiped_variable_leaves_nothing_where_it_stood))
