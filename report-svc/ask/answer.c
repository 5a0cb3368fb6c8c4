/* Finished answers. */
#include "report-svc/ask/answer.h"

#include "common/base/mem.h"

struct answer *answer_new(void)
{
  struct answer *a = xcalloc(1, sizeof(*a));
  atomic_init(&a->refs, 1);
  a->arena = arena_new(ANSWER_MAX_ARENA);
  analytics__report__v1__run_report_response__init(&a->message);
  return a;
}

struct answer *answer_ref(struct answer *a)
{
  atomic_fetch_add(&a->refs, 1);
  return a;
}

void answer_unref(struct answer *a)
{
  if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1)
    return;
  arena_free(a->arena);
  free(a->rows);
  free(a);
}

size_t answer_size(const struct answer *a)
{
  return sizeof(*a) + arena_used(a->arena) + a->cap_rows * sizeof(*a->rows);
}
