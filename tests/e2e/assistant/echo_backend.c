/* echo_backend: every service behind the gateway in one program, for tests of what arrives there.
 *
 * Any bearer is a grant for everything. Each tool of the catalogue answers an empty result, and its
 * request is printed on standard output as one line of JSON, {"tool":...,"request":{...}}, before
 * the answer goes out. Prints its port first and serves until standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/pbjson/oneof.h"
#include "common/pbjson/pbjson.h"
#include "common/rpc/rpc.h"
#include "gateway/catalog/catalog.h"

enum { METHODS_MAX = 64, SERVICES_MAX = 8, LINE_MAX_BYTES = 1 << 20 };

static void authenticate(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)request;
  (void)service;
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  grant.subject = borrow_text("assistant");
  grant.role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  grant.expires_at = clock_unix_ms() / 1000 + 3600;
  grant.principal_id = borrow_text("assistant");
  Analytics__Auth__V1__AuthenticateResponse r = ANALYTICS__AUTH__V1__AUTHENTICATE_RESPONSE__INIT;
  static uint8_t sealed[] = "sealed";
  r.grant = &grant;
  r.sealed = (ProtobufCBinaryData){sizeof(sealed) - 1, sealed};
  rpc_call_reply(call, &r.base);
}

static const struct catalog_tool *tool_of(const ProtobufCMessage *request)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    if (catalog_tools[i].input == request->descriptor)
      return &catalog_tools[i];
  }
  return NULL;
}

static void print_request(const struct catalog_tool *tool, const ProtobufCMessage *request)
{
  AUTO_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
  struct err e = {0};
  buf_printf(&line, "{\"tool\":\"%s\",\"request\":", tool->name);
  if (pbjson_write(&line, request, NULL, &e) != ERR_OK)
    fprintf(stderr, "echo_backend: %s\n", e.message);
  printf("%s}\n", buf_str(&line));
  fflush(stdout);
}

static ProtobufCMessage *new_message(struct rpc_call *call,
                                     const ProtobufCMessageDescriptor *descriptor)
{
  ProtobufCMessage *message = arena_alloc(rpc_call_arena(call), descriptor->sizeof_message);
  protobuf_c_message_init(descriptor, message);
  return message;
}

static void echo(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)service;
  const struct catalog_tool *tool = tool_of(request);
  print_request(tool, request);
  ProtobufCMessage *response = new_message(call, tool->response);
  if (!tool->streaming) {
    rpc_call_reply(call, response);
    return;
  }
  oneof_set(response, "result", new_message(call, tool->output));
  rpc_call_send_wait(call, response);
  rpc_call_finish(call, NULL);
}

/* The tools of one service, and Authenticate where it belongs. */
static enum err_code add_service(struct rpc_server *server,
                                 const ProtobufCServiceDescriptor *service,
                                 struct rpc_method *methods, struct err *e)
{
  size_t n = 0;
  if (service == &analytics__auth__v1__auth_service__descriptor)
    methods[n++] = (struct rpc_method){"Authenticate", RPC_UNARY, RPC_ON_POLLER, authenticate};
  for (size_t i = 0; i < catalog_tools_len && n < METHODS_MAX; i++) {
    const struct catalog_tool *tool = &catalog_tools[i];
    if (tool->service == service)
      methods[n++] = (struct rpc_method){
          tool->method, tool->streaming ? RPC_SERVER_STREAMING : RPC_UNARY, RPC_ON_WORKER, echo};
  }
  return rpc_server_add(server, service, methods, n, NULL, e);
}

static enum err_code add_services(struct rpc_server *server, struct err *e)
{
  static struct rpc_method methods[SERVICES_MAX][METHODS_MAX];
  const ProtobufCServiceDescriptor *added[SERVICES_MAX];
  size_t n = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    size_t k = 0;
    while (k < n && added[k] != catalog_tools[i].service)
      k++;
    if (k < n || n == SERVICES_MAX)
      continue;
    added[n] = catalog_tools[i].service;
    enum err_code code = add_service(server, added[n], methods[n], e);
    n++;
    if (code != ERR_OK)
      return code;
  }
  return rpc_server_start(server, e);
}

int main(void)
{
  struct rpc_server_options options = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 500};
  struct rpc_server *server = NULL;
  struct err e = {0};
  rpc_init();
  if (rpc_server_new(&server, &options, &e) != ERR_OK || add_services(server, &e) != ERR_OK) {
    fprintf(stderr, "echo_backend: %s\n", e.message);
    return EXIT_FAILURE;
  }
  printf("%u\n", rpc_server_port(server));
  fflush(stdout);
  while (getchar() != EOF)
    ;
  rpc_server_stop(server);
  rpc_shutdown();
  return EXIT_SUCCESS;
}
