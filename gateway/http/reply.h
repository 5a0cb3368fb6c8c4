/* Answers in JSON, the errors of all routes in one form: {"error": "<what is wrong and what to
 * do>"}.
 */
#ifndef AMCP_GATEWAY_HTTP_REPLY_H
#define AMCP_GATEWAY_HTTP_REPLY_H

#include "gateway/http/listener.h"

#define REPLY_JSON_TYPE "application/json"

/* json: a value as text. Each of these is the exchange's one answer. */
void reply_json(struct exchange *x, int status, const char *json);
/* text is UTF-8. */
void reply_error(struct exchange *x, int status, const char *text);
/* 405; allow lists the methods that are, "GET, HEAD". */
void reply_not_allowed(struct exchange *x, const char *allow, const char *text);
/* Adds Retry-After, in whole seconds from 1. Before the answer. */
void reply_add_retry(struct exchange *x, int64_t retry_ms);

#endif
