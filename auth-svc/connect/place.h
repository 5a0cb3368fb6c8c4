/* Where the three lists of the store lie: in a folder of this process alone (folder.c), or in a
 * PostgreSQL that several replicas share (shared.c). Nobody but the store includes it. Not
 * thread-safe: the store's lock covers it. */
#ifndef AMCP_AUTH_CONNECT_PLACE_H
#define AMCP_AUTH_CONNECT_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth-svc/connect/store.h"
#include "common/base/error.h"

enum { CONNECT_LISTS = 3 };
extern const char *const connect_list_names[CONNECT_LISTS]; /* "invites", "sessions", "dealers" */

/* The lists as JSON arrays; NULL where a list is as it was taken last. */
struct connect_texts {
  char *list[CONNECT_LISTS];
};
void connect_texts_free(struct connect_texts *t);

struct connect_place {
  bool shared; /* others may change it meanwhile */
  /* Takes the lists: nobody else changes them before put() or give_back(). *news is what others
   * changed since. *now_ms is set where the place has a clock that all its users go by. After an
   * error nothing is taken. */
  enum err_code (*take)(struct connect_place *p, struct connect_texts *news, int64_t *now_ms,
                        struct err *e);
  /* Stores the lists, all of them given, of which `changed` are not what was taken, and gives them
   * back. ERR_OK: they survive a loss of power. Otherwise they are as before, or nobody knows: then
   * the next take() finds out. */
  enum err_code (*put)(struct connect_place *p, const struct connect_texts *texts,
                       const bool changed[CONNECT_LISTS], struct err *e);
  void (*give_back)(struct connect_place *p);
  /* What was read last is not to be built on: the next take() brings all lists. */
  void (*forget)(struct connect_place *p);
  /* What others changed since, without taking anything. */
  enum err_code (*look)(struct connect_place *p, struct connect_texts *news, struct err *e);
  void (*close)(struct connect_place *p);
};

/* The folder's file is read here, and the folder taken for this process alone. Errors as
 * connect_store_open() has them. */
enum err_code connect_place_folder(struct connect_place **out, const char *state_dir,
                                   struct err *e);
/* Reads the file of a folder that another process may have. NOT_FOUND when there is none. */
enum err_code connect_place_peek(const char *state_dir, struct connect_texts *out, struct err *e);
/* Connects when it is first used, and again when the connection was lost. The tables are made and
 * migrated then. UNAVAILABLE `state_unavailable` while that cannot be done, at once for a second
 * after it failed. */
enum err_code connect_place_shared(struct connect_place **out, const char *database_url,
                                   struct err *e);

#endif
