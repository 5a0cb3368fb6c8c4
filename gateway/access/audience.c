/* Asks auth-svc about the resource URL. */
#include "gateway/access/audience.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

enum { AUDIENCE_MAGIC = 0x41554449, TIMEOUT_MS = 5000, RETRY_MS = 30000 };

struct audience {
  unsigned magic;
  struct rpc_channel *auth;
  const char *url;
  int64_t retry_ms;
  pthread_mutex_t lock; /* of what follows */
  bool right, asking;
  struct err refusal; /* .code ERR_OK: none */
  int64_t ask_at_ms;
};

struct audience *audience_new(struct rpc_channel *auth, const char *url, uint32_t retry_ms)
{
  struct audience *a = xcalloc(1, sizeof(*a));
  a->magic = AUDIENCE_MAGIC;
  a->auth = auth;
  a->url = url;
  a->retry_ms = retry_ms != 0 ? (int64_t)retry_ms : RETRY_MS;
  a->right = url == NULL || url[0] == '\0';
  pthread_mutex_init(&a->lock, NULL);
  return a;
}

void audience_free(struct audience *a)
{
  if (a == NULL)
    return;
  pthread_mutex_destroy(&a->lock);
  free(a);
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  (void)user, (void)message;
  return true;
}

/* An auth-svc that does not know the question, or takes it from another service only, cannot be
 * what keeps the gateway from starting. */
static bool settles(enum err_code code)
{
  return code == ERR_OK || code == ERR_UNIMPLEMENTED || code == ERR_PERMISSION_DENIED;
}

static void on_done(void *user, const struct err *status)
{
  struct audience *a = user;
  MAGIC_CHECK(a, AUDIENCE_MAGIC);
  pthread_mutex_lock(&a->lock);
  bool known = a->refusal.code != ERR_OK;
  a->asking = false;
  a->right = settles(status->code);
  if (a->right)
    a->refusal = (struct err){0};
  else if (status->code == ERR_FAILED_PRECONDITION)
    a->refusal = *status;
  if (a->refusal.code != ERR_OK)
    a->ask_at_ms = clock_mono_ms() + a->retry_ms;
  pthread_mutex_unlock(&a->lock);
  if (status->code == ERR_FAILED_PRECONDITION && !known)
    log_error("nobody could sign in: tokens for ANALYTICS_MCP_RESOURCE_URL are not accepted",
              LOG_S("detail", status->message));
  if (status->code == ERR_PERMISSION_DENIED)
    log_warn("auth-svc does not say whether it accepts tokens for ANALYTICS_MCP_RESOURCE_URL",
             LOG_S("detail", status->message));
}

static void ask(struct audience *a)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  static const struct rpc_client_options options = {.timeout_ms = TIMEOUT_MS,
                                                    .attempt_ms = RPC_QUICK_ATTEMPT_MS};
  Analytics__Auth__V1__CheckResourceRequest request =
      ANALYTICS__AUTH__V1__CHECK_RESOURCE_REQUEST__INIT;
  struct err e = {0};
  request.resource = borrow_text(a->url);
  if (rpc_client_start(NULL, a->auth, &analytics__auth__v1__auth_service__descriptor,
                       "CheckResource", RPC_UNARY, &request.base, &options, &callbacks, a,
                       &e) != ERR_OK)
    on_done(a, &e);
}

bool audience_is_right(struct audience *a, struct buf *detail)
{
  pthread_mutex_lock(&a->lock);
  bool start = !a->right && !a->asking && clock_mono_ms() >= a->ask_at_ms;
  a->asking = a->asking || start;
  pthread_mutex_unlock(&a->lock);
  if (start)
    ask(a);
  pthread_mutex_lock(&a->lock);
  bool right = a->right;
  if (!right && a->refusal.code != ERR_OK)
    buf_printf(detail, "failed oauth: %s\n", a->refusal.message);
  else if (!right)
    buf_puts(detail, "wait oauth: asks auth-svc whether it takes tokens for "
                     "ANALYTICS_MCP_RESOURCE_URL\n");
  pthread_mutex_unlock(&a->lock);
  return right;
}
