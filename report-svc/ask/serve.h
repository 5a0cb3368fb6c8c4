/* A unary rpc that asks Google one question: a tool says what to ask and what to make of it. */
#ifndef AMCP_REPORT_SERVE_H
#define AMCP_REPORT_SERVE_H

#include "report-svc/ask/ask.h"

struct ask_tool {
  enum google_method_id method;
  /* Checks the request and fills in whose and what is asked (dealer_id, property_id, body, fresh;
   * also keep_ms, where that goes with the body).
   * What it makes lives in the arena. */
  enum err_code (*question)(struct ask_options *out, const ProtobufCMessage *request,
                            struct arena *arena, struct err *e);
  /* The reply from Google's answer (ask_message()); may point into it and into the request. NULL
   * at the arena's cap. */
  ProtobufCMessage *(*reply)(const struct ask *a, const ProtobufCMessage *request,
                             struct arena *arena);
  /* Whether a report has no rows because there is no data of its days: the property's first day is
   * then looked up before the reply (ask_first_day()). NULL: it does not matter. */
  bool (*lacks_data)(const struct ask *a, const ProtobufCMessage *request);
  /* See ask_options. */
  int64_t (*keep_ms)(const ProtobufCMessage *body, const ProtobufCMessage *answer, int64_t ttl_ms,
                     int64_t now_unix_ms);
  /* Goes on where the ask ended with an error that is not the caller's business; false: it is. */
  bool (*instead)(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
                  const struct err *e);
  /* Puts the path of the argument before an error of Google about it; NULL: has none. */
  void (*locate)(const ProtobufCMessage *body, struct err *e);
};

/* The question of a tool whose request has dealer_id and property_id and nothing else to ask. */
enum err_code ask_about_property(struct ask_options *out, const ProtobufCMessage *request,
                                 struct arena *arena, struct err *e);

/* Serves the call: question, ask, reply; errors name the dealer. Ends with the call's cancellation
 * and deadline. `tool` is static. */
void ask_serve(struct rpc_call *call, const ProtobufCMessage *request, struct service *service,
               const struct ask_tool *tool);

#endif
