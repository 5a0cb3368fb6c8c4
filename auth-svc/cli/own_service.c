/* Calls the auth-svc that runs with these settings. */
#include "auth-svc/cli/own_service.h"

#include <stdio.h>
#include <unistd.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/auth/v1/connect.pb-c.h"
#include "auth-svc/config/trust.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/probe.h"
#include "common/base/random.h"
#include "common/rpc/rpc.h"

enum { ORDER_LIFE_S = 120, TIMEOUT_MS = 60000, MESSAGE_MAX = 8 << 20 };

/* A short grant of an admin, in the name of the command. */
static enum err_code seal_grant(struct buf *out, const struct sealer *sealer, const char *command,
                                struct err *e)
{
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  char id[RANDOM_ID_SIZE], subject[80];
  random_id(id);
  snprintf(subject, sizeof(subject), "auth-svc %s (uid %u)", command, (unsigned)getuid());
  grant.subject = subject;
  grant.principal_id = subject;
  grant.role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  grant.all_dealers = true;
  grant.grant_id = id;
  grant.expires_at = clock_unix_ms() / 1000 + ORDER_LIFE_S;
  return seal_message(sealer, SEAL_GRANT, &grant.base, out, e);
}

static enum err_code make_grant(struct buf *out, struct settings *s, const char *command,
                                struct err *e)
{
  struct trust_source *source = NULL;
  struct trust trust = {0};
  if (s->trust.seal_key == NULL && s->trust.seal_key_file == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_seal_key",
                   "AUTH_SEAL_KEY_FILE (or AUTH_SEAL_KEY) must be set, here and for the running "
                   "service: it takes orders only from whoever holds its key");
  enum err_code code = trust_source_new(&source, &s->trust, e);
  if (code == ERR_OK)
    code = trust_load(&trust, source, e);
  if (code == ERR_OK)
    code = seal_grant(out, trust.sealer, command, e);
  trust_clear(&trust);
  trust_source_free(source);
  return code;
}

static enum err_code call(ProtobufCMessage **response, const struct settings *s,
                          const struct buf *grant, const char *method,
                          const ProtobufCMessage *request, struct err *e)
{
  char address[300];
  struct rpc_channel *channel = NULL;
  if (!probe_own_address(s->grpc_listen, address, sizeof(address)))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting", "GRPC_LISTEN: must be host:port");
  const struct rpc_channel_options options = {.target = address,
                                              .tls = s->service.tls,
                                              .name = "auth-svc",
                                              .max_message_bytes = MESSAGE_MAX,
                                              .any_host = true};
  const struct rpc_metadata metadata = {RPC_META_GRANT, grant->data, grant->len};
  const struct rpc_client_options limits = {
      .timeout_ms = TIMEOUT_MS, .metadata = &metadata, .n_metadata = 1};
  enum err_code code = rpc_channel_new(&channel, &options, e);
  if (code == ERR_OK)
    code =
        rpc_client_call_sync(response, channel, &analytics__auth__v1__connect_service__descriptor,
                             method, request, &limits, e);
  rpc_channel_free(channel);
  return code;
}

enum err_code own_service_call(ProtobufCMessage **response, struct settings *s, const char *command,
                               const char *method, const ProtobufCMessage *request, struct err *e)
{
  AUTO_BUF struct buf grant = BUF_SECRET(SEALED_MAX_BYTES);
  enum err_code code = make_grant(&grant, s, command, e);
  if (code != ERR_OK)
    return code;
  rpc_init();
  code = call(response, s, &grant, method, request, e);
  rpc_shutdown();
  return code;
}
