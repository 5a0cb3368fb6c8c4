/* Fuzz target of traceparent, tracestate and the lists of OpenTelemetry's settings: what is taken
 * is sent on in a form that reads the same, and within its bounds. A line each, the list last. */
#include <ctype.h>

#include "common/base/codec.h"
#include "common/otlp/pairs.h"
#include "common/trace/context.h"
#include "common/trace/sampler.h"
#include "tests/fuzz/fuzz.h"

static void check_state(const char *state)
{
  char again[TRACE_STATE_MAX + 1];
  size_t len = strlen(state), members = len > 0;
  FUZZ_MUST(len <= TRACE_STATE_MAX);
  for (size_t i = 0; i < len; i++) {
    FUZZ_MUST(state[i] >= 0x20 && state[i] <= 0x7e);
    members += state[i] == ',';
  }
  FUZZ_MUST(members <= TRACE_STATE_MEMBERS);
  FUZZ_MUST(trace_state_read(again, state, len) && strcmp(again, state) == 0);
}

static void check_context(const char *parent, const char *state)
{
  struct trace_context c, again;
  char out[TRACE_PARENT_LEN + 1];
  bool read = trace_context_read(&c, parent, state);
  FUZZ_MUST(read == trace_context_exists(&c));
  FUZZ_MUST(read || c.state[0] == '\0');
  if (!read)
    return;
  check_state(c.state);
  trace_context_parent(&c, out);
  /* What goes on are the ids that came. */
  FUZZ_MUST(strncmp(out, "00-", 3) == 0 && strncmp(out + 3, parent + 3, 50) == 0);
  FUZZ_MUST(trace_context_read(&again, out, c.state));
  FUZZ_MUST(memcmp(&again, &c, offsetof(struct trace_context, state)) == 0);
  FUZZ_MUST(strcmp(again.state, c.state) == 0);
}

static void check_pairs(const char *text, enum otlp_pairs_of of)
{
  struct otlp_pairs p;
  struct err e = {0};
  if (otlp_pairs_read(&p, "SETTING", of, text, &e) != ERR_OK) {
    FUZZ_MUST(p.n == 0 && strncmp(e.message, "SETTING: ", 9) == 0);
    return;
  }
  FUZZ_MUST(p.n <= OTLP_PAIRS_MAX);
  for (size_t i = 0; i < p.n; i++) {
    const char *key = p.items[i].key, *value = p.items[i].value;
    FUZZ_MUST(key[0] != '\0' && utf8_valid(key, strlen(key)) && utf8_valid(value, strlen(value)));
    for (const char *at = value; *at != '\0'; at++)
      FUZZ_MUST(!iscntrl((unsigned char)*at));
    for (const char *at = key; *at != '\0' && of == OTLP_HEADERS; at++)
      FUZZ_MUST(*at > ' ' && *at < 0x7f && *at != ':');
  }
  otlp_pairs_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  struct trace_sampler sampler;
  struct err e = {0};
  AUTO_FREE char *parent = fuzz_line(&in);
  AUTO_FREE char *state = fuzz_line(&in);
  AUTO_FREE char *list = fuzz_rest(&in);
  check_context(parent, state);
  check_pairs(list, OTLP_HEADERS);
  check_pairs(list, OTLP_ATTRIBUTES);
  if (trace_sampler_read(&sampler, "traceidratio", state, &e) == ERR_OK)
    FUZZ_MUST(sampler.bound <= (uint64_t)1 << 63);
  return 0;
}
