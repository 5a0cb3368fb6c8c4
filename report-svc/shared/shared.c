/* The state of all replicas: operations on Redis. See shared.h. */
#include "report-svc/shared/shared.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "report-svc/shared/link.h"
#include "report-svc/shared/scripts.h"

enum { KEY_SIZE = 256, ID_SIZE = 40, NUMBER_SIZE = 24, MAX_ARGS = 16, ERRORS_KEPT = 64 };
enum { PLACES, GUESTS, ERRORS, STATE };

static const char *const scripts[SCRIPT_COUNT] = {
    [SCRIPT_TAKE] = SCRIPT_TAKE_TEXT,     [SCRIPT_RENEW] = SCRIPT_RENEW_TEXT,
    [SCRIPT_ERROR] = SCRIPT_ERROR_TEXT,   [SCRIPT_STATE] = SCRIPT_STATE_TEXT,
    [SCRIPT_ANSWER] = SCRIPT_ANSWER_TEXT,
};

struct shared {
  struct link *link;
  uint32_t lease_ms;
  char replica[17]; /* tells the leases of this process from others' */
  atomic_uint_fast64_t next_id;
  pthread_mutex_t lock;
  struct shared_place *held; /* guarded by the lock */
};

/* ------------------------------------------------------------------ commands */

/* A command as it is put together; texts stay the caller's until link_op_set(). */
struct command {
  const char *argv[MAX_ARGS];
  size_t lens[MAX_ARGS];
  int n;
  char numbers[MAX_ARGS][NUMBER_SIZE];
};

static void add(struct command *c, const char *data, size_t len)
{
  c->argv[c->n] = data;
  c->lens[c->n++] = len;
}

static void add_text(struct command *c, const char *text)
{
  add(c, text, strlen(text));
}

static void add_number(struct command *c, int64_t number)
{
  snprintf(c->numbers[c->n], NUMBER_SIZE, "%" PRId64, number);
  add_text(c, c->numbers[c->n]);
}

static void start_script(struct command *c, const struct shared *s, size_t script, int n_keys)
{
  c->n = 0;
  add_text(c, "EVALSHA");
  add_text(c, link_script(s->link, script));
  add_number(c, n_keys);
}

static const char *key_of(char out[KEY_SIZE], const char *property, int which)
{
  static const char *const names[] = {"places", "guests", "errors", "state"};
  snprintf(out, KEY_SIZE, "amcp:{%.200s}:%s", property, names[which]);
  return out;
}

static const char *id_text(char out[ID_SIZE], const struct shared *s, uint64_t id)
{
  snprintf(out, ID_SIZE, "%s-%" PRIu64, s->replica, id);
  return out;
}

/* ------------------------------------------------------------------ what nobody waits for */

static void end_note(struct link_op *op, const redisReply *reply)
{
  (void)op;
  (void)reply;
}

static void release_note(struct link_op *op)
{
  free(op);
}

static void send_note(struct shared *s, const char *name, const struct command *c)
{
  static const struct link_op_type types[] = {{"give", end_note, NULL, release_note},
                                              {"renew", end_note, NULL, release_note},
                                              {"note", end_note, NULL, release_note},
                                              {"put_answer", end_note, NULL, release_note},
                                              {"ping", end_note, NULL, release_note}};
  size_t i = 0;
  while (strcmp(types[i].name, name) != 0)
    i++;
  struct link_op *op = xcalloc(1, sizeof(*op));
  link_op_set(op, &types[i], c->n, (const char **)c->argv, c->lens);
  link_submit(s->link, op);
}

/* ------------------------------------------------------------------ places */

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
    add_text(&c, "ZREM");
    add_text(&c, key_of(key, property, which));
    add_text(&c, id_text(id_buf, s, id));
    send_note(s, "give", &c);
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
  start_script(&c, t->shared, SCRIPT_TAKE, 4);
  for (int which = PLACES; which <= STATE; which++)
    add_text(&c, key_of(keys[which], t->key, which));
  add_text(&c, id_text(id, t->shared, t->id));
  add_number(&c, t->guest);
  add_number(&c, limits->places);
  add_number(&c, limits->guest_places);
  add_number(&c, limits->server_errors);
  add_number(&c, limits->probe_ms);
  add_number(&c, t->shared->lease_ms);
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

/* Renews what is held, under the lock, so that a place that is given back is not renewed after
 * that. The ping shows a Redis that hangs to a replica that has nothing to ask, too. */
static void renew(void *user)
{
  struct shared *s = user;
  struct command ping = {0};
  add_text(&ping, "PING");
  send_note(s, "ping", &ping);
  pthread_mutex_lock(&s->lock);
  for (const struct shared_place *p = s->held; p != NULL; p = p->next) {
    struct command c;
    char keys[2][KEY_SIZE], id[ID_SIZE];
    start_script(&c, s, SCRIPT_RENEW, p->guest ? 2 : 1);
    for (int which = PLACES; which <= (p->guest ? GUESTS : PLACES); which++)
      add_text(&c, key_of(keys[which], p->key, which));
    add_text(&c, id_text(id, s, p->id));
    add_number(&c, s->lease_ms);
    send_note(s, "renew", &c);
  }
  pthread_mutex_unlock(&s->lock);
}

/* ------------------------------------------------------------------ quota, server errors */

void shared_note_server_error(struct shared *s, const char *key)
{
  struct command c;
  char name[KEY_SIZE], id[ID_SIZE];
  if (s == NULL)
    return;
  start_script(&c, s, SCRIPT_ERROR, 1);
  add_text(&c, key_of(name, key, ERRORS));
  add_text(&c, id_text(id, s, atomic_fetch_add(&s->next_id, 1)));
  add_number(&c, ERRORS_KEPT);
  send_note(s, "note", &c);
}

void shared_note_held(struct shared *s, const char *key, int64_t until_ms)
{
  struct command c;
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  start_script(&c, s, SCRIPT_STATE, 1);
  add_text(&c, key_of(name, key, STATE));
  add_text(&c, "held");
  add_number(&c, until_ms);
  send_note(s, "note", &c);
}

void shared_note_gone(struct shared *s, const char *key, int64_t until_ms, bool day,
                      int64_t probe_at_ms)
{
  struct command c;
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  start_script(&c, s, SCRIPT_STATE, 1);
  add_text(&c, key_of(name, key, STATE));
  add_text(&c, "gone");
  add_number(&c, until_ms);
  add_text(&c, "day");
  add_number(&c, day);
  add_text(&c, "probe");
  add_number(&c, probe_at_ms);
  send_note(s, "note", &c);
}

void shared_note_back(struct shared *s, const char *key)
{
  struct command c = {0};
  char name[KEY_SIZE];
  if (s == NULL)
    return;
  add_text(&c, "HDEL");
  add_text(&c, key_of(name, key, STATE));
  add_text(&c, "gone");
  add_text(&c, "day");
  add_text(&c, "probe");
  send_note(s, "note", &c);
}

/* ------------------------------------------------------------------ answers */

struct lookup {
  struct link_op op;
  void (*found)(void *user, const void *data, size_t len, int64_t ttl_ms);
  void *user;
};

static void end_lookup(struct link_op *op, const redisReply *reply)
{
  struct lookup *l = CONTAINER_OF(op, struct lookup, op);
  bool found = reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
               reply->element[0]->type == REDIS_REPLY_STRING &&
               reply->element[1]->type == REDIS_REPLY_INTEGER && reply->element[1]->integer > 0;
  if (found)
    l->found(l->user, reply->element[0]->str, reply->element[0]->len, reply->element[1]->integer);
  else
    l->found(l->user, NULL, 0, 0);
}

static void release_lookup(struct link_op *op)
{
  free(CONTAINER_OF(op, struct lookup, op));
}

/* Another version of the program may read the same answer differently. */
static const char *answer_key(char out[KEY_SIZE], const struct buf *key)
{
  unsigned char sha[EVP_MAX_MD_SIZE];
  char hex[65];
  EVP_Digest(buf_str(key), key->len, sha, NULL, EVP_sha256(), NULL);
  hex_write(hex, sha, 32);
  snprintf(out, KEY_SIZE, "amcp:answer:%s:%s", AMCP_VERSION, hex);
  return out;
}

void shared_get_answer(struct shared *s, const struct buf *key,
                       void (*found)(void *user, const void *data, size_t len, int64_t ttl_ms),
                       void *user)
{
  static const struct link_op_type type = {"get_answer", end_lookup, NULL, release_lookup};
  struct command c;
  char name[KEY_SIZE];
  struct lookup *l = xcalloc(1, sizeof(*l));
  l->found = found;
  l->user = user;
  start_script(&c, s, SCRIPT_ANSWER, 1);
  add_text(&c, answer_key(name, key));
  link_op_set(&l->op, &type, c.n, c.argv, c.lens);
  link_submit(s->link, &l->op);
}

void shared_put_answer(struct shared *s, const struct buf *key, const void *data, size_t len,
                       int64_t ttl_ms)
{
  struct command c = {0};
  char name[KEY_SIZE];
  if (s == NULL || len > SHARED_ANSWER_MAX || ttl_ms <= 0)
    return;
  add_text(&c, "SET");
  add_text(&c, answer_key(name, key));
  add(&c, data, len);
  add_text(&c, "PX");
  add_number(&c, ttl_ms);
  send_note(s, "put_answer", &c);
}

/* ------------------------------------------------------------------ life */

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
                              .on_tick = renew,
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
