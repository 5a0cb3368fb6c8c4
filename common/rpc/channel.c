/* A channel to one backend: its connection and the calls under way. */
#include <arpa/inet.h>
#include <grpc/grpc_security.h>
#include <string.h>

#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/rpc/args.h"
#include "common/rpc/client.h"
#include "common/rpc/tls.h"

/* Whether the target is looked up: not a list of addresses, and not one address. */
static bool is_name(const char *target)
{
  static const char *const schemes[] = {"ipv4:", "ipv6:", "unix:", "unix-abstract:"};
  for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
    if (strncmp(target, schemes[i], strlen(schemes[i])) == 0)
      return false;
  char host[256];
  uint16_t port;
  struct in6_addr address;
  return !config_split_hostport(target, host, sizeof(host), &port) ||
         (inet_pton(AF_INET, host, &address) != 1 && inet_pton(AF_INET6, host, &address) != 1);
}

enum err_code rpc_channel_new(struct rpc_channel **out, const struct rpc_channel_options *options,
                              struct err *e)
{
  *out = NULL;
  if (options->target == NULL || options->target[0] == '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "the address of %s is missing",
                   options->name != NULL ? options->name : "a backend");
  grpc_channel_credentials *credentials;
  enum err_code code =
      rpc_tls_client(&credentials, &options->tls, options->identity, options->any_host, e);
  if (code != ERR_OK)
    return code;
  struct rpc_channel *ch = xcalloc(1, sizeof(*ch));
  ch->target = xstrdup(options->target);
  ch->named = is_name(options->target);
  ch->name = xstrdup(options->name != NULL ? options->name : options->target);
  ch->max_message_bytes =
      options->max_message_bytes == 0 ? (size_t)32 * 1024 * 1024 : options->max_message_bytes;
  pthread_mutex_init(&ch->lock, NULL);
  pthread_cond_init(&ch->idle, NULL);
  struct rpc_args args;
  rpc_args_client(&args, ch->max_message_bytes);
  ch->core = grpc_channel_create(ch->target, credentials, &args.args);
  grpc_channel_credentials_release(credentials);
  ch->poller = rpc_poller_pick();
  ch->retry = (struct rpc_timer){.run = client_retry_due, .arg = ch};
  ch->patience = (struct rpc_timer){.run = client_patience_due, .arg = ch};
  *out = ch;
  return ERR_OK;
}

/* Cancels every call and waits for the last on_done. */
static void end_calls(struct rpc_channel *ch)
{
  pthread_mutex_lock(&ch->lock);
  ch->closing = true;
  for (struct rpc_client_call *call = ch->calls; call != NULL; call = call->next)
    rpc_client_cancel(call);
  while (ch->calls != NULL || atomic_load(&ch->pokes) > 0)
    pthread_cond_wait(&ch->idle, &ch->lock);
  pthread_mutex_unlock(&ch->lock);
  rpc_poller_settle(ch->poller);
}

void rpc_channel_free(struct rpc_channel *ch)
{
  if (ch == NULL)
    return;
  end_calls(ch);
  grpc_channel_destroy(ch->core);
  struct channel_method *m = atomic_load(&ch->methods);
  while (m != NULL) {
    struct channel_method *next = m->next;
    free(m);
    m = next;
  }
  pthread_cond_destroy(&ch->idle);
  pthread_mutex_destroy(&ch->lock);
  free(ch->name);
  free(ch->target);
  free(ch);
}

bool rpc_channel_ready(struct rpc_channel *ch)
{
  return grpc_channel_check_connectivity_state(ch->core, 1) == GRPC_CHANNEL_READY;
}

static const struct channel_method *
find(const struct channel_method *m, const ProtobufCServiceDescriptor *service, const char *method)
{
  for (; m != NULL; m = m->next)
    if (m->service == service && strcmp(m->descriptor->name, method) == 0)
      return m;
  return NULL;
}

static const struct channel_method *add_method(struct rpc_channel *ch,
                                               const ProtobufCServiceDescriptor *service,
                                               const ProtobufCMethodDescriptor *descriptor)
{
  AUTO_FREE char *path = xasprintf("/%s/%s", service->name, descriptor->name);
  struct channel_method *m = xcalloc(1, sizeof(*m));
  m->service = service;
  m->descriptor = descriptor;
  m->registered = grpc_channel_register_call(ch->core, path, NULL, NULL);
  m->next = atomic_load(&ch->methods);
  atomic_store(&ch->methods, m);
  return m;
}

const struct channel_method *channel_method_get(struct rpc_channel *ch,
                                                const ProtobufCServiceDescriptor *service,
                                                const char *method, struct err *e)
{
  const struct channel_method *m = find(atomic_load(&ch->methods), service, method);
  if (m != NULL)
    return m;
  const ProtobufCMethodDescriptor *d =
      protobuf_c_service_descriptor_get_method_by_name(service, method);
  if (d == NULL) {
    err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s has no method %s", service->name, method);
    return NULL;
  }
  pthread_mutex_lock(&ch->lock);
  m = find(atomic_load(&ch->methods), service, method);
  if (m == NULL)
    m = add_method(ch, service, d);
  pthread_mutex_unlock(&ch->lock);
  return m;
}

bool channel_link(struct rpc_channel *ch, struct rpc_client_call *call)
{
  pthread_mutex_lock(&ch->lock);
  bool open = !ch->closing;
  if (open) {
    call->next = ch->calls;
    call->link = &ch->calls;
    if (call->next != NULL)
      call->next->link = &call->next;
    ch->calls = call;
  }
  pthread_mutex_unlock(&ch->lock);
  return open;
}

void channel_poked(struct rpc_channel *ch)
{
  pthread_mutex_lock(&ch->lock);
  if (atomic_fetch_sub(&ch->pokes, 1) == 1)
    pthread_cond_broadcast(&ch->idle);
  pthread_mutex_unlock(&ch->lock);
}

void channel_unlink(struct rpc_channel *ch, struct rpc_client_call *call)
{
  pthread_mutex_lock(&ch->lock);
  *call->link = call->next;
  if (call->next != NULL)
    call->next->link = call->link;
  if (ch->calls == NULL)
    pthread_cond_broadcast(&ch->idle);
  pthread_mutex_unlock(&ch->lock);
}
