/* Server reflection, v1 and v1alpha: the same messages under two names.
 *
 * Rules: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md. A stream in
 * both directions: one answer per question, the next question is read after it. */
#include "common/base/mem.h"
#include "common/rpc/descriptors.h"
#include "common/rpc/server.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define ASKED(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define ANSWER(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

enum { MAX_EXTENSIONS = 64 };

struct reflection {
  struct rpc_server *server;
  pthread_mutex_t lock;
  struct descriptors *descriptors;  /* made on the first question, under the lock */
  ProtobufCServiceDescriptor alpha; /* v1's descriptor with the older name */
};

static struct descriptors *descriptors_of(struct reflection *r)
{
  pthread_mutex_lock(&r->lock);
  if (r->descriptors == NULL)
    r->descriptors = descriptors_new();
  pthread_mutex_unlock(&r->lock);
  return r->descriptors;
}

/* Sends with the question attached, as the protocol wants. */
static void send_answer(struct rpc_call *call, const Request *request, Response *response)
{
  response->original_request = (Request *)(uintptr_t)request;
  response->valid_host = request->host;
  rpc_call_send(call, &response->base);
}

static void send_error(struct rpc_call *call, const Request *request, enum err_code code,
                       const char *text)
{
  Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
  error.error_code = (int32_t)code;
  error.error_message = (char *)(uintptr_t)text;
  Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  response.message_response_case = ANSWER(ERROR_RESPONSE);
  response.error_response = &error;
  send_answer(call, request, &response);
}

static void add_file(Grpc__Reflection__V1__FileDescriptorResponse *answer,
                     const struct descriptors *d, size_t file)
{
  size_t len;
  const uint8_t *bytes = descriptors_bytes(d, file, &len);
  answer->file_descriptor_proto[answer->n_file_descriptor_proto++] =
      (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)bytes};
}

/* The file, then all it imports, so that no further question is needed. */
static void send_files(struct rpc_call *call, const Request *request, struct descriptors *d,
                       int file)
{
  if (file == DESCRIPTORS_NONE) {
    send_error(call, request, ERR_NOT_FOUND, "no .proto file of this server declares it");
    return;
  }
  size_t n = descriptors_count(d);
  AUTO_FREE bool *marked = xcalloc(n, sizeof(*marked));
  AUTO_FREE ProtobufCBinaryData *files = xcalloc(n, sizeof(*files));
  descriptors_mark(d, file, marked);
  Grpc__Reflection__V1__FileDescriptorResponse answer =
      GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
  answer.file_descriptor_proto = files;
  add_file(&answer, d, (size_t)file);
  for (size_t i = 0; i < n; i++)
    if (marked[i] && i != (size_t)file)
      add_file(&answer, d, i);
  Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  response.message_response_case = ANSWER(FILE_DESCRIPTOR_RESPONSE);
  response.file_descriptor_response = &answer;
  send_answer(call, request, &response);
}

static void send_services(struct rpc_call *call, const Request *request, struct rpc_server *s)
{
  size_t n = 0;
  for (const struct server_service *i = s->services; i != NULL; i = i->next)
    n++;
  typedef Grpc__Reflection__V1__ServiceResponse Name;
  AUTO_FREE Name *names = xcalloc(n, sizeof(*names));
  AUTO_FREE Name **list = xcalloc(n, sizeof(*list));
  n = 0;
  for (const struct server_service *i = s->services; i != NULL; i = i->next, n++) {
    names[n] = (Name)GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
    names[n].name = (char *)(uintptr_t)i->name;
    list[n] = &names[n];
  }
  Grpc__Reflection__V1__ListServiceResponse answer =
      GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
  answer.n_service = n;
  answer.service = list;
  Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  response.message_response_case = ANSWER(LIST_SERVICES_RESPONSE);
  response.list_services_response = &answer;
  send_answer(call, request, &response);
}

static void send_extension_numbers(struct rpc_call *call, const Request *request,
                                   struct descriptors *d)
{
  const char *type = request->all_extension_numbers_of_type;
  if (descriptors_by_symbol(d, type) == DESCRIPTORS_NONE) {
    send_error(call, request, ERR_NOT_FOUND, "no .proto file of this server declares the type");
    return;
  }
  int32_t numbers[MAX_EXTENSIONS];
  size_t n = descriptors_extensions_of(d, type, numbers, MAX_EXTENSIONS);
  Grpc__Reflection__V1__ExtensionNumberResponse answer =
      GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
  answer.base_type_name = (char *)(uintptr_t)type;
  answer.extension_number = numbers;
  answer.n_extension_number = n < MAX_EXTENSIONS ? n : MAX_EXTENSIONS;
  Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  response.message_response_case = ANSWER(ALL_EXTENSION_NUMBERS_RESPONSE);
  response.all_extension_numbers_response = &answer;
  send_answer(call, request, &response);
}

static void answer_question(struct rpc_call *call, const Request *q, struct reflection *r)
{
  struct descriptors *d = descriptors_of(r);
  switch (q->message_request_case) {
  case ASKED(LIST_SERVICES):
    send_services(call, q, r->server);
    return;
  case ASKED(FILE_BY_FILENAME):
    send_files(call, q, d, descriptors_by_name(d, q->file_by_filename));
    return;
  case ASKED(FILE_CONTAINING_SYMBOL):
    send_files(call, q, d, descriptors_by_symbol(d, q->file_containing_symbol));
    return;
  case ASKED(FILE_CONTAINING_EXTENSION):
    send_files(call, q, d,
               descriptors_by_extension(d, q->file_containing_extension->containing_type,
                                        q->file_containing_extension->extension_number));
    return;
  case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
    send_extension_numbers(call, q, d);
    return;
  default:
    send_error(call, q, ERR_INVALID_ARGUMENT, "the request asks for nothing");
    return;
  }
}

static void on_question(struct rpc_call *call, const ProtobufCMessage *message, void *service);

/* Reads on only when the last answers were taken, so questions cannot pile up memory. */
static void read_on(void *call)
{
  call_read(call, on_question);
}

static void on_question(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  if (message == NULL) {
    rpc_call_finish(call, NULL);
    return;
  }
  answer_question(call, (const Request *)message, service);
  rpc_call_on_writable(call, read_on, call);
}

static void on_first_question(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  on_question(call, message, service);
}

static const struct rpc_method methods[] = {
    {"ServerReflectionInfo", RPC_BIDI_STREAMING, RPC_ON_POLLER, on_first_question},
};

struct reflection *reflection_new(void)
{
  struct reflection *r = xcalloc(1, sizeof(*r));
  pthread_mutex_init(&r->lock, NULL);
  r->alpha = grpc__reflection__v1__server_reflection__descriptor;
  r->alpha.name = "grpc.reflection.v1alpha.ServerReflection";
  return r;
}

enum err_code reflection_add_to(struct reflection *r, struct rpc_server *s, struct err *e)
{
  r->server = s;
  enum err_code code = rpc_server_add(s, &grpc__reflection__v1__server_reflection__descriptor,
                                      methods, ARRAY_LEN(methods), r, e);
  if (code == ERR_OK)
    code = rpc_server_add(s, &r->alpha, methods, ARRAY_LEN(methods), r, e);
  return code;
}

void reflection_free(struct reflection *r)
{
  if (r == NULL)
    return;
  descriptors_free(r->descriptors);
  pthread_mutex_destroy(&r->lock);
  free(r);
}
