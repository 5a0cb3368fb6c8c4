/* Session ids that were opened before. */
#include "gateway/mcp/opened.h"

#include "common/base/mem.h"
#include "common/base/table.h"

enum { IDS_MAX = 1024 };

struct known {
  uint64_t version; /* of the keys that opened the id */
  struct mcp_session_facts facts;
};

struct opened {
  struct ring *keys;
  struct table ids; /* of struct known */
};

struct opened *opened_new(struct ring *keys)
{
  struct opened *o = xcalloc(1, sizeof(*o));
  o->keys = keys;
  table_init(&o->ids, sizeof(struct known), IDS_MAX, NULL, NULL);
  return o;
}

void opened_free(struct opened *o)
{
  if (o == NULL)
    return;
  table_free(&o->ids);
  free(o);
}

bool opened_find(struct opened *o, const char *id, struct mcp_session_facts *facts)
{
  size_t len = strnlen(id, MCP_SESSION_ID_MAX);
  if (len == 0 || len == MCP_SESSION_ID_MAX)
    return false;
  uint64_t version = ring_version(o->keys);
  pthread_mutex_lock(&o->ids.lock);
  const struct known *known = table_find(&o->ids, id, len, 0);
  bool found = known != NULL && known->version == version;
  if (found)
    *facts = known->facts;
  pthread_mutex_unlock(&o->ids.lock);
  if (found || !mcp_session_id_open(o->keys, id, facts))
    return found;
  pthread_mutex_lock(&o->ids.lock);
  *(struct known *)table_make(&o->ids, id, len) = (struct known){version, *facts};
  pthread_mutex_unlock(&o->ids.lock);
  return true;
}
