/* What standard tools ask of every server: health and reflection. */
#include <string.h>

#include "common/base/mem.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

#define HEALTH (&grpc__health__v1__health__descriptor)
#define STATUS(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

static struct echo echo;
static struct rpc_server *server;
static struct rpc_channel *channel;

static void begin(void)
{
  memset(&echo, 0, sizeof(echo));
  rpc_init();
  server = echo_start(&echo, NULL);
  channel = echo_connect(server);
}

static void end(void)
{
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

/* Code of Check; *status has the answer. */
static enum err_code check(const char *service, int *status)
{
  Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  request.service = TEXT(service);
  ProtobufCMessage *response;
  struct err e = {0};
  enum err_code code =
      rpc_client_call_sync(&response, channel, HEALTH, "Check", &request.base, NULL, &e);
  if (code != ERR_OK)
    return code;
  *status = (int)((Grpc__Health__V1__HealthCheckResponse *)response)->status;
  protobuf_c_message_free_unpacked(response, NULL);
  return code;
}

/* States that a Watch has delivered. */
struct watched {
  pthread_mutex_t lock;
  atomic_int n;
  int states[8];
  atomic_int done;
};

static bool on_state(void *user, const ProtobufCMessage *message)
{
  struct watched *w = user;
  pthread_mutex_lock(&w->lock);
  int n = atomic_load(&w->n);
  if (n < 8)
    w->states[n] = (int)((const Grpc__Health__V1__HealthCheckResponse *)message)->status;
  pthread_mutex_unlock(&w->lock);
  atomic_fetch_add(&w->n, 1);
  return true;
}

static void on_watch_done(void *user, const struct err *status)
{
  struct watched *w = user;
  (void)status;
  atomic_fetch_add(&w->done, 1);
}

static struct rpc_client_call *watch(struct watched *w, const char *service)
{
  static const struct rpc_client_callbacks callbacks = {on_state, on_watch_done};
  Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  request.service = TEXT(service);
  struct rpc_client_call *call;
  struct err e = {0};
  rpc_client_start(&call, channel, HEALTH, "Watch", RPC_SERVER_STREAMING, &request.base, NULL,
                   &callbacks, w, &e);
  return call;
}

static void check_knows_the_server_and_its_services(void)
{
  begin();
  int status = -1;
  CU_ASSERT_EQUAL(check("", &status), ERR_OK);
  CU_ASSERT_EQUAL(status, STATUS(SERVING));
  CU_ASSERT_EQUAL(check("amcp.test.v1.Echo", &status), ERR_OK);
  CU_ASSERT_EQUAL(status, STATUS(SERVING));
  CU_ASSERT_EQUAL(check("no.such.Service", &status), ERR_NOT_FOUND);
  end();
}

static void watch_tells_every_change_and_ends_with_the_server(void)
{
  begin();
  struct watched w = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct watched unknown = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct rpc_client_call *call = watch(&w, "amcp.test.v1.Echo");
  struct rpc_client_call *other = watch(&unknown, "no.such.Service");
  CU_ASSERT_TRUE(wait_for(&w.n, 1));
  CU_ASSERT_TRUE(wait_for(&unknown.n, 1));
  rpc_server_set_serving(server, false);
  CU_ASSERT_TRUE(wait_for(&w.n, 2));
  rpc_server_set_serving(server, false); /* no change, no message */
  rpc_server_set_serving(server, true);
  CU_ASSERT_TRUE(wait_for(&w.n, 3));
  rpc_server_stop(server); /* NOT_SERVING, then the end */
  server = NULL;
  CU_ASSERT_TRUE(wait_for(&w.done, 1));
  CU_ASSERT_TRUE(wait_for(&unknown.done, 1));
  static const int want[] = {STATUS(SERVING), STATUS(NOT_SERVING), STATUS(SERVING),
                             STATUS(NOT_SERVING)};
  CU_ASSERT_EQUAL(atomic_load(&w.n), 4);
  CU_ASSERT_EQUAL(memcmp(w.states, want, sizeof(want)), 0);
  CU_ASSERT_EQUAL(unknown.states[0], STATUS(SERVICE_UNKNOWN));
  CU_ASSERT_EQUAL(atomic_load(&unknown.n), 1);
  rpc_client_release(call);
  rpc_client_release(other);
  end();
}

static void watchers_that_leave_are_forgotten(void)
{
  begin();
  struct watched w[20];
  struct rpc_client_call *calls[20];
  for (size_t i = 0; i < 20; i++) {
    w[i] = (struct watched){.lock = PTHREAD_MUTEX_INITIALIZER};
    calls[i] = watch(&w[i], "");
  }
  for (size_t i = 0; i < 20; i++)
    CU_ASSERT_TRUE(wait_for(&w[i].n, 1));
  for (size_t i = 0; i < 20; i += 2)
    rpc_client_cancel(calls[i]);
  rpc_server_set_serving(server, false);
  for (size_t i = 1; i < 20; i += 2)
    CU_ASSERT_TRUE(wait_for(&w[i].n, 2));
  for (size_t i = 0; i < 20; i++)
    rpc_client_release(calls[i]);
  end();
}

/* One question and its answer. */
typedef Grpc__Reflection__V1__ServerReflectionRequest Question;
typedef Grpc__Reflection__V1__ServerReflectionResponse Answer;
#define ASK(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define GOT(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

struct asked {
  struct outcome outcome;
  uint8_t *bytes;
  size_t len;
};

static bool on_answer(void *user, const ProtobufCMessage *message)
{
  struct asked *a = user;
  a->len = protobuf_c_message_get_packed_size(message);
  a->bytes = xmalloc(a->len + 1);
  protobuf_c_message_pack(message, a->bytes);
  return true;
}

static void on_answered(void *user, const struct err *status)
{
  outcome_callbacks.on_done(&((struct asked *)user)->outcome, status);
}

static Answer *ask_under(const ProtobufCServiceDescriptor *service, const ProtobufCMessage *q)
{
  static const struct rpc_client_callbacks callbacks = {on_answer, on_answered};
  struct asked a = {.outcome = OUTCOME_INIT};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(NULL, channel, service, "ServerReflectionInfo",
                                         RPC_SERVER_STREAMING, q, NULL, &callbacks, &a, &e),
                        ERR_OK);
  CU_ASSERT_TRUE_FATAL(outcome_wait(&a.outcome));
  CU_ASSERT_EQUAL(a.outcome.status.code, ERR_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a.bytes);
  Answer *answer = grpc__reflection__v1__server_reflection_response__unpack(NULL, a.len, a.bytes);
  free(a.bytes);
  CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
  return answer;
}

static Answer *ask(const Question *q)
{
  return ask_under(&grpc__reflection__v1__server_reflection__descriptor, &q->base);
}

static void free_answer(Answer *a)
{
  protobuf_c_message_free_unpacked(&a->base, NULL);
}

static bool lists(const Answer *a, const char *service)
{
  for (size_t i = 0; i < a->list_services_response->n_service; i++)
    if (strcmp(a->list_services_response->service[i]->name, service) == 0)
      return true;
  return false;
}

static void reflection_lists_all_services_under_both_names(void)
{
  begin();
  Question q = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
  q.message_request_case = ASK(LIST_SERVICES);
  q.list_services = TEXT("*");
  Grpc__Reflection__V1alpha__ServerReflectionRequest old =
      GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__INIT;
  old.message_request_case =
      GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
  old.list_services = TEXT("*");
  for (int i = 0; i < 2; i++) {
    Answer *a =
        i == 0 ? ask(&q)
               : ask_under(&grpc__reflection__v1alpha__server_reflection__descriptor, &old.base);
    CU_ASSERT_EQUAL_FATAL(a->message_response_case, GOT(LIST_SERVICES_RESPONSE));
    CU_ASSERT_EQUAL(a->list_services_response->n_service, 4);
    CU_ASSERT_TRUE(lists(a, "amcp.test.v1.Echo"));
    CU_ASSERT_TRUE(lists(a, "grpc.health.v1.Health"));
    CU_ASSERT_TRUE(lists(a, "grpc.reflection.v1.ServerReflection"));
    CU_ASSERT_TRUE(lists(a, "grpc.reflection.v1alpha.ServerReflection"));
    free_answer(a);
  }
  end();
}

/* Name of the first file of an answer, NULL when it is an error. */
static bool first_file_is(const Answer *a, const char *name)
{
  if (a->message_response_case != GOT(FILE_DESCRIPTOR_RESPONSE))
    return false;
  const ProtobufCBinaryData *bytes = &a->file_descriptor_response->file_descriptor_proto[0];
  Google__Protobuf__FileDescriptorProto *f =
      google__protobuf__file_descriptor_proto__unpack(NULL, bytes->len, bytes->data);
  bool is = f != NULL && strcmp(f->name, name) == 0;
  if (f != NULL)
    protobuf_c_message_free_unpacked(&f->base, NULL);
  return is;
}

static void reflection_finds_files_by_name_and_by_symbol(void)
{
  begin();
  static const struct {
    const char *symbol, *file;
  } cases[] = {
      {"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
      {"grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"},
      {"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"},
      {"grpc.health.v1.HealthCheckRequest.service", "grpc/health/v1/health.proto"},
      {"analytics.auth.v1.AuthService", "analytics/auth/v1/auth.proto"},
      {"analytics.auth.v1.ROLE_ADMIN", "analytics/auth/v1/auth.proto"},
      {"mcp.v1.tool", "mcp/v1/options.proto"},
      {"google.protobuf.MethodOptions", "google/protobuf/descriptor.proto"},
      {"grpc.health.v1.Health.NoSuchMethod", NULL},
      {"grpc.health.v1", NULL},
      {"", NULL},
  };
  Question q = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    q.message_request_case = ASK(FILE_CONTAINING_SYMBOL);
    q.file_containing_symbol = TEXT(cases[i].symbol);
    Answer *a = ask(&q);
    if (cases[i].file != NULL) {
      CU_ASSERT_TRUE(first_file_is(a, cases[i].file));
    } else {
      CU_ASSERT_EQUAL_FATAL(a->message_response_case, GOT(ERROR_RESPONSE));
      CU_ASSERT_EQUAL(a->error_response->error_code, ERR_NOT_FOUND);
    }
    free_answer(a);
  }
  q.message_request_case = ASK(FILE_BY_FILENAME);
  q.file_by_filename = TEXT("analytics/auth/v1/auth.proto");
  Answer *a = ask(&q);
  CU_ASSERT_TRUE(first_file_is(a, "analytics/auth/v1/auth.proto"));
  /* With what it imports: options.proto and descriptor.proto. */
  CU_ASSERT_EQUAL(a->file_descriptor_response->n_file_descriptor_proto, 3);
  free_answer(a);
  end();
}

static void reflection_finds_extensions(void)
{
  begin();
  Question q = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
  q.message_request_case = ASK(ALL_EXTENSION_NUMBERS_OF_TYPE);
  q.all_extension_numbers_of_type = TEXT("google.protobuf.MethodOptions");
  Answer *a = ask(&q);
  CU_ASSERT_EQUAL_FATAL(a->message_response_case, GOT(ALL_EXTENSION_NUMBERS_RESPONSE));
  CU_ASSERT_EQUAL_FATAL(a->all_extension_numbers_response->n_extension_number, 1);
  Grpc__Reflection__V1__ExtensionRequest extension = GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
  extension.containing_type = TEXT("google.protobuf.MethodOptions");
  extension.extension_number = a->all_extension_numbers_response->extension_number[0];
  free_answer(a);
  q.message_request_case = ASK(FILE_CONTAINING_EXTENSION);
  q.file_containing_extension = &extension;
  a = ask(&q);
  CU_ASSERT_TRUE(first_file_is(a, "mcp/v1/options.proto"));
  free_answer(a);
  q.message_request_case = ASK(_NOT_SET);
  a = ask(&q);
  CU_ASSERT_EQUAL(a->message_response_case, GOT(ERROR_RESPONSE));
  free_answer(a);
  end();
}

TEST_MAIN("rpc tools", TEST(check_knows_the_server_and_its_services),
          TEST(watch_tells_every_change_and_ends_with_the_server),
          TEST(watchers_that_leave_are_forgotten),
          TEST(reflection_lists_all_services_under_both_names),
          TEST(reflection_finds_files_by_name_and_by_symbol), TEST(reflection_finds_extensions))
