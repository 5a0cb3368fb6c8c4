/* traceparent as the W3C recommendation reads it, and the scope of a thread. */
#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/trace/scope.h"
#include "tests/unit/harness.h"

#define ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"
#define GOOD "00-" ID "-" SPAN "-01"

static void well_formed_parents_are_read(void)
{
  static const struct {
    const char *in, *out; /* what goes on */
  } vectors[] = {
      {GOOD, GOOD},
      {"00-" ID "-" SPAN "-00", "00-" ID "-" SPAN "-00"},
      {"00-" ID "-" SPAN "-03", "00-" ID "-" SPAN "-03"},
      {"00-" ID "-" SPAN "-ff", "00-" ID "-" SPAN "-03"}, /* flags that nobody knows end here */
      {"00-" ID "-" SPAN "-fc", "00-" ID "-" SPAN "-00"},
      {"01-" ID "-" SPAN "-01", GOOD}, /* later versions are read as far as 00 goes */
      {"cc-" ID "-" SPAN "-01-what the future brings", GOOD},
      {"fe-" ID "-" SPAN "-01-", GOOD},
      {"00-00000000000000000000000000000001-0000000000000001-01",
       "00-00000000000000000000000000000001-0000000000000001-01"},
  };
  for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
    struct trace_context c;
    char out[TRACE_PARENT_LEN + 1];
    CU_ASSERT_TRUE_FATAL(trace_context_read(&c, vectors[i].in, NULL));
    CU_ASSERT_TRUE(trace_context_exists(&c));
    trace_context_parent(&c, out);
    CU_ASSERT_STRING_EQUAL(out, vectors[i].out);
  }
}

static void malformed_parents_are_no_context(void)
{
  static const char *const bad[] = {
      NULL,
      "",
      "00",
      "00-" ID "-" SPAN,
      "00-" ID "-" SPAN "-",
      "00-" ID "-" SPAN "-1",
      "00-" ID "-" SPAN "-01-more", /* version 00 ends there */
      "00-" ID "-" SPAN "-01 ",
      "00-" ID "-" SPAN "-01\r\nx: y",
      "00-" ID "-" SPAN "-010",
      " " GOOD,
      "ff-" ID "-" SPAN "-01",
      "FE-" ID "-" SPAN "-01",
      "0-" ID "-" SPAN "-01",
      "000-" ID "-" SPAN "-01",
      "cc-" ID "-" SPAN "-01.more",
      "00-00000000000000000000000000000000-" SPAN "-01",
      "00-" ID "-0000000000000000-01",
      "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
      "00-" ID "-B7AD6B7169203331-01",
      "00-" ID "-" SPAN "-0A",
      "00-0af7651916cd43dd8448eb211c80319-b7ad6b71692033312-01",
      "00-0af7651916cd43dd8448eb211c8031 c-" SPAN "-01",
      "00_" ID "-" SPAN "-01",
      "00-" ID "_" SPAN "-01",
      "00-" ID "-" SPAN "_01",
      "00-" ID "-" SPAN "-0x",
      GOOD ", " GOOD, /* two headers, joined */
  };
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct trace_context c;
    memset(&c, 0xee, sizeof(c));
    CU_ASSERT_FALSE(trace_context_read(&c, bad[i], "a=1"));
    CU_ASSERT_FALSE(trace_context_exists(&c));
    CU_ASSERT_STRING_EQUAL(c.state, ""); /* section 3.3: no state without a parent */
  }
}

static void a_state_goes_with_its_parent(void)
{
  struct trace_context c, child, copy;
  CU_ASSERT_TRUE(trace_context_read(&c, GOOD, "rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE"));
  CU_ASSERT_STRING_EQUAL(c.state, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  trace_context_child(&child, &c);
  CU_ASSERT_STRING_EQUAL(child.state, c.state);
  CU_ASSERT_EQUAL(memcmp(child.trace_id, c.trace_id, TRACE_ID_BYTES), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(child.span_id, c.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(child.flags, c.flags);
  trace_context_copy(&copy, &child);
  CU_ASSERT_STRING_EQUAL(copy.state, c.state);
  trace_context_copy(&copy, NULL);
  CU_ASSERT_FALSE(trace_context_exists(&copy));
  /* A malformed state leaves the parent as it is. */
  CU_ASSERT_TRUE(trace_context_read(&c, GOOD, "Rojo=1"));
  CU_ASSERT_STRING_EQUAL(c.state, "");
}

static void new_traces_have_ids_of_their_own(void)
{
  struct trace_context a, b;
  char id[TRACE_ID_HEX + 1], parent[TRACE_PARENT_LEN + 1];
  trace_context_new(&a);
  trace_context_new(&b);
  CU_ASSERT_TRUE(trace_context_exists(&a));
  CU_ASSERT_NOT_EQUAL(memcmp(a.trace_id, b.trace_id, TRACE_ID_BYTES), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(a.trace_id, a.trace_id + 8, 8), 0);
  CU_ASSERT_EQUAL(a.flags, 0);
  trace_context_id(&a, id);
  trace_context_parent(&a, parent);
  CU_ASSERT_EQUAL(memcmp(parent + 3, id, TRACE_ID_HEX), 0);
  CU_ASSERT_TRUE(trace_context_read(&b, parent, NULL));
  CU_ASSERT_EQUAL(memcmp(a.span_id, b.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_FALSE(trace_context_exists(NULL));
}

static void *look(void *seen)
{
  *(const struct trace_context **)seen = trace_current();
  return NULL;
}

static void scopes_nest_and_belong_to_their_thread(void)
{
  struct trace_context a, b, none;
  const struct trace_context *elsewhere = &a;
  pthread_t thread;
  trace_context_new(&a);
  trace_context_new(&b);
  trace_context_copy(&none, NULL);
  CU_ASSERT_PTR_NULL(trace_current());
  struct trace_scope outer = trace_enter(&a);
  struct trace_scope inner = trace_enter(&b);
  CU_ASSERT_PTR_EQUAL(trace_current(), &b);
  struct trace_scope empty = trace_enter(&none);
  CU_ASSERT_PTR_NULL(trace_current()); /* work of nobody is not the outer's */
  trace_leave(empty);
  trace_leave(inner);
  CU_ASSERT_PTR_EQUAL(trace_current(), &a);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, look, &elsewhere), 0);
  pthread_join(thread, NULL);
  CU_ASSERT_PTR_NULL(elsewhere);
  trace_leave(outer);
  CU_ASSERT_PTR_NULL(trace_current());
}

TEST_MAIN("trace_context", TEST(well_formed_parents_are_read),
          TEST(malformed_parents_are_no_context), TEST(a_state_goes_with_its_parent),
          TEST(new_traces_have_ids_of_their_own), TEST(scopes_nest_and_belong_to_their_thread))
