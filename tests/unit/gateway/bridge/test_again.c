/* An answer that comes again is what it was the first time, whoever asks. */
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/gateway/running.h"
#include "tests/unit/harness.h"

#define HEADERS                                                                                    \
  "Content-Type: application/json\r\nAccept: application/json\r\nAuthorization: Bearer good-"

static struct running gateway;

/* The text of what list_dealers answers to a person. */
static char *ask(const char *person, const char *arguments)
{
  AUTO_FREE char *headers = xasprintf(HEADERS "%s\r\n", person);
  struct raw_answer a =
      raw_request(gateway.port, "POST", "/mcp/tools/list_dealers", headers, arguments);
  CU_ASSERT_EQUAL(a.status, 200);
  char *text = xstrdup(buf_str(&a.body));
  raw_answer_free(&a);
  return text;
}

static void an_answer_comes_again_for_everybody_and_others_stay_apart(void)
{
  static const char *const persons[] = {"alice", "alice", "bob", "alice"};
  running_start(&gateway, LOG_LEVEL_OFF, NULL);
  AUTO_FREE char *first = ask("alice", "{\"query\":\"ford\"}");
  CU_ASSERT_PTR_NOT_NULL(strstr(first, "Ford of"));
  for (size_t i = 0; i < ARRAY_LEN(persons); i++) {
    AUTO_FREE char *again = ask(persons[i], "{\"query\":\"ford\"}");
    CU_ASSERT_STRING_EQUAL(again, first);
    /* Its one dealer is named by the call's own trace. */
    AUTO_FREE char *other = ask(persons[i], "{\"query\":\"trace\"}");
    CU_ASSERT_STRING_NOT_EQUAL(other, first);
  }
  running_stop(&gateway);
}

TEST_MAIN("gateway/bridge/again", TEST(an_answer_comes_again_for_everybody_and_others_stay_apart))
