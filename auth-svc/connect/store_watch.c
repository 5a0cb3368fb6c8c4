/* What other replicas change in the store of connected dealers, looked at time and again. */
#include "auth-svc/connect/store_internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/wait.h"

/* A new key that came while the server was away seals now. */
static void pay_sealing(struct connect_store *s)
{
  struct connect_texts news = {0};
  struct err e = {0};
  int64_t now_ms;
  if (s->place->take(s->place, &news, &now_ms, &e) != ERR_OK)
    return;
  if (store_work_in(s, &news, &e) == ERR_OK)
    store_seal_again(s, &e);
  else
    s->place->give_back(s->place);
}

static void look(struct connect_store *s)
{
  struct connect_texts news = {0};
  struct err e = {0};
  if (!store_enter(s, true))
    return; /* who has it says how it goes */
  enum err_code code = s->place->look(s->place, &news, &e);
  if (code == ERR_OK)
    code = store_work_in(s, &news, &e);
  if (code == ERR_OK && s->owes_sealing)
    pay_sealing(s);
  store_note(s, code == ERR_OK ? &(struct err){0} : &e);
  store_leave(s);
}

/* False when it is time to end. */
static bool pause_watch(struct store_watch *w)
{
  int64_t until = clock_mono_ms() + w->every_ms;
  pthread_mutex_lock(&w->lock);
  while (!w->stopping && wait_until(&w->wake, &w->lock, until))
    ;
  bool goes_on = !w->stopping;
  pthread_mutex_unlock(&w->lock);
  return goes_on;
}

static void *run(void *arg)
{
  struct connect_store *s = arg;
  uint64_t seen = UINT64_MAX; /* what was changed before the first look counts as well */
  while (pause_watch(&s->watch)) {
    look(s);
    uint64_t now = connect_store_version(s);
    if (now != seen)
      s->watch.changed(s->watch.user);
    seen = now;
  }
  return NULL;
}

void connect_store_watch(struct connect_store *s, uint32_t every_ms, void (*changed)(void *user),
                         void *user)
{
  struct store_watch *w = &s->watch;
  if (!s->place->shared || w->runs)
    return;
  w->every_ms = every_ms;
  w->changed = changed;
  w->user = user;
  w->runs = pthread_create(&w->thread, NULL, run, s) == 0;
  if (!w->runs)
    log_error("cannot start the thread that follows other replicas: their changes are seen after a "
              "restart");
}

void connect_store_unwatch(struct connect_store *s)
{
  struct store_watch *w = &s->watch;
  if (!w->runs)
    return;
  pthread_mutex_lock(&w->lock);
  w->stopping = true;
  pthread_cond_signal(&w->wake);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
  w->runs = false;
}
