/* Questions in a session: an event of the call's stream, and an answer that is posted by itself. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define CALL(arguments)                                                                            \
  "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","         \
  "\"arguments\":{" arguments "}}}"
#define FORMS "{\"elicitation\":{}}"

static struct fixture f;
static atomic_int runs, cancels;
static _Thread_local char seen[128]; /* the arguments of the last run */

static void on_cancel(void *arg)
{
  (void)arg;
  cancels++;
}

/* Asks which dealer, then which year; says both. Changes its arguments, as a host may. */
static void choose(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  static const struct mcp_choice dealers[] = {{"d01", "Ford of Reno"}, {"d02", "Ford"}};
  static const struct mcp_question questions[] = {
      {.key = "dealer", .message = "Which dealer?", .choices = dealers, .n = 2},
      {.key = "year", .message = "Which year?", .choices = dealers, .n = 2}};
  const char *dealer, *year;
  runs++;
  AUTO_FREE char *arguments = cJSON_PrintUnformatted(mcp_call_arguments(call));
  snprintf(seen, sizeof(seen), "%s", arguments);
  cJSON_AddStringToObject(mcp_call_arguments(call), "changed", "by the host");
  mcp_call_on_cancel(call, on_cancel, NULL);
  enum mcp_answer first = mcp_call_answer(call, "dealer", &dealer);
  enum mcp_answer second = mcp_call_answer(call, "year", &year);
  bool open = first == MCP_NO_ANSWER || (first == MCP_ANSWERED && second == MCP_NO_ANSWER);
  if (open && mcp_call_may_ask(call)) {
    mcp_call_ask(call, questions, 2);
  } else {
    AUTO_FREE char *text =
        xasprintf("%s %s", dealer != NULL ? dealer : "none", year != NULL ? year : "none");
    mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
  }
  mcp_call_unref(call);
}

static void asking(struct mcp_server_options *o)
{
  o->tools.call = choose;
  o->asks_in_sessions = true;
  runs = cancels = 0;
}

static void begin(const char *version, const char *can)
{
  fixture_start(&f, asking);
  fixture_initialize_as(&f, version, can);
}

static bool says(const char *text, const char *part)
{
  if (text == NULL || strstr(text, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", text != NULL ? text : "nothing", part);
  return text != NULL && strstr(text, part) != NULL;
}

static const char *last(const struct answer *a)
{
  return a->n_events > 0 ? a->events[a->n_events - 1] : NULL;
}

/* Posts the answer to the last question of a stream; the status. */
static int reply(const struct answer *asked, const char *result)
{
  AUTO_JSON cJSON *question = answer_json(asked);
  const char *id = json_get_string(question, "id");
  CU_ASSERT_PTR_NOT_NULL_FATAL(id);
  AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":\"%s\",%s}", id, result);
  struct answer *a = post(&f, body);
  int status = a->status;
  CU_ASSERT_STRING_EQUAL(a->body != NULL ? a->body : "", "");
  answer_free(a);
  return status;
}

#define ACCEPT(key, value)                                                                         \
  "\"result\":{\"action\":\"accept\",\"content\":{\"" key "\":\"" value "\"}}"

static void the_answer_runs_the_call_again_as_it_came(void)
{
  begin("2025-11-25", FORMS);
  struct answer *a = post(&f, CALL("\"q\":\"ford\""));
  CU_ASSERT_TRUE(a->stream && !a->ended);
  CU_ASSERT_TRUE(says(last(a), "\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\","
                               "\"message\":\"Which dealer?\",\"requestedSchema\":{"));
  CU_ASSERT_TRUE(says(last(a), "\"oneOf\":[{\"const\":\"d01\",\"title\":\"Ford of Reno\"}"));
  CU_ASSERT_EQUAL(reply(a, ACCEPT("dealer", "d02")), 202);
  CU_ASSERT_TRUE(says(last(a), "Which year?"));
  CU_ASSERT_EQUAL(reply(a, ACCEPT("year", "2026")), 202);
  CU_ASSERT_TRUE(says(last(a), "\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":"
                               "\"d02 2026\"}]"));
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_EQUAL(a->releases, 1);
  CU_ASSERT_EQUAL(a->n_events, 3);
  CU_ASSERT_EQUAL(runs, 3);
  CU_ASSERT_STRING_EQUAL(seen, "{\"q\":\"ford\"}");
  answer_free(a);
  fixture_stop(&f);
}

static void older_forms_name_their_choices_beside(void)
{
  begin("2025-06-18", FORMS);
  struct answer *a = post(&f, CALL(""));
  CU_ASSERT_TRUE(says(last(a), "\"params\":{\"message\":\"Which dealer?\""));
  CU_ASSERT_TRUE(
      says(last(a), "\"enum\":[\"d01\",\"d02\"],\"enumNames\":[\"Ford of Reno\",\"Ford\"]"));
  reply(a, ACCEPT("dealer", "d01"));
  reply(a, ACCEPT("year", "1"));
  answer_free(a);
  fixture_stop(&f);
}

static void whoever_declines_or_fails_has_answered(void)
{
  static const char *const answers[] = {"\"result\":{\"action\":\"decline\"}",
                                        "\"result\":{\"action\":\"cancel\"}",
                                        "\"error\":{\"code\":-1,\"message\":\"no\"}"};
  begin("2025-11-25", FORMS);
  for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
    struct answer *a = post(&f, CALL(""));
    CU_ASSERT_EQUAL(reply(a, answers[i]), 202);
    CU_ASSERT_TRUE(says(last(a), "\"text\":\"none none\""));
    answer_free(a);
  }
  fixture_stop(&f);
}

static void an_answer_counts_once_and_from_its_session_alone(void)
{
  begin("2025-11-25", FORMS);
  char mine[128];
  snprintf(mine, sizeof(mine), "%s", f.session);
  struct answer *a = post(&f, CALL(""));
  fixture_initialize_as(&f, "2025-11-25", FORMS);
  CU_ASSERT_EQUAL(reply(a, ACCEPT("dealer", "d01")), 202); /* another session of the same caller */
  f.session[0] = '\0';
  CU_ASSERT_EQUAL(reply(a, ACCEPT("dealer", "d01")), 202); /* none */
  CU_ASSERT_EQUAL(runs, 1);
  snprintf(f.session, sizeof(f.session), "%s", mine);
  AUTO_JSON cJSON *question = answer_json(a);
  AUTO_FREE char *again =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":\"%s\"," ACCEPT("dealer", "d02") "}",
                json_get_string(question, "id"));
  for (int i = 0; i < 2; i++)
    answer_free(post(&f, again));
  CU_ASSERT_EQUAL(runs, 2);
  answer_free(post(&f, "{\"jsonrpc\":\"2.0\",\"id\":\"\",\"result\":{}}"));
  answer_free(post(&f, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}"));
  CU_ASSERT_EQUAL(runs, 2);
  reply(a, ACCEPT("year", "1"));
  CU_ASSERT_TRUE(says(last(a), "d02 1"));
  answer_free(a);
  fixture_stop(&f);
}

static void without_an_answer_in_time_the_call_goes_on_without(void)
{
  begin("2025-11-25", FORMS);
  struct answer *a = post(&f, CALL(""));
  fixture_now += 49999;
  mcp_server_tick(f.server);
  CU_ASSERT_FALSE(a->ended);
  fixture_now += 1;
  mcp_server_tick(f.server);
  CU_ASSERT_TRUE(says(last(a), "\"text\":\"none none\""));
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_EQUAL(runs, 2);
  answer_free(a);
  fixture_stop(&f);
}

static void a_call_that_waits_ends_like_any_other(void)
{
  static const char cancel[] = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                               "\"params\":{\"requestId\":7}}";
  const struct mcp_principal alice = {.id = "alice"};
  for (int way = 0; way < 4; way++) {
    begin("2025-11-25", FORMS);
    struct answer *a = post(&f, CALL(""));
    int events = a->n_events;
    if (way == 0)
      answer_free(post(&f, cancel));
    else if (way == 1)
      mcp_exchange_gone(a->exchange);
    else if (way == 2)
      mcp_server_delete(f.server, &(struct mcp_headers){.session_id = f.session}, &alice);
    else
      mcp_server_restarting(f.server);
    CU_ASSERT_EQUAL(a->releases, 1);
    CU_ASSERT_EQUAL(a->n_events, way == 3 ? events + 1 : events);
    CU_ASSERT_EQUAL(cancels, 0); /* the host's work was over when it asked */
    CU_ASSERT_EQUAL(runs, 1);
    CU_ASSERT_FALSE(a->written_after_release);
    answer_free(a);
    fixture_stop(&f);
  }
}

static void who_cannot_be_asked_is_not(void)
{
  static const struct {
    const char *version, *can;
    bool sse;
  } rows[] = {{"2025-11-25", "{}", true},
              {"2025-11-25", "{\"elicitation\":{\"url\":{}}}", true},
              {"2025-03-26", FORMS, true},
              {"2025-11-25", FORMS, false}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    begin(rows[i].version, rows[i].can);
    struct mcp_headers h = {.session_id = f.session};
    struct answer *a = post_as(&f, CALL(""), &h, "alice", true, rows[i].sse);
    CU_ASSERT_TRUE(says(a->body, "\"text\":\"none none\""));
    answer_free(a);
    fixture_stop(&f);
  }
  begin("2025-03-26", FORMS);
  struct answer *a = post(&f, "[" CALL("") "]");
  CU_ASSERT_TRUE(says(a->body, "\"text\":\"none none\""));
  answer_free(a);
  fixture_stop(&f);
}

/* Ways for a wait to end, at once. */
enum { WAYS = 4, ROUNDS = 100 };
struct way {
  int number;
  const struct answer *asked;
  char answer[256];
  pthread_barrier_t *start;
};

static void *take_way(void *arg)
{
  struct way *w = arg;
  pthread_barrier_wait(w->start);
  if (w->number == 0)
    answer_free(post(&f, w->answer));
  else if (w->number == 1)
    answer_free(post(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                         "\"params\":{\"requestId\":7}}"));
  else if (w->number == 2)
    mcp_exchange_gone(w->asked->exchange);
  else
    mcp_server_tick(f.server);
  return NULL;
}

static void every_end_of_a_wait_may_come_at_once(void)
{
  begin("2025-11-25", FORMS);
  for (int round = 0; round < ROUNDS; round++) {
    pthread_t threads[WAYS];
    struct way ways[WAYS];
    pthread_barrier_t start;
    struct answer *a = post(&f, CALL(""));
    fixture_now += 50000; /* the clock's turn has come, too */
    pthread_barrier_init(&start, NULL, WAYS);
    AUTO_JSON cJSON *question = answer_json(a);
    for (int i = 0; i < WAYS; i++) {
      ways[i] = (struct way){.number = i, .asked = a, .start = &start};
      snprintf(ways[i].answer, sizeof(ways[i].answer), "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",%s}",
               json_get_string(question, "id"), ACCEPT("dealer", "d01"));
      pthread_create(&threads[i], NULL, take_way, &ways[i]);
    }
    for (int i = 0; i < WAYS; i++)
      pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&start);
    mcp_exchange_gone(a->exchange);
    CU_ASSERT_EQUAL(a->releases, 1);
    CU_ASSERT_FALSE(a->written_after_release);
    answer_free(a);
  }
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_stop(&f);
}

TEST_MAIN("mcp_elicit", TEST(the_answer_runs_the_call_again_as_it_came),
          TEST(older_forms_name_their_choices_beside), TEST(whoever_declines_or_fails_has_answered),
          TEST(an_answer_counts_once_and_from_its_session_alone),
          TEST(without_an_answer_in_time_the_call_goes_on_without),
          TEST(a_call_that_waits_ends_like_any_other), TEST(who_cannot_be_asked_is_not),
          TEST(every_end_of_a_wait_may_come_at_once))
