/* One span, from its begin to the recorder. */
#include "common/trace/span.h"

#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/trace/tracer.h"

enum { SPAN_MAGIC = 0x5370616e };

struct span {
  unsigned magic;
  enum span_kind kind;
  bool has_parent, failed;
  struct trace_context context;
  uint8_t parent_id[SPAN_ID_BYTES];
  struct trace_context *link;
  uint64_t start_unix_ns, end_unix_ns;
  int64_t start_mono_ns;
  struct span_attribute attributes[SPAN_ATTRIBUTES];
  size_t n_attributes, text_len;
  uint32_t dropped;
  char name[SPAN_NAME_MAX + 1];
  char text[SPAN_TEXT_MAX];
};

static uint64_t now_unix_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* Bytes of the text that fit into max, cut between characters. */
static size_t cut(const char *text, size_t max)
{
  size_t len = strnlen(text, max + 1);
  if (len <= max)
    return len;
  for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
    len--;
  return len;
}

static void start(struct span *s, enum span_kind kind, const char *name)
{
  size_t len = cut(name, SPAN_NAME_MAX);
  s->magic = SPAN_MAGIC;
  s->kind = kind;
  memcpy(s->name, name, len);
  s->name[len] = '\0';
  s->start_unix_ns = now_unix_ns();
  s->start_mono_ns = clock_mono_ns();
}

/* Where nobody records, the context goes on as it came; a new trace says that it is not sampled. */
static void pass_on(struct trace_context *context, const struct trace_context *parent)
{
  if (trace_context_exists(parent))
    trace_context_copy(context, parent);
  else
    trace_context_new(context);
}

struct span *span_begin(struct trace_context *context, enum span_kind kind, const char *name,
                        const struct trace_context *parent)
{
  if (!trace_on()) {
    pass_on(context, parent);
    return NULL;
  }
  uint8_t parent_id[SPAN_ID_BYTES] = {0};
  bool has_parent = trace_context_exists(parent);
  if (has_parent)
    memcpy(parent_id, parent->span_id, SPAN_ID_BYTES);
  struct trace_context own;
  if (has_parent)
    trace_context_child(&own, parent);
  else
    trace_context_new(&own);
  if (!trace_wants(own.trace_id, has_parent ? parent : NULL)) {
    pass_on(context, has_parent ? parent : &own);
    context->flags &= (uint8_t)~TRACE_SAMPLED;
    return NULL;
  }
  own.flags |= TRACE_SAMPLED;
  struct span *s = xcalloc(1, sizeof(*s));
  start(s, kind, name);
  s->has_parent = has_parent;
  memcpy(s->parent_id, parent_id, SPAN_ID_BYTES);
  trace_context_copy(&s->context, &own);
  trace_context_copy(context, &own);
  return s;
}

static struct span_attribute *add(struct span *s, const char *key)
{
  if (s->n_attributes == SPAN_ATTRIBUTES) {
    s->dropped++;
    return NULL;
  }
  struct span_attribute *a = &s->attributes[s->n_attributes++];
  a->key = key;
  return a;
}

void span_text(struct span *s, const char *key, const char *value)
{
  if (s == NULL || value == NULL)
    return;
  MAGIC_CHECK(s, SPAN_MAGIC);
  size_t len = cut(value, SPAN_VALUE_MAX);
  bool fits = s->text_len + len + 1 <= sizeof(s->text) && utf8_valid(value, len);
  struct span_attribute *a = fits ? add(s, key) : NULL;
  if (!fits)
    s->dropped++;
  if (a == NULL)
    return;
  char *copy = s->text + s->text_len;
  memcpy(copy, value, len);
  copy[len] = '\0';
  s->text_len += len + 1;
  a->text = copy;
}

void span_number(struct span *s, const char *key, int64_t value)
{
  if (s == NULL)
    return;
  MAGIC_CHECK(s, SPAN_MAGIC);
  struct span_attribute *a = add(s, key);
  if (a != NULL)
    a->number = value;
}

void span_link(struct span *s, const struct trace_context *other)
{
  if (s == NULL || s->link != NULL || !trace_context_exists(other))
    return;
  s->link = xcalloc(1, sizeof(*s->link));
  trace_context_copy(s->link, other);
}

void span_fail(struct span *s, const char *type)
{
  if (s == NULL)
    return;
  s->failed = true;
  span_text(s, "error.type", type);
}

void span_end(struct span *s)
{
  if (s == NULL)
    return;
  MAGIC_CHECK(s, SPAN_MAGIC);
  s->end_unix_ns = s->start_unix_ns + (uint64_t)(clock_mono_ns() - s->start_mono_ns);
  trace_hand_over(s);
}

void span_look(const struct span *s, struct span_view *out)
{
  MAGIC_CHECK(s, SPAN_MAGIC);
  *out = (struct span_view){.trace_id = s->context.trace_id,
                            .span_id = s->context.span_id,
                            .parent_id = s->has_parent ? s->parent_id : NULL,
                            .state = s->context.state,
                            .name = s->name,
                            .link = s->link,
                            .kind = s->kind,
                            .flags = s->context.flags,
                            .start_unix_ns = s->start_unix_ns,
                            .end_unix_ns = s->end_unix_ns,
                            .failed = s->failed,
                            .attributes = s->attributes,
                            .n_attributes = s->n_attributes,
                            .dropped_attributes = s->dropped};
}

void span_free(struct span *s)
{
  if (s == NULL)
    return;
  MAGIC_CHECK(s, SPAN_MAGIC);
  free(s->link);
  s->magic = 0;
  free(s);
}
