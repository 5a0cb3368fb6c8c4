/* Trace contexts: reading, making, writing. */
#include "common/trace/context.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/random.h"

/* Places in "00-<32 digits>-<16 digits>-<2 digits>". */
enum { AT_ID = 3, AT_SPAN = 36, AT_FLAGS = 53 };

static bool all_zero(const uint8_t *bytes, size_t n)
{
  uint8_t any = 0;
  for (size_t i = 0; i < n; i++)
    any |= bytes[i];
  return any == 0;
}

bool trace_context_exists(const struct trace_context *c)
{
  return c != NULL && !all_zero(c->trace_id, TRACE_ID_BYTES);
}

/* Version 00 has nothing behind its flags; a later one may have, after a dash. */
static bool end_is_right(uint8_t version, const char *end)
{
  return *end == '\0' || (version > 0 && *end == '-');
}

static bool read_parent(struct trace_context *out, const char *t)
{
  uint8_t version, flags;
  if (strnlen(t, TRACE_PARENT_LEN) < TRACE_PARENT_LEN || t[AT_ID - 1] != '-' ||
      t[AT_SPAN - 1] != '-' || t[AT_FLAGS - 1] != '-')
    return false;
  if (!hex_read(&version, 1, t, 2) || version == 0xff ||
      !end_is_right(version, t + TRACE_PARENT_LEN) || !hex_read(&flags, 1, t + AT_FLAGS, 2))
    return false;
  out->flags = flags & (TRACE_SAMPLED | TRACE_RANDOM);
  return hex_read(out->trace_id, TRACE_ID_BYTES, t + AT_ID, TRACE_ID_HEX) &&
         hex_read(out->span_id, SPAN_ID_BYTES, t + AT_SPAN, (size_t)2 * SPAN_ID_BYTES) &&
         !all_zero(out->trace_id, TRACE_ID_BYTES) && !all_zero(out->span_id, SPAN_ID_BYTES);
}

static void clear(struct trace_context *c)
{
  memset(c, 0, offsetof(struct trace_context, state));
  c->state[0] = '\0';
}

bool trace_context_read(struct trace_context *out, const char *traceparent, const char *tracestate)
{
  clear(out);
  if (traceparent == NULL || !read_parent(out, traceparent)) {
    clear(out);
    return false;
  }
  if (tracestate != NULL)
    trace_state_read(out->state, tracestate, strnlen(tracestate, TRACE_STATE_READ + 1));
  return true;
}

/* Never zero, which names nothing. */
static void put_random(uint8_t *out, size_t size)
{
  for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
    uint64_t id = random_below(UINT64_MAX - 1) + 1;
    memcpy(out + at, &id, sizeof(id));
  }
}

void trace_context_new(struct trace_context *out)
{
  clear(out);
  put_random(out->trace_id, TRACE_ID_BYTES);
  put_random(out->span_id, SPAN_ID_BYTES);
}

void trace_context_child(struct trace_context *out, const struct trace_context *parent)
{
  trace_context_copy(out, parent);
  put_random(out->span_id, SPAN_ID_BYTES);
}

void trace_context_copy(struct trace_context *out, const struct trace_context *from)
{
  if (from == NULL) {
    clear(out);
    return;
  }
  if (out != from)
    memcpy(out, from, offsetof(struct trace_context, state) + strlen(from->state) + 1);
}

void trace_context_parent(const struct trace_context *c, char out[TRACE_PARENT_LEN + 1])
{
  memcpy(out, "00-", AT_ID);
  hex_write(out + AT_ID, c->trace_id, TRACE_ID_BYTES);
  out[AT_SPAN - 1] = '-';
  hex_write(out + AT_SPAN, c->span_id, SPAN_ID_BYTES);
  out[AT_FLAGS - 1] = '-';
  hex_write(out + AT_FLAGS, &c->flags, 1);
}

void trace_context_id(const struct trace_context *c, char out[TRACE_ID_HEX + 1])
{
  hex_write(out, c->trace_id, TRACE_ID_BYTES);
}
