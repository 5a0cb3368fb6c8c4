/* Places of a property that all replicas share: leases. */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/shared/command.h"

struct take {
  struct link_op op;
  struct shared *shared;
  struct shared_place *place;
  void (*decided)(void *user, const struct shared_decision *d);
  void *user;
  uint64_t id;
  bool guest;
  char key[KEY_SIZE];
};

static bool read_decision(struct shared_decision *out, const redisReply *reply)
{
  *out = (struct shared_decision){.verdict = SHARED_AWAY};
  if (reply == NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
    return false;
  for (size_t i = 0; i < 3; i++)
    if (reply->element[i]->type != REDIS_REPLY_INTEGER)
      return false;
  long long verdict = reply->element[0]->integer;
  if (verdict < SHARED_GRANTED || verdict >= SHARED_AWAY)
    return false;
  out->verdict = (enum shared_verdict)verdict;
  out->until_ms = reply->element[1]->integer;
  out->day = reply->element[2]->integer != 0;
  return true;
}

static void give(struct shared *s, const char *property, uint64_t id, bool guest)
{
  char id_buf[ID_SIZE], key[KEY_SIZE];
  for (int which = PLACES; which <= (guest ? GUESTS : PLACES); which++) {
    struct command c = {0};
    command_add_text(&c, "ZREM");
    command_add_text(&c, property_key(key, property, which));
    command_add_text(&c, id_text(id_buf, s, id));
    send_note(s, NOTE_GIVE, &c);
  }
}

static void hold(struct shared *s, struct shared_place *place)
{
  pthread_mutex_lock(&s->lock);
  place->shared = s;
  place->prev = NULL;
  place->next = s->held;
  if (s->held != NULL)
    s->held->prev = place;
  s->held = place;
  pthread_mutex_unlock(&s->lock);
}

static void end_take(struct link_op *op, const redisReply *reply)
{
  struct take *t = CONTAINER_OF(op, struct take, op);
  struct shared_decision d;
  if (read_decision(&d, reply) && d.verdict == SHARED_GRANTED)
    hold(t->shared, t->place);
  t->decided(t->user, &d);
}

/* Nobody waits for it any more: the local state decided. */
static void late_take(struct link_op *op, const redisReply *reply)
{
  const struct take *t = CONTAINER_OF(op, struct take, op);
  struct shared_decision d;
  if (read_decision(&d, reply) && d.verdict == SHARED_GRANTED)
    give(t->shared, t->key, t->id, t->guest);
}

static void release_take(struct link_op *op)
{
  free(CONTAINER_OF(op, struct take, op));
}

static void write_take(struct take *t, const struct shared_limits *limits)
{
  static const struct link_op_type type = {"take", end_take, late_take, release_take};
  struct command c;
  char keys[4][KEY_SIZE], id[ID_SIZE];
  command_start_script(&c, t->shared, SCRIPT_TAKE, 4);
  for (int which = PLACES; which <= STATE; which++)
    command_add_text(&c, property_key(keys[which], t->key, which));
  command_add_text(&c, id_text(id, t->shared, t->id));
  command_add_number(&c, t->guest);
  command_add_number(&c, limits->places);
  command_add_number(&c, limits->guest_places);
  command_add_number(&c, limits->server_errors);
  command_add_number(&c, limits->probe_ms);
  command_add_number(&c, t->shared->lease_ms);
  link_op_set(&t->op, &type, c.n, c.argv, c.lens);
}

void shared_take_place(struct shared *s, struct shared_place *place, const char *key, bool guest,
                       const struct shared_limits *limits,
                       void (*decided)(void *user, const struct shared_decision *d), void *user)
{
  struct take *t = xcalloc(1, sizeof(*t));
  t->shared = s;
  t->place = place;
  t->decided = decided;
  t->user = user;
  t->id = atomic_fetch_add(&s->next_id, 1);
  t->guest = guest;
  snprintf(t->key, sizeof(t->key), "%s", key);
  *place = (struct shared_place){.key = key, .id = t->id, .guest = guest};
  write_take(t, limits);
  link_submit(s->link, &t->op);
}

void shared_give_place(struct shared_place *place)
{
  struct shared *s = place->shared;
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  *(place->prev != NULL ? &place->prev->next : &s->held) = place->next;
  if (place->next != NULL)
    place->next->prev = place->prev;
  place->shared = NULL;
  pthread_mutex_unlock(&s->lock);
  give(s, place->key, place->id, place->guest);
}

/* Under the lock, so that a place that is given back is not renewed after that. */
void places_renew(struct shared *s)
{
  pthread_mutex_lock(&s->lock);
  for (const struct shared_place *p = s->held; p != NULL; p = p->next) {
    struct command c;
    char keys[2][KEY_SIZE], id[ID_SIZE];
    command_start_script(&c, s, SCRIPT_RENEW, p->guest ? 2 : 1);
    for (int which = PLACES; which <= (p->guest ? GUESTS : PLACES); which++)
      command_add_text(&c, property_key(keys[which], p->key, which));
    command_add_text(&c, id_text(id, s, p->id));
    command_add_number(&c, s->lease_ms);
    send_note(s, NOTE_RENEW, &c);
  }
  pthread_mutex_unlock(&s->lock);
}
