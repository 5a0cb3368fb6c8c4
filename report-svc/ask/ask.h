/* The one way from a question to a reply of Google, for one dealer.
 *
 * A question is a row of google/methods.h, whose it is, and a body. An ask takes it through
 *
 *     token -> property, address -> cache -> place -> request -> rows or message -> next page
 *
 * (google/call.c does what lies between token and request, and tries again), and ends with Google's
 * whole answer or with an error. Nothing here blocks; callbacks run on the threads of common/http
 * and common/rpc, one at a time. */
#ifndef AMCP_REPORT_ASK_H
#define AMCP_REPORT_ASK_H

#include "report-svc/ask/answer.h"
#include "report-svc/ask/service.h"
#include "report-svc/request/request.h"

struct ask;

/* In the place of a property's first day with data (days since 1970-01-01). */
enum {
  FIRST_DAY_UNKNOWN = 0, /* nobody asked, or Google did not answer */
  FIRST_DAY_NONE = -1,   /* there is no session at all */
};

/* What it points to must outlive the ask. */
struct ask_options {
  struct service *service;
  struct rpc_call *parent; /* the call being served: grant, trace, deadline */
  const struct google_method *method;
  const char *dealer_id;        /* "": whose property it is says whose credential is asked */
  const char *property_id;      /* as the caller wrote it; "": the dealer's first */
  const ProtobufCMessage *body; /* method->request, without the property; NULL: none */
  Analytics__Auth__V1__Purpose purpose; /* 0: PURPOSE_DIRECT */
  /* Called once it is known whose credential is used and which property (digits) is asked, before
   * anything is sent, perhaps again with a renewed token: may give another body, which must outlive
   * the ask. An error ends it. NULL: none. */
  enum err_code (*on_token)(void *user, const struct token *t, const char *property,
                            const ProtobufCMessage **body, struct err *e);
  bool one_property; /* ends with TOKEN_SEVERAL_PROPERTIES where none of several is named */
  bool fresh;        /* neither takes an answer from the cache nor leaves one */
  /* Of a list in pages: whether an item stays; may change it. NULL keeps all. */
  bool (*keep)(void *user, ProtobufCMessage *item);
  /* How long an answer may be kept, in milliseconds, at a time since 1970; `ttl_ms` is the cache's
   * own time. NULL: that. */
  int64_t (*keep_ms)(const ProtobufCMessage *body, const ProtobufCMessage *answer, int64_t ttl_ms,
                     int64_t now_unix_ms);
  const char *too_many; /* said when more items or rows come than fit; NULL: a general text */
  /* Counts the memory of the answer, and ends the ask where there is no more (see room.h). Only of
   * methods with rows that are not cacheable, and with too_many; NULL: not counted. */
  struct room_share *room;
  /* The end, exactly once; e->code is ERR_OK on success. */
  void (*on_done)(void *user, struct ask *a, const struct err *e);
  void *user;
};

/* Makes an ask with one reference for the owner; ask_start() lets it run. on_done may run before
 * start returns. */
struct ask *ask_new(const struct ask_options *options);
void ask_start(struct ask *a);
struct ask *ask_ref(struct ask *a);
/* NULL is fine. */
void ask_unref(struct ask *a);
/* on_done follows with ERR_CANCELLED, perhaps before this returns, unless it ran. Thread-safe. */
void ask_cancel(struct ask *a);

/* After the end. */
/* Google's answer, of the method's response type; lives as long as the ask. NULL after an error. */
const ProtobufCMessage *ask_message(const struct ask *a);
/* Frees the answer; the rest stays. */
void ask_drop_message(struct ask *a);
/* The body that was asked, of the method's request type; as the options gave it. */
const ProtobufCMessage *ask_body(const struct ask *a);
/* Whose credential was used; NULL when it never came to that. Lives as long as the ask. */
const struct token *ask_used_token(const struct ask *a);
/* "properties/213025502". */
const char *ask_property(const struct ask *a);
/* Whether the caller named the property, so that it is not the dealer's default one. */
bool ask_names_property(const struct ask *a);
/* The first day with data of the property, FIRST_DAY_UNKNOWN until it is set: looked up where a
 * report has no rows (first_day.h), by whoever owns the ask, before anybody reads it. */
int64_t ask_first_day(const struct ask *a);
void ask_set_first_day(struct ask *a, int64_t day);
/* Puts whose failure it is before an error, unless the arguments are at fault or auth-svc named
 * the dealer already. */
void ask_name_dealer(const struct ask *a, struct err *e);

#endif
