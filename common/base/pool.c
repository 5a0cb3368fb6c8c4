/* A pool of threads with a bounded queue. */
#include "common/base/pool.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/mem.h"

struct job {
  void (*fn)(void *arg);
  void *arg;
};

struct pool {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  struct job *ring;
  size_t cap, head, count;
  bool ending;
  size_t n_threads;
  pthread_t threads[];
};

static bool take_job(struct pool *p, struct job *out)
{
  pthread_mutex_lock(&p->lock);
  while (p->count == 0 && !p->ending)
    pthread_cond_wait(&p->wake, &p->lock);
  bool got = p->count > 0;
  if (got) {
    *out = p->ring[p->head];
    p->head = (p->head + 1) % p->cap;
    p->count--;
  }
  pthread_mutex_unlock(&p->lock);
  return got;
}

static void *run(void *arg)
{
  struct pool *p = arg;
  struct job job;
  while (take_job(p, &job))
    job.fn(job.arg);
  return NULL;
}

struct pool *pool_new(const char *name, size_t threads, size_t queue_max)
{
  struct pool *p = xcalloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->wake, NULL);
  p->cap = queue_max > 0 ? queue_max : 1;
  p->ring = xcalloc(p->cap, sizeof(*p->ring));
  p->n_threads = threads;
  for (size_t i = 0; i < threads; i++) {
    if (pthread_create(&p->threads[i], NULL, run, p) != 0) {
      fprintf(stderr, "cannot start a thread of pool %s\n", name);
      abort();
    }
    char label[16];
    snprintf(label, sizeof(label), "%.11s-%u", name, (unsigned)(i % 1000));
    pthread_setname_np(p->threads[i], label);
  }
  return p;
}

bool pool_submit(struct pool *p, void (*fn)(void *arg), void *arg)
{
  pthread_mutex_lock(&p->lock);
  bool ok = !p->ending && p->count < p->cap;
  if (ok) {
    p->ring[(p->head + p->count) % p->cap] = (struct job){fn, arg};
    p->count++;
    pthread_cond_signal(&p->wake);
  }
  pthread_mutex_unlock(&p->lock);
  return ok;
}

size_t pool_queued(struct pool *p)
{
  pthread_mutex_lock(&p->lock);
  size_t n = p->count;
  pthread_mutex_unlock(&p->lock);
  return n;
}

void pool_free(struct pool *p)
{
  if (p == NULL)
    return;
  pthread_mutex_lock(&p->lock);
  p->ending = true;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->lock);
  for (size_t i = 0; i < p->n_threads; i++)
    pthread_join(p->threads[i], NULL);
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->lock);
  free(p->ring);
  free(p);
}
