/* conformance_server: what the official suites ask for, over HTTP on a free port of 127.0.0.1, open
 * to everybody. Prints its port, then serves until standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "gateway/http/policy.h"
#include "gateway/http/reply.h"
#include "gateway/messages.h"
#include "tests/e2e/conformance/server/suite.h"

struct served {
  struct mcp_server *mcp;
  struct origins *origins;
};

static void nothing(struct mcp_principal *p)
{
  (void)p;
}

static struct mcp_principal anyone = {.id = "anyone", .ref = nothing, .unref = nothing};

/* What a page in a browser must not get through. */
static void on_head(struct exchange *x, void *user)
{
  const struct served *served = user;
  if (strcmp(exchange_path(x), "/mcp") != 0)
    reply_error(x, 404, "Not found");
  else if (!origin_allowed(served->origins, exchange_header(x, "Origin")) ||
           !host_allowed(served->origins, exchange_header(x, "Host")))
    reply_error(x, 403, "Not from there");
}

static void on_request(struct exchange *x, void *user)
{
  const struct messages messages = {.mcp = ((struct served *)user)->mcp};
  const char *method = exchange_method(x);
  if (strcmp(method, "POST") == 0)
    messages_post(&messages, x, &anyone);
  else if (strcmp(method, "GET") == 0)
    messages_get(&messages, x, &anyone);
  else if (strcmp(method, "DELETE") == 0)
    messages_delete(&messages, x, &anyone);
  else
    reply_not_allowed(x, MESSAGES_METHODS, "Method not allowed");
}

static void on_tick(void *user)
{
  mcp_server_tick(((struct served *)user)->mcp);
}

int main(void)
{
  struct suite suite = {0};
  struct served served = {0};
  struct ring *keys = NULL;
  struct listener *listener = NULL;
  struct err e = {0};
  log_init("conformance_server", LOG_LEVEL_WARN);
  const struct listener_options options = {.host = "127.0.0.1",
                                           .on_head = on_head,
                                           .on_request = on_request,
                                           .on_tick = on_tick,
                                           .user = &served};
  if (ring_new(&keys, "conformance_server", NULL, &e) != ERR_OK ||
      origins_new(&served.origins, NULL, NULL, "127.0.0.1", 0, &e) != ERR_OK)
    abort();
  suite.server = served.mcp = mcp_server_new(&(struct mcp_server_options){
      .name = "conformance",
      .version = "1.0",
      .tools = suite_host(&suite),
      .session_keys = keys,
      .asks_in_sessions = true,
      .page_size = 8, /* so that lists have pages */
  });
  if (listener_start(&listener, &options, &e) != ERR_OK)
    abort();
  origins_set_port(served.origins, listener_port(listener));
  printf("%u\n", listener_port(listener));
  fflush(stdout);
  while (getchar() != EOF)
    ;
  mcp_server_end_streams(served.mcp, NULL);
  listener_stop(listener, 1000);
  mcp_server_free(served.mcp);
  origins_free(served.origins);
  ring_free(keys);
  return 0;
}
