/* Streams of notifications: subscriptions/listen and the GET stream of a session. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define ID "io.modelcontextprotocol/subscriptionId"
#define LISTEN(id, notifications)                                                                  \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"subscriptions/listen\",\"params\":{"            \
  "\"notifications\":" notifications ",\"_meta\":{"                                                \
  "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                    \
  "\"io.modelcontextprotocol/clientCapabilities\":{}}}}"
#define ALL "{\"toolsListChanged\":true,\"promptsListChanged\":true,\"resourcesListChanged\":true}"

static struct fixture f;

static void changing(struct mcp_server_options *o)
{
  fixture_offer(o);
  o->tools.lists_change = true;
  o->max_streams = 4;
  o->max_streams_each = 2;
}

static void start(void)
{
  fixture_start(&f, changing);
}

static struct answer *ask(const char *body, const char *principal, bool sse)
{
  struct mcp_headers h = {.protocol_version = "2026-07-28", .method = "subscriptions/listen"};
  return post_as(&f, body, &h, principal, true, sse);
}

static void notify_all(const char *principal)
{
  struct mcp_principal *p;
  fixture_now += 60000;
  while ((p = mcp_server_unchecked_stream(f.server)) != NULL) {
    if (strcmp(p->id, principal) == 0)
      mcp_server_changed(f.server, p, MCP_TOOLS_CHANGED | MCP_RESOURCES_CHANGED);
    p->unref(p);
  }
}

static void gone(struct answer *a)
{
  mcp_exchange_gone(a->exchange);
  answer_free(a);
}

static void the_first_event_acknowledges_what_is_served(void)
{
  start();
  struct answer *a = ask(
      LISTEN(
          "7",
          "{\"toolsListChanged\":true,\"promptsListChanged\":false,\"resourcesListChanged\":null,"
          "\"resourceSubscriptions\":[\"test://echo\"],\"taskIds\":[]}"),
      "alice", true);
  CU_ASSERT_TRUE(a->stream);
  CU_ASSERT_EQUAL_FATAL(a->n_events, 1);
  CU_ASSERT_STRING_EQUAL(a->events[0],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/"
                         "acknowledged\",\"params\":{\"_meta\":{\"" ID
                         "\":7},\"notifications\":{\"toolsListChanged\":true}}}");
  CU_ASSERT_FALSE(a->ended);
  gone(a);
  fixture_stop(&f);
}

static void only_what_was_asked_for_is_sent_and_names_its_subscription(void)
{
  start();
  struct answer *tools = ask(LISTEN("\"s\"", "{\"toolsListChanged\":true}"), "alice", true);
  struct answer *all = ask(LISTEN("8", ALL), "alice", true);
  struct answer *other = ask(LISTEN("9", ALL), "bob", true);
  notify_all("alice");
  CU_ASSERT_EQUAL_FATAL(tools->n_events, 2);
  CU_ASSERT_STRING_EQUAL(tools->events[1],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\","
                         "\"params\":{\"_meta\":{\"" ID "\":\"s\"}}}");
  CU_ASSERT_EQUAL_FATAL(all->n_events, 3); /* no change of prompts came */
  CU_ASSERT_PTR_NOT_NULL(strstr(all->events[2], "notifications/resources/list_changed"));
  CU_ASSERT_PTR_NOT_NULL(strstr(all->events[2], "\"" ID "\":8"));
  CU_ASSERT_EQUAL(other->n_events, 1);
  gone(tools);
  gone(all);
  gone(other);
  fixture_stop(&f);
}

static void the_end_of_the_program_ends_streams_with_a_result(void)
{
  start();
  struct answer *a = ask(LISTEN("7", ALL), "alice", true);
  mcp_server_end_streams(f.server, NULL);
  CU_ASSERT_EQUAL_FATAL(a->n_events, 2);
  CU_ASSERT_STRING_EQUAL(a->events[1],
                         "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"resultType\":\"complete\","
                         "\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"test\","
                         "\"title\":\"Test\",\"version\":\"1.0\"},\"" ID "\":7}}}");
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_EQUAL(a->releases, 1);
  struct answer *late = ask(LISTEN("8", ALL), "alice", true);
  CU_ASSERT_EQUAL(answer_code(late), -32603);
  answer_free(a);
  answer_free(late);
  fixture_stop(&f);
}

static void a_subscription_to_nothing_ends_at_once(void)
{
  start();
  struct answer *a = ask(LISTEN("7", "{}"), "alice", true);
  CU_ASSERT_EQUAL_FATAL(a->n_events, 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->events[0], "\"notifications\":{}"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->events[1], "\"result\":{"));
  CU_ASSERT_TRUE(a->ended);
  answer_free(a);
  fixture_stop(&f);
}

static void null_wishes_are_as_absent(void)
{
  start();
  struct answer *a = ask(LISTEN("7", "{\"toolsListChanged\":null,\"promptsListChanged\":true,"
                                     "\"resourceSubscriptions\":null}"),
                         "alice", true);
  CU_ASSERT_EQUAL_FATAL(a->n_events, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->events[0], "\"notifications\":{\"promptsListChanged\":true}}}"));
  gone(a);
  fixture_stop(&f);
}

static void malformed_subscriptions_are_invalid_params(void)
{
  static const char *const bodies[] = {LISTEN("1", "7"), LISTEN("1", "null"),
                                       LISTEN("1", "{\"toolsListChanged\":\"yes\"}")};
  start();
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    struct answer *a = ask(bodies[i], "alice", true);
    CU_ASSERT_EQUAL(answer_code(a), -32602);
    answer_free(a);
  }
  struct answer *a = ask(LISTEN("1", ALL), "alice", false);
  CU_ASSERT_EQUAL(answer_code(a), -32602);
  CU_ASSERT_FALSE(a->stream);
  answer_free(a);
  fixture_stop(&f);
}

static void streams_are_bounded_for_each_principal_and_in_all(void)
{
  static const char *const who[] = {"alice", "alice", "bob", "bob"};
  struct answer *open[ARRAY_LEN(who)];
  start();
  for (size_t i = 0; i < ARRAY_LEN(who); i++) {
    open[i] = ask(LISTEN("1", ALL), who[i], true);
    CU_ASSERT_TRUE(open[i]->stream);
    if (i == 1) {
      struct answer *third = ask(LISTEN("1", ALL), "alice", true);
      CU_ASSERT_EQUAL(answer_code(third), -32603);
      answer_free(third);
    }
  }
  struct answer *fifth = ask(LISTEN("1", ALL), "carol", true);
  CU_ASSERT_EQUAL(answer_code(fifth), -32603);
  answer_free(fifth);
  gone(open[0]);
  fifth = ask(LISTEN("1", ALL), "carol", true);
  CU_ASSERT_TRUE(fifth->stream);
  gone(fifth);
  for (size_t i = 1; i < ARRAY_LEN(who); i++)
    gone(open[i]);
  fixture_stop(&f);
}

static void without_changing_lists_there_is_nothing_to_listen_to(void)
{
  fixture_start(&f, fixture_offer);
  struct answer *a = ask(LISTEN("1", ALL), "alice", true);
  CU_ASSERT_EQUAL(a->status, 404);
  CU_ASSERT_EQUAL(answer_code(a), -32601);
  answer_free(a);
  fixture_initialize(&f, "2025-11-25");
  struct answer *get = xcalloc(1, sizeof(*get));
  CU_ASSERT_EQUAL(get_as(&f, get, f.session, "alice"), 405);
  answer_free(get);
  fixture_stop(&f);
}

static void listChanged_is_declared_where_it_is_served(void)
{
  start();
  struct answer *a = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                              "\"protocolVersion\":\"2025-11-25\"}}");
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"tools\":{\"listChanged\":true}"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"prompts\":{\"listChanged\":true}"));
  answer_free(a);
  fixture_stop(&f);
}

/* -------------------------------------------------------------------- GET */

static struct answer *get(const char *session, const char *principal, int status)
{
  struct answer *a = xcalloc(1, sizeof(*a));
  int given = get_as(&f, a, session, principal);
  CU_ASSERT_EQUAL(given, status);
  return a;
}

static void a_session_hears_of_every_change_on_its_get_stream(void)
{
  start();
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = get(f.session, "alice", 0);
  CU_ASSERT_TRUE(a->stream);
  CU_ASSERT_EQUAL(a->n_events, 0);
  notify_all("alice");
  CU_ASSERT_EQUAL_FATAL(a->n_events, 2);
  CU_ASSERT_STRING_EQUAL(a->events[0],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
  gone(a);
  fixture_stop(&f);
}

static void a_new_get_takes_the_place_of_the_old(void)
{
  start();
  fixture_initialize(&f, "2025-06-18");
  struct answer *old = get(f.session, "alice", 0), *new = get(f.session, "alice", 0);
  CU_ASSERT_TRUE(old->ended);
  CU_ASSERT_EQUAL(old->n_events, 0);
  CU_ASSERT_FALSE(new->ended);
  notify_all("alice");
  CU_ASSERT_EQUAL(new->n_events, 2);
  answer_free(old);
  gone(new);
  fixture_stop(&f);
}

static void get_needs_a_session_of_the_caller(void)
{
  start();
  fixture_initialize(&f, "2025-06-18");
  answer_free(get(NULL, "alice", 405));
  answer_free(get("nonsense", "alice", 404));
  answer_free(get(f.session, "mallory", 404));
  fixture_stop(&f);
}

static void get_with_a_version_that_is_not_served_is_400(void)
{
  static const struct {
    const char *version;
    int status;
  } rows[] = {{"2024-10-07", 400}, {"latest", 400}, {"2026-07-28", 405}};
  struct mcp_principal alice = {.id = "alice"};
  struct mcp_exchange *none;
  start();
  fixture_initialize(&f, "2025-06-18");
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    const struct mcp_post request = {
        .headers = {.session_id = f.session, .protocol_version = rows[i].version},
        .accepts_sse = true,
        .principal = &alice};
    CU_ASSERT_EQUAL(mcp_server_get(f.server, &request, NULL, NULL, &none), rows[i].status);
    CU_ASSERT_PTR_NULL(none);
  }
  gone(get(f.session, "alice", 0));
  fixture_stop(&f);
}

static void get_beyond_the_bound_is_405(void)
{
  struct answer *open[2];
  start();
  for (int i = 0; i < 2; i++) {
    fixture_initialize(&f, "2025-06-18");
    open[i] = get(f.session, "alice", 0);
  }
  fixture_initialize(&f, "2025-06-18");
  struct answer *third = get(f.session, "alice", 0);
  CU_ASSERT_EQUAL(third->status, 405);
  CU_ASSERT_EQUAL(third->releases, 1);
  answer_free(third);
  gone(open[0]);
  gone(open[1]);
  fixture_stop(&f);
}

static void delete_ends_the_stream_of_a_session(void)
{
  start();
  fixture_initialize(&f, "2025-06-18");
  struct answer *a = get(f.session, "alice", 0);
  const struct mcp_principal alice = {.id = "alice"};
  CU_ASSERT_EQUAL(
      mcp_server_delete(f.server, &(struct mcp_headers){.session_id = f.session}, &alice), 204);
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_EQUAL(a->n_events, 0);
  answer_free(a);
  answer_free(get(f.session, "alice", 404));
  fixture_stop(&f);
}

static void a_stream_is_due_for_a_look_once_a_minute_and_ends_with_its_access(void)
{
  start();
  struct answer *a = ask(LISTEN("1", ALL), "alice", true), *b = ask(LISTEN("2", ALL), "bob", true);
  CU_ASSERT_PTR_NULL(mcp_server_unchecked_stream(f.server));
  fixture_now += 60000;
  struct mcp_principal *p = mcp_server_unchecked_stream(f.server);
  struct mcp_principal *q = mcp_server_unchecked_stream(f.server);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  CU_ASSERT_PTR_NOT_NULL_FATAL(q);
  CU_ASSERT_PTR_NOT_EQUAL(p, q);
  CU_ASSERT_PTR_NULL(mcp_server_unchecked_stream(f.server));
  bool first = strcmp(p->id, "alice") == 0;
  mcp_server_end_streams(f.server, first ? p : q);
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_FALSE(b->ended);
  p->unref(p);
  q->unref(q);
  answer_free(a);
  gone(b);
  fixture_stop(&f);
}

TEST_MAIN("mcp_stream", TEST(the_first_event_acknowledges_what_is_served),
          TEST(only_what_was_asked_for_is_sent_and_names_its_subscription),
          TEST(the_end_of_the_program_ends_streams_with_a_result),
          TEST(a_subscription_to_nothing_ends_at_once),
          TEST(malformed_subscriptions_are_invalid_params),
          TEST(streams_are_bounded_for_each_principal_and_in_all),
          TEST(without_changing_lists_there_is_nothing_to_listen_to),
          TEST(listChanged_is_declared_where_it_is_served), TEST(null_wishes_are_as_absent),
          TEST(a_session_hears_of_every_change_on_its_get_stream),
          TEST(a_new_get_takes_the_place_of_the_old), TEST(get_needs_a_session_of_the_caller),
          TEST(get_with_a_version_that_is_not_served_is_400), TEST(get_beyond_the_bound_is_405),
          TEST(delete_ends_the_stream_of_a_session),
          TEST(a_stream_is_due_for_a_look_once_a_minute_and_ends_with_its_access))
