/* Session ids that were opened before: a table in which each id has one place. */
#include "gateway/mcp/opened.h"

#include <pthread.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

enum { PLACES = 1024 };

struct place {
  char id[MCP_SESSION_ID_MAX]; /* "": none */
  struct mcp_session_facts facts;
};

struct opened {
  struct ring *keys;
  pthread_mutex_t lock;
  uint64_t version; /* of the keys that opened them; guarded by lock, like the places */
  struct place places[PLACES];
};

struct opened *opened_new(struct ring *keys)
{
  struct opened *o = xcalloc(1, sizeof(*o));
  o->keys = keys;
  pthread_mutex_init(&o->lock, NULL);
  return o;
}

void opened_free(struct opened *o)
{
  if (o == NULL)
    return;
  pthread_mutex_destroy(&o->lock);
  free(o);
}

/* Forgets all when the keys are not of this version. */
static void keep_version(struct opened *o, uint64_t version)
{
  if (o->version != version)
    memset(o->places, 0, sizeof(o->places));
  o->version = version;
}

bool opened_find(struct opened *o, const char *id, struct mcp_session_facts *facts)
{
  size_t len = strnlen(id, MCP_SESSION_ID_MAX);
  if (len == 0 || len == MCP_SESSION_ID_MAX)
    return false;
  struct place *place = &o->places[hash_data(id, len) % PLACES];
  uint64_t version = ring_version(o->keys);
  pthread_mutex_lock(&o->lock);
  keep_version(o, version);
  bool found = strcmp(place->id, id) == 0;
  if (found)
    *facts = place->facts;
  pthread_mutex_unlock(&o->lock);
  if (found || !mcp_session_id_open(o->keys, id, facts))
    return found;
  pthread_mutex_lock(&o->lock);
  if (o->version == version) {
    memcpy(place->id, id, len + 1);
    place->facts = *facts;
  }
  pthread_mutex_unlock(&o->lock);
  return true;
}
