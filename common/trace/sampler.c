/* Samplers by name. */
#include "common/trace/sampler.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#define EVERY ((uint64_t)1 << 63)

static enum err_code read_ratio(uint64_t *bound, const char *arg, struct err *e)
{
  char *end = NULL;
  if (arg == NULL || arg[0] == '\0') {
    *bound = EVERY;
    return ERR_OK;
  }
  bool digits = arg[strspn(arg, "0123456789.eE+-")] == '\0'; /* neither "nan" nor "0x1" */
  double ratio = strtod(arg, &end);
  if (!digits || *end != '\0' || !(ratio >= 0 && ratio <= 1))
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "OTEL_TRACES_SAMPLER_ARG=%.40s: expected a share of the traces from 0 to 1, "
                   "for example 0.05",
                   arg);
  *bound = (uint64_t)(ratio * (double)EVERY);
  return ERR_OK;
}

enum err_code trace_sampler_read(struct trace_sampler *out, const char *name, const char *arg,
                                 struct err *e)
{
  static const char prefix[] = "parentbased_";
  const char *kind = name != NULL && name[0] != '\0' ? name : "parentbased_always_on";
  bool based = strncmp(kind, prefix, sizeof(prefix) - 1) == 0;
  kind += based ? sizeof(prefix) - 1 : 0;
  *out = (struct trace_sampler){.parent_based = based};
  if (strcmp(kind, "traceidratio") == 0)
    return read_ratio(&out->bound, arg, e);
  if (strcmp(kind, "always_on") == 0)
    out->bound = EVERY;
  else if (strcmp(kind, "always_off") != 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "OTEL_TRACES_SAMPLER=%.40s: must be one of always_on, always_off, traceidratio, "
                   "parentbased_always_on, parentbased_always_off, parentbased_traceidratio",
                   name);
  return ERR_OK;
}

bool trace_sampler_takes(const struct trace_sampler *s, const uint8_t trace_id[TRACE_ID_BYTES],
                         const struct trace_context *parent)
{
  if (s->parent_based && trace_context_exists(parent))
    return (parent->flags & TRACE_SAMPLED) != 0;
  uint64_t low = 0;
  for (size_t i = TRACE_ID_BYTES / 2; i < TRACE_ID_BYTES; i++)
    low = low << 8 | trace_id[i];
  return low >> 1 < s->bound;
}
