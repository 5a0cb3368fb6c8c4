/* The recorder of the process. */
#include "common/trace/tracer.h"

#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(const struct trace_recorder *) installed;
static atomic_size_t users; /* threads that look at the recorder right now */

void trace_install(const struct trace_recorder *r)
{
  atomic_store(&installed, r);
}

void trace_remove(void)
{
  atomic_store(&installed, NULL);
  while (atomic_load(&users) > 0) /* each is about to leave: take() does not block */
    sched_yield();
}

bool trace_on(void)
{
  return atomic_load_explicit(&installed, memory_order_relaxed) != NULL;
}

static const struct trace_recorder *enter(void)
{
  atomic_fetch_add(&users, 1);
  return atomic_load(&installed);
}

static void leave(void)
{
  atomic_fetch_sub(&users, 1);
}

bool trace_wants(const uint8_t trace_id[TRACE_ID_BYTES], const struct trace_context *parent)
{
  const struct trace_recorder *r = enter();
  bool wanted = r != NULL && trace_sampler_takes(&r->sampler, trace_id, parent);
  leave();
  return wanted;
}

void trace_hand_over(struct span *s)
{
  const struct trace_recorder *r = enter();
  if (r != NULL)
    r->take(r->user, s);
  else
    span_free(s);
  leave();
}
