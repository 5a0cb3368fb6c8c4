/* Commands to Redis. */
#include "report-svc/shared/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

void command_add(struct command *c, const char *data, size_t len)
{
  c->argv[c->n] = data;
  c->lens[c->n++] = len;
}

void command_add_text(struct command *c, const char *text)
{
  command_add(c, text, strlen(text));
}

void command_add_number(struct command *c, int64_t number)
{
  snprintf(c->numbers[c->n], NUMBER_SIZE, "%" PRId64, number);
  command_add_text(c, c->numbers[c->n]);
}

void command_start_script(struct command *c, const struct shared *s, size_t script, int n_keys)
{
  c->n = 0;
  command_add_text(c, "EVALSHA");
  command_add_text(c, link_script(s->link, script));
  command_add_number(c, n_keys);
}

const char *property_key(char out[KEY_SIZE], const char *property, enum property_key which)
{
  static const char *const names[] = {
      [PLACES] = "places", [GUESTS] = "guests", [ERRORS] = "errors", [STATE] = "state"};
  snprintf(out, KEY_SIZE, "amcp:{%.200s}:%s", property, names[which]);
  return out;
}

const char *id_text(char out[ID_SIZE], const struct shared *s, uint64_t id)
{
  snprintf(out, ID_SIZE, "%s-%" PRIu64, s->replica, id);
  return out;
}

static void end_note(struct link_op *op, const struct redisReply *reply)
{
  (void)op;
  (void)reply;
}

static void release_note(struct link_op *op)
{
  free(op);
}

void send_note(struct shared *s, enum note note, const struct command *c)
{
  static const struct link_op_type types[] = {
      [NOTE_GIVE] = {"give", end_note, NULL, release_note},
      [NOTE_RENEW] = {"renew", end_note, NULL, release_note},
      [NOTE_STATE] = {"note", end_note, NULL, release_note},
      [NOTE_ANSWER] = {"put_answer", end_note, NULL, release_note},
      [NOTE_PING] = {"ping", end_note, NULL, release_note}};
  struct link_op *op = xcalloc(1, sizeof(*op));
  link_op_set(op, &types[note], c->n, (const char **)(uintptr_t)c->argv, c->lens);
  link_submit(s->link, op);
}
