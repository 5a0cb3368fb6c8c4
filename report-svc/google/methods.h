/* Google's methods that this service calls, one row each: where a request goes, what it counts
 * against, what comes back. A further method is a row here and a tool that asks for it. */
#ifndef AMCP_REPORT_METHODS_H
#define AMCP_REPORT_METHODS_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/error.h"

enum google_api { GOOGLE_DATA_API, GOOGLE_ADMIN_API };

/* Whose quota a request uses up. Google counts each category of the Data API apart, and the Admin
 * API per project. */
enum google_quota {
  GOOGLE_QUOTA_CORE,
  GOOGLE_QUOTA_REALTIME,
  GOOGLE_QUOTA_FUNNEL,
  GOOGLE_QUOTA_ADMIN,
};

/* What a method is about: a property, or all that a credential can read. */
enum google_place { GOOGLE_OF_PROPERTY, GOOGLE_OF_CREDENTIAL };

/* Where an answer has rows. They are decoded as they arrive; other answers are collected. */
enum google_rows { GOOGLE_NO_ROWS, GOOGLE_ROWS, GOOGLE_ROWS_OF_REPORTS };

struct google_method {
  const char *name; /* in metrics and logs */
  enum google_api api;
  const char *version; /* "v1beta" */
  const char *verb;    /* "POST" */
  const char *path;    /* below the version; "{p}" stands for the property's digits */
  enum google_quota quota;
  enum google_place place;
  const ProtobufCMessageDescriptor *request; /* the body; NULL: none */
  const ProtobufCMessageDescriptor *response;
  enum google_rows rows;
  const char *items; /* the answer comes in pages: its list, as a field name; NULL: in one piece */
  const char *named; /* a text that every answer has: one without is not an answer; NULL: none */
  const char *part;  /* a message that every answer has; NULL: none */
  bool headed;       /* its headers must name what the body asked for */
  bool cacheable;    /* the same question soon after may have the same answer */
  const char *what;  /* in errors: "report" */
};

enum google_method_id {
  GOOGLE_RUN_REPORT,
  GOOGLE_BATCH_RUN_REPORTS,
  GOOGLE_GET_METADATA,
  GOOGLE_ACCOUNT_SUMMARIES,
  GOOGLE_GET_PROPERTY,
  GOOGLE_ADS_LINKS,
  GOOGLE_ANNOTATIONS,
  GOOGLE_KEY_EVENTS,
  GOOGLE_DATA_STREAMS,
  GOOGLE_QUOTAS_SNAPSHOT,
  GOOGLE_CHECK_COMPATIBILITY,
  GOOGLE_RUN_REALTIME_REPORT,
  GOOGLE_RUN_PIVOT_REPORT,
  GOOGLE_RUN_CONVERSIONS_REPORT,
  GOOGLE_RUN_FUNNEL_REPORT,
};

/* Static; thread-safe. */
const struct google_method *google_method(enum google_method_id id);

/* Where a request goes. */
struct google_target {
  char *url;     /* heap; NULL: nothing to send, the call is done */
  char key[160]; /* the governor's: requests of one key share their places */
};

/* The address and the governor's key. `endpoint` is the API's; `of` the property's digits, or the
 * dealer whose credential is asked; `page_token` NULL for the first page. ERR_INTERNAL
 * (`malformed_response`) when Google's page token does not fit an address. */
enum err_code google_method_target(struct google_target *out, const struct google_method *m,
                                   const char *endpoint, const char *of, const char *page_token,
                                   struct err *e);

/* Google's answer, unknown members ignored. The message lives in the arena. ERR_INTERNAL
 * (`malformed_response`) says where the text is not what the method answers. */
enum err_code google_method_read(ProtobufCMessage **out, const struct google_method *m,
                                 const char *text, size_t len, struct arena *arena, struct err *e);

#endif
