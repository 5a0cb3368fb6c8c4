/* The inside of the store, for its own files: store.c (the lists, taken and given back),
 * store_keys.c (a new keyring), store_watch.c (what other replicas change). */
#ifndef AMCP_AUTH_CONNECT_STORE_INTERNAL_H
#define AMCP_AUTH_CONNECT_STORE_INTERNAL_H

#include <pthread.h>

#include "auth-svc/connect/place.h"
#include "auth-svc/connect/store.h"

/* What is known without the store. */
struct store_known {
  struct err failure; /* of the last reading or writing; code ERR_OK when it went well */
  bool read;          /* once at least */
  int dealers, invites;
  uint64_t version; /* of the dealers */
  struct key_use use;
};

/* The thread that looks at what others changed. */
struct store_watch {
  pthread_t thread;
  bool runs;
  uint32_t every_ms;
  void (*changed)(void *user);
  void *user;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  bool stopping; /* guarded by lock */
};

struct connect_store {
  struct connect_place *place;
  int64_t (*unix_ms)(void); /* NULL: the place's clock, or ours */
  pthread_mutex_t gate;
  pthread_cond_t left;
  /* Guarded by gate: */
  bool entered;
  int64_t since_ms; /* on clock_mono_ms()'s scale */
  /* Of whoever has entered: */
  cJSON *root;
  struct connect_texts stored; /* the lists as the place has them; NULL: an empty one */
  struct keyring *ring;
  bool owes_sealing; /* the first key is another, and what is stored could not be sealed again */

  pthread_mutex_t known_lock;
  struct store_known known; /* guarded by known_lock */
  struct store_watch watch;
};

/* Takes the store alone, not its place: nobody else has it until store_leave(). False: it
 * `gives_up` because somebody waits for a server that does not answer. */
bool store_enter(struct connect_store *s, bool gives_up);
void store_leave(struct connect_store *s);
/* With the store taken: what others changed becomes ours, all of it or nothing. Frees the texts. */
enum err_code store_work_in(struct connect_store *s, struct connect_texts *news, struct err *e);
/* With store and place taken: stores what differs and gives the place back. After an error the
 * lists are as they were. */
enum err_code store_put(struct connect_store *s, struct err *e);
/* With the store taken: the lists are again as they were stored last. */
void store_take_back(struct connect_store *s);
/* How a reading or writing went: for /readyz, and for the log when it is news. */
void store_note(struct connect_store *s, const struct err *failure);
/* With store and place taken: seals again what another key than the first has sealed, and gives the
 * place back. */
enum err_code store_seal_again(struct connect_store *s, struct err *e);

#endif
