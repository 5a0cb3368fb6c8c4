/* What is known about a call besides its request: metadata, read where the core keeps it, and the
 * caller, copied out of the core on first use, because most handlers never ask. */
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/rpc/server.h"

struct call_facts {
  char *identity;
  char *address;
};

const grpc_slice *call_metadata_find(const struct rpc_call *call, const char *key)
{
  for (size_t i = 0; i < call->metadata.count; i++)
    if (grpc_slice_str_cmp(call->metadata.metadata[i].key, key) == 0)
      return &call->metadata.metadata[i].value;
  return NULL;
}

/* Identities are compared and shown as text: a name that holds a NUL would end there, and pass
 * for the shorter one. */
static bool is_plain_text(const char *name, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
      return false;
  return utf8_valid(name, len);
}

/* The first of the caller's names that its certificate holds; "" without one, and when it is
 * no text: another name of such a certificate is not believed either. */
static char *copy_identity(grpc_call *core)
{
  static const char *const names[] = {GRPC_PEER_SPIFFE_ID_PROPERTY_NAME,
                                      GRPC_PEER_DNS_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME};
  grpc_auth_context *context = grpc_call_auth_context(core);
  char *identity = NULL;
  if (context != NULL && grpc_auth_context_peer_is_authenticated(context)) {
    for (size_t i = 0; i < ARRAY_LEN(names) && identity == NULL; i++) {
      grpc_auth_property_iterator it = grpc_auth_context_find_properties_by_name(context, names[i]);
      const grpc_auth_property *p = grpc_auth_property_iterator_next(&it);
      if (p != NULL && p->value_length > 0)
        identity = is_plain_text(p->value, p->value_length) ? xstrndup(p->value, p->value_length)
                                                            : xstrdup("");
    }
  }
  grpc_auth_context_release(context);
  return identity != NULL ? identity : xstrdup("");
}

static struct call_facts *facts_of(struct rpc_call *call)
{
  pthread_mutex_lock(&call->lock);
  if (call->facts == NULL) {
    call->facts = xcalloc(1, sizeof(*call->facts));
    call->facts->identity = copy_identity(call->core);
    char *address = grpc_call_get_peer(call->core);
    call->facts->address = xstrdup(address);
    gpr_free(address);
  }
  pthread_mutex_unlock(&call->lock);
  return call->facts;
}

void call_facts_free(struct call_facts *facts)
{
  if (facts == NULL)
    return;
  free(facts->identity);
  free(facts->address);
  free(facts);
}

const void *rpc_call_metadata(const struct rpc_call *call, const char *key, size_t *len)
{
  const grpc_slice *value = call_metadata_find(call, key);
  if (len != NULL)
    *len = value != NULL ? GRPC_SLICE_LENGTH(*value) : 0;
  return value != NULL ? GRPC_SLICE_START_PTR(*value) : NULL;
}

struct rpc_peer rpc_call_peer(struct rpc_call *call)
{
  const struct call_facts *f = facts_of(call);
  return (struct rpc_peer){.identity = f->identity, .address = f->address};
}
