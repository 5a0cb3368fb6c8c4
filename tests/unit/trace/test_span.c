/* Spans, and who takes them. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/trace/tracer.h"
#include "tests/unit/harness.h"

enum { KEEP = 8 };

struct kept {
  struct span *spans[KEEP];
  size_t n;
};

static void keep(void *user, struct span *s)
{
  struct kept *k = user;
  if (k->n < KEEP)
    k->spans[k->n++] = s;
  else
    span_free(s);
}

static struct span_view view(const struct kept *k, size_t i)
{
  struct span_view v;
  CU_ASSERT_TRUE_FATAL(i < k->n);
  span_look(k->spans[i], &v);
  return v;
}

static void end(struct kept *k)
{
  trace_remove();
  for (size_t i = 0; i < k->n; i++)
    span_free(k->spans[i]);
}

static struct trace_recorder recorder(const char *sampler, struct kept *k)
{
  struct trace_recorder r = {.take = keep, .user = k};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(trace_sampler_read(&r.sampler, sampler, NULL, &e), ERR_OK);
  return r;
}

static void without_a_recorder_the_context_goes_on_as_it_came(void)
{
  struct trace_context parent, context;
  trace_context_read(&parent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  CU_ASSERT_FALSE(trace_on());
  CU_ASSERT_PTR_NULL(span_begin(&context, SPAN_SERVER, "x", &parent));
  CU_ASSERT_EQUAL(memcmp(&context, &parent, offsetof(struct trace_context, state)), 0);
  CU_ASSERT_STRING_EQUAL(context.state, "a=1");
  CU_ASSERT_PTR_NULL(span_begin(&context, SPAN_SERVER, "x", NULL));
  CU_ASSERT_TRUE(trace_context_exists(&context));
  CU_ASSERT_EQUAL(context.flags, 0); /* nobody records it */
  /* All of it takes no span. */
  span_text(NULL, "k", "v");
  span_number(NULL, "k", 1);
  span_link(NULL, &parent);
  span_fail(NULL, "x");
  span_end(NULL);
  span_free(NULL);
}

static void spans_form_a_tree(void)
{
  struct kept k = {0};
  struct trace_recorder r = recorder("always_on", &k);
  struct trace_context root, child;
  trace_install(&r);
  struct span *outer = span_begin(&root, SPAN_SERVER, "outer", NULL);
  struct span *inner = span_begin(&child, SPAN_CLIENT, "inner", &root);
  span_end(inner);
  span_end(outer);
  CU_ASSERT_EQUAL_FATAL(k.n, 2);
  struct span_view a = view(&k, 1), b = view(&k, 0);
  CU_ASSERT_STRING_EQUAL(a.name, "outer");
  CU_ASSERT_PTR_NULL(a.parent_id);
  CU_ASSERT_EQUAL(memcmp(b.parent_id, a.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(memcmp(b.trace_id, a.trace_id, TRACE_ID_BYTES), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(b.span_id, a.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(memcmp(child.span_id, b.span_id, SPAN_ID_BYTES), 0);
  CU_ASSERT_EQUAL(child.flags & TRACE_SAMPLED, TRACE_SAMPLED);
  CU_ASSERT_EQUAL(b.kind, SPAN_CLIENT);
  CU_ASSERT_TRUE(a.start_unix_ns <= b.start_unix_ns && b.start_unix_ns <= b.end_unix_ns);
  CU_ASSERT_TRUE(a.end_unix_ns / 1000000000 + 5 > (uint64_t)time(NULL));
  end(&k);
}

/* The context may be the parent's own place. */
static void a_context_is_replaced_in_its_place(void)
{
  struct kept k = {0};
  struct trace_recorder r = recorder("parentbased_always_on", &k);
  struct trace_context c;
  trace_install(&r);
  trace_context_read(&c, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=1");
  uint8_t parent[SPAN_ID_BYTES];
  memcpy(parent, c.span_id, sizeof(parent));
  span_end(span_begin(&c, SPAN_SERVER, "x", &c));
  CU_ASSERT_EQUAL(memcmp(view(&k, 0).parent_id, parent, sizeof(parent)), 0);
  CU_ASSERT_EQUAL(memcmp(view(&k, 0).span_id, c.span_id, sizeof(parent)), 0);
  CU_ASSERT_STRING_EQUAL(view(&k, 0).state, "a=1");
  /* Not sampled by the caller: no span, and the ids stay. */
  c.flags = 0;
  memcpy(parent, c.span_id, sizeof(parent));
  CU_ASSERT_PTR_NULL(span_begin(&c, SPAN_SERVER, "x", &c));
  CU_ASSERT_EQUAL(memcmp(parent, c.span_id, sizeof(parent)), 0);
  CU_ASSERT_EQUAL(c.flags & TRACE_SAMPLED, 0);
  end(&k);
}

static void what_is_not_sampled_says_so_to_whom_it_calls(void)
{
  struct kept k = {0};
  struct trace_recorder r = recorder("always_off", &k);
  struct trace_context c, parent;
  trace_install(&r);
  trace_context_read(&parent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL);
  CU_ASSERT_PTR_NULL(span_begin(&c, SPAN_SERVER, "x", &parent));
  CU_ASSERT_EQUAL(c.flags, 0);
  CU_ASSERT_PTR_NULL(span_begin(&c, SPAN_SERVER, "x", NULL));
  CU_ASSERT_TRUE(trace_context_exists(&c));
  CU_ASSERT_EQUAL(c.flags, 0);
  CU_ASSERT_EQUAL(k.n, 0);
  end(&k);
}

static void attributes_have_caps(void)
{
  struct kept k = {0};
  struct trace_recorder r = recorder("always_on", &k);
  struct trace_context c;
  char name[200], value[200];
  trace_install(&r);
  memset(name, 'n', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  memset(value, 'v', sizeof(value) - 1);
  value[sizeof(value) - 1] = '\0';
  memcpy(value + SPAN_VALUE_MAX - 1, "\xc3\xa9", 2); /* the cut falls into a character */
  struct span *s = span_begin(&c, SPAN_SERVER, name, NULL);
  span_text(s, "long", value);
  span_text(s, "none", NULL);      /* nothing */
  span_text(s, "bad", "\xff\xfe"); /* dropped: no UTF-8 */
  span_number(s, "number", -7);
  for (int i = 0; i < 4; i++)
    span_text(s, "more", value); /* three fit into the room for texts */
  for (int i = 0; i < 5; i++)
    span_number(s, "number", i); /* three fit */
  span_end(s);
  struct span_view v = view(&k, 0);
  CU_ASSERT_EQUAL(strlen(v.name), SPAN_NAME_MAX);
  CU_ASSERT_EQUAL(v.n_attributes, SPAN_ATTRIBUTES);
  CU_ASSERT_EQUAL(strlen(v.attributes[0].text), SPAN_VALUE_MAX - 1);
  CU_ASSERT_PTR_NULL(v.attributes[1].text);
  CU_ASSERT_EQUAL(v.attributes[1].number, -7);
  CU_ASSERT_EQUAL(v.dropped_attributes, 1 + 1 + 2);
  CU_ASSERT_FALSE(v.failed);
  end(&k);
}

static void a_failure_and_a_link_are_kept(void)
{
  struct kept k = {0};
  struct trace_recorder r = recorder("always_on", &k);
  struct trace_context c, other, third;
  trace_install(&r);
  trace_context_new(&other);
  trace_context_new(&third);
  struct span *s = span_begin(&c, SPAN_SERVER, "x", NULL);
  span_link(s, &other);
  span_link(s, &third); /* one per span */
  span_fail(s, "timeout");
  span_end(s);
  struct span_view v = view(&k, 0);
  CU_ASSERT_TRUE(v.failed);
  CU_ASSERT_STRING_EQUAL(v.attributes[0].key, "error.type");
  CU_ASSERT_STRING_EQUAL(v.attributes[0].text, "timeout");
  CU_ASSERT_EQUAL(memcmp(v.link->trace_id, other.trace_id, TRACE_ID_BYTES), 0);
  end(&k);
}

/* ------------------------------------------------------------------ the end of a recorder */

static atomic_bool stop;
static atomic_int in_take, late;
static atomic_bool removed;

static void take_slowly(void *user, struct span *s)
{
  (void)user;
  atomic_fetch_add(&in_take, 1);
  if (atomic_load(&removed))
    atomic_fetch_add(&late, 1);
  span_free(s);
  atomic_fetch_sub(&in_take, 1);
}

static void *make_spans(void *arg)
{
  (void)arg;
  while (!atomic_load(&stop)) {
    struct trace_context c;
    span_end(span_begin(&c, SPAN_INTERNAL, "x", NULL));
  }
  return NULL;
}

static void nothing_is_taken_once_the_recorder_is_removed(void)
{
  struct trace_recorder r = recorder("always_on", NULL);
  pthread_t threads[4];
  r.take = take_slowly;
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, make_spans, NULL), 0);
  for (int i = 0; i < 200; i++) {
    atomic_store(&removed, false);
    trace_install(&r);
    trace_remove();
    CU_ASSERT_EQUAL(atomic_load(&in_take), 0);
    atomic_store(&removed, true);
  }
  atomic_store(&stop, true);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(atomic_load(&late), 0);
}

TEST_MAIN("trace_span", TEST(without_a_recorder_the_context_goes_on_as_it_came),
          TEST(spans_form_a_tree), TEST(a_context_is_replaced_in_its_place),
          TEST(what_is_not_sampled_says_so_to_whom_it_calls), TEST(attributes_have_caps),
          TEST(a_failure_and_a_link_are_kept), TEST(nothing_is_taken_once_the_recorder_is_removed))
