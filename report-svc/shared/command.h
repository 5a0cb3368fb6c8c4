/* Inside of shared/: commands to Redis, as shared.c, places.c, quota.c and answers.c put them
 * together. */
#ifndef AMCP_REPORT_SHARED_COMMAND_H
#define AMCP_REPORT_SHARED_COMMAND_H

#include <pthread.h>
#include <stdatomic.h>

#include "report-svc/shared/link.h"
#include "report-svc/shared/scripts.h"
#include "report-svc/shared/shared.h"

struct shared {
  struct link *link;
  uint32_t lease_ms;
  char replica[17]; /* sets the leases of this process apart from others' */
  atomic_uint_fast64_t next_id;
  pthread_mutex_t lock;
  struct shared_place *held; /* guarded by the lock */
};

enum { KEY_SIZE = 256, ID_SIZE = 40, NUMBER_SIZE = 24, MAX_ARGS = 16 };

/* A command as it is put together; texts stay the caller's until it is sent. */
struct command {
  const char *argv[MAX_ARGS];
  size_t lens[MAX_ARGS];
  int n;
  char numbers[MAX_ARGS][NUMBER_SIZE];
};

void command_add(struct command *c, const char *data, size_t len);
void command_add_text(struct command *c, const char *text);
void command_add_number(struct command *c, int64_t number);
/* EVALSHA of a script; its keys and arguments follow. */
void command_start_script(struct command *c, const struct shared *s, size_t script, int n_keys);

/* Which of a property's keys. */
enum property_key { PLACES, GUESTS, ERRORS, STATE };
const char *property_key(char out[KEY_SIZE], const char *property, enum property_key which);
/* A name that no other replica gives. */
const char *id_text(char out[ID_SIZE], const struct shared *s, uint64_t id);

/* What nobody waits for the reply of. */
enum note { NOTE_GIVE, NOTE_RENEW, NOTE_STATE, NOTE_ANSWER, NOTE_PING };
void send_note(struct shared *s, enum note note, const struct command *c);

/* Renews the leases of all places that are held; on the link's thread. */
void places_renew(struct shared *s);

#endif
