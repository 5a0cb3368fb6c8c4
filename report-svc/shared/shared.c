/* The state of all replicas: its beginning and end. See shared.h; places.c, quota.c and answers.c
 * hold the operations. */
#include "report-svc/shared/shared.h"

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "report-svc/shared/command.h"

static const char *const scripts[SCRIPT_COUNT] = {
    [SCRIPT_TAKE] = SCRIPT_TAKE_TEXT,     [SCRIPT_RENEW] = SCRIPT_RENEW_TEXT,
    [SCRIPT_ERROR] = SCRIPT_ERROR_TEXT,   [SCRIPT_STATE] = SCRIPT_STATE_TEXT,
    [SCRIPT_ANSWER] = SCRIPT_ANSWER_TEXT,
};

/* The ping shows a Redis that hangs to a replica that has nothing to ask, too. */
static void tick(void *user)
{
  struct shared *s = user;
  struct command ping = {0};
  command_add_text(&ping, "PING");
  send_note(s, NOTE_PING, &ping);
  places_renew(s);
}

struct shared *shared_new(const struct shared_options *options)
{
  struct shared *s = xcalloc(1, sizeof(*s));
  unsigned char replica[8];
  random_fill(replica, sizeof(replica));
  hex_write(s->replica, replica, sizeof(replica));
  s->lease_ms = options->lease_ms == 0 ? SHARED_LEASE_MS : options->lease_ms;
  atomic_init(&s->next_id, 1);
  pthread_mutex_init(&s->lock, NULL);
  struct link_options link = {.url = options->url,
                              .trust = options->trust,
                              .patience_ms = options->patience_ms == 0 ? SHARED_PATIENCE_MS
                                                                       : options->patience_ms,
                              .silence_ms = options->silence_ms,
                              .scripts = scripts,
                              .n_scripts = SCRIPT_COUNT,
                              .on_tick = tick,
                              .tick_ms = s->lease_ms / 3,
                              .user = s};
  s->link = link_new(&link);
  link_start(s->link);
  return s;
}

void shared_stop(struct shared *s)
{
  if (s != NULL)
    link_stop(s->link);
}

void shared_free(struct shared *s)
{
  if (s == NULL)
    return;
  link_free(s->link);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

bool shared_is_up(struct shared *s)
{
  return s != NULL && link_is_up(s->link);
}
