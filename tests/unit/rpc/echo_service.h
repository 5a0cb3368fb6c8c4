/* The Echo service, and helpers to start it and to call it. */
#ifndef AMCP_TESTS_RPC_ECHO_SERVICE_H
#define AMCP_TESTS_RPC_ECHO_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/rpc/rpc.h"
#include "echo.pb-c.h"

typedef Amcp__Test__V1__SayRequest SayRequest;
typedef Amcp__Test__V1__SayResponse SayResponse;
typedef Amcp__Test__V1__FailRequest FailRequest;
typedef Amcp__Test__V1__CountRequest CountRequest;
typedef Amcp__Test__V1__CountResponse CountResponse;
typedef Amcp__Test__V1__DescribeResponse DescribeResponse;
typedef Amcp__Test__V1__Tree Tree;
#define ECHO_SERVICE (&amcp__test__v1__echo__descriptor)
#define SAY_REQUEST AMCP__TEST__V1__SAY_REQUEST__INIT
/* protobuf-c wants char * for what it only reads. */
#define TEXT(s) ((char *)(uintptr_t)(s))

/* What the service has seen. Zero it before the start. */
struct echo {
  struct rpc_channel *relay; /* to itself, for Relay; may be NULL */
  atomic_int served;         /* Say, SaySlowly and Fail handlers entered */
  atomic_int hanging;        /* Hang handlers entered */
  atomic_int cancelled;      /* on_cancel callbacks of Hang and Count */
  atomic_int full;           /* sends refused with RESOURCE_EXHAUSTED */
  atomic_int sent;           /* messages of Count taken */
  atomic_int counts_over;    /* Count handlers done */
};

/* Starts a server with the service; asserts that it works. o may be NULL: loopback, a
 * free port, short drain. */
struct rpc_server *echo_start(struct echo *echo, const struct rpc_server_options *o);
/* host:port of a started server, in a static buffer per thread. */
const char *echo_address(const struct rpc_server *s);
/* A plaintext channel to it, called "echo-svc". */
struct rpc_channel *echo_connect(const struct rpc_server *s);
/* One Say or other SayRequest -> SayResponse method; returns the code, *e has the rest. */
enum err_code echo_say(struct rpc_channel *ch, const char *method, const char *text,
                       const struct rpc_client_options *o, struct err *e);

/* Collects what an asynchronous call delivers. */
struct outcome {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int messages;
  size_t bytes;
  uint32_t last_number;
  bool in_order;
  int pause_after; /* on_message returns false once this many came; 0 never */
  int done;        /* times on_done ran */
  struct err status;
};
#define OUTCOME_INIT                                                                               \
  {                                                                                                \
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .in_order = true       \
  }
extern const struct rpc_client_callbacks outcome_callbacks;
/* Waits for on_done, at most 20 s. False: it did not come. */
bool outcome_wait(struct outcome *o);
/* Waits until *value reaches `want`, at most 20 s. */
bool wait_for(atomic_int *value, int want);
void pause_ms(unsigned ms);

#endif
