/* An HTTP answer before it is sent, and Google's error bodies. */
#ifndef GA4_SIM_REPLY_H
#define GA4_SIM_REPLY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/sim/faults.h"

struct reply {
  int status;
  const char *content_type;
  char www_authenticate[200]; /* empty: no such header */
  const char *header_name;    /* one more header; NULL: none */
  char header_value[2048];
  struct buf body;
  bool pretty;      /* lay the JSON out when sending */
  bool no_store;    /* token responses */
  uint32_t slow_ms; /* send the body in pieces over this time */
  bool cut;         /* close in the middle of the body */
  bool malformed;   /* send a body that ends early, with a matching length */
};

void reply_init(struct reply *r);
void reply_free(struct reply *r);

/* {"error":{code,message,status[,details]}}. details (may be NULL) is taken over. */
void reply_google_error(struct reply *r, int status, const char *status_name, const char *message,
                        cJSON *details);
/* The same for an internal error code. */
void reply_err(struct reply *r, const struct err *e);
/* A google.rpc.ErrorInfo in an array. metadata: key, value, ..., NULL. */
cJSON *reply_error_info(const char *reason, ...) __attribute__((sentinel));
/* 404 as HTML, as Google answers an unknown path or verb. */
void reply_not_found(struct reply *r, const char *path);
void reply_bad_gateway(struct reply *r);
/* {"error":...,"error_description":...} of the token endpoint. */
void reply_oauth_error(struct reply *r, int status, const char *error, const char *description);
/* The same as reply_error_info() for another domain than googleapis.com. */
cJSON *reply_error_info_of(const char *reason, const char *domain, ...) __attribute__((sentinel));
/* 401 without and with a bearer, 403 for one whose scopes do not do, with the challenge.
 * rpc and service: full names; scope: one that would do. */
void reply_no_credentials(struct reply *r, const char *rpc, const char *service);
void reply_bad_credentials(struct reply *r);
void reply_insufficient_scopes(struct reply *r, const char *rpc, const char *service,
                               const char *scope);
/* Sets the one additional header. */
void reply_header(struct reply *r, const char *name, const char *value);
/* Faults that are the same everywhere: true when the answer is made already (HTML, text that
 * is not JSON, a huge body); slow, cut and malformed bodies are only marked. */
bool reply_spoil(struct reply *r, const struct fault_effect *x);
/* A JSON document as the body. */
void reply_json(struct reply *r, int status, const cJSON *json);

#endif
