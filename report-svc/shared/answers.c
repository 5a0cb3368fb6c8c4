/* Answers that replicas share. */
#include <hiredis/hiredis.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "report-svc/shared/command.h"

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
  command_start_script(&c, s, SCRIPT_ANSWER, 1);
  command_add_text(&c, answer_key(name, key));
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
  command_add_text(&c, "SET");
  command_add_text(&c, answer_key(name, key));
  command_add(&c, data, len);
  command_add_text(&c, "PX");
  command_add_number(&c, ttl_ms);
  send_note(s, NOTE_ANSWER, &c);
}
