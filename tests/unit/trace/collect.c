/* A recorder for tests. */
#include "tests/unit/trace/collect.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/wait.h"
#include "common/trace/tracer.h"

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct collected spans[COLLECT_MAX];
  size_t n;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put_attributes(struct collected *c, const struct span_view *v)
{
  size_t at = 0;
  for (size_t i = 0; i < v->n_attributes; i++) {
    const struct span_attribute *a = &v->attributes[i];
    char *to = c->attributes + at;
    size_t room = sizeof(c->attributes) - at;
    int n = a->text != NULL ? snprintf(to, room, "%s=%s;", a->key, a->text)
                            : snprintf(to, room, "%s=%lld;", a->key, (long long)a->number);
    at += (size_t)n < room ? (size_t)n : room - 1;
  }
}

static void take(void *user, struct span *s)
{
  struct span_view v;
  (void)user;
  span_look(s, &v);
  pthread_mutex_lock(&all.lock);
  if (all.n < COLLECT_MAX) {
    struct collected *c = &all.spans[all.n++];
    *c = (struct collected){.is_root = v.parent_id == NULL,
                            .failed = v.failed,
                            .linked = v.link != NULL,
                            .kind = v.kind};
    snprintf(c->name, sizeof(c->name), "%s", v.name);
    memcpy(c->trace_id, v.trace_id, TRACE_ID_BYTES);
    memcpy(c->span_id, v.span_id, SPAN_ID_BYTES);
    if (v.parent_id != NULL)
      memcpy(c->parent_id, v.parent_id, SPAN_ID_BYTES);
    put_attributes(c, &v);
  }
  pthread_cond_broadcast(&all.changed);
  pthread_mutex_unlock(&all.lock);
  span_free(s);
}

void collect_begin(const char *sampler)
{
  static struct trace_recorder recorder = {.take = take};
  struct err e = {0};
  wait_init(&all.changed);
  all.n = 0;
  if (trace_sampler_read(&recorder.sampler, sampler, NULL, &e) != ERR_OK)
    abort();
  trace_install(&recorder);
}

void collect_end(void)
{
  trace_remove();
  pthread_cond_destroy(&all.changed);
  all.n = 0;
}

bool collect_wait(size_t n)
{
  int64_t until = clock_mono_ms() + 20000;
  pthread_mutex_lock(&all.lock);
  while (all.n < n && wait_until(&all.changed, &all.lock, until))
    ;
  bool came = all.n >= n;
  pthread_mutex_unlock(&all.lock);
  return came;
}

size_t collect_count(void)
{
  pthread_mutex_lock(&all.lock);
  size_t n = all.n;
  pthread_mutex_unlock(&all.lock);
  return n;
}

const struct collected *collect_find(const char *name, size_t nth)
{
  const struct collected *found = NULL;
  pthread_mutex_lock(&all.lock);
  for (size_t i = 0; i < all.n && found == NULL; i++)
    if (strcmp(all.spans[i].name, name) == 0 && nth-- == 0)
      found = &all.spans[i];
  pthread_mutex_unlock(&all.lock);
  return found;
}

bool collect_is_child(const struct collected *child, const struct collected *parent)
{
  return child != NULL && parent != NULL && !child->is_root &&
         memcmp(child->trace_id, parent->trace_id, TRACE_ID_BYTES) == 0 &&
         memcmp(child->parent_id, parent->span_id, SPAN_ID_BYTES) == 0;
}
