/* Reading the answers of the endpoints that give tokens: what all flows share. Pure. */
#ifndef AMCP_AUTH_TOKEN_ANSWER_H
#define AMCP_AUTH_TOKEN_ANSWER_H

#include <cjson/cJSON.h>

#include "auth-svc/credential/exchange.h"

/* A failure that may be over soon: "WHO ...". Takes Retry-After from the response. */
void answer_passing(struct token_reply *out, const struct http_response *r, const char *reason,
                    const char *who, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Whether the status says so: 408, 429 and 5xx. Then *out holds the failure. */
bool answer_busy(struct token_reply *out, const struct http_response *r, const char *reason,
                 const char *who);
/* The object that an answer is, to be wiped; NULL with a failure that may be over soon. */
cJSON *answer_object(struct token_reply *out, const struct http_response *r, const char *reason,
                     const char *who);
/* A failure that the operator must mend in the configuration; says nothing of the dealer. */
void answer_operator_fault(struct token_reply *out, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A question that could not even be sent: e says why. */
void answer_not_sent(struct token_reply *out, const struct err *e);

/* Whether no whole answer arrived; *out then holds a passing failure of `who`, with
 * `reason`, or the operator's fault `certificate_refused`. `most` is the size that was too much,
 * for the message. */
bool answer_lost(struct token_reply *out, const struct http_response *r, const char *reason,
                 const char *who, const char *most);

/* Reads an error of a Google API, {"error": {"code", "message", "status"}}: 429 and 5xx pass,
 * the rest is for the operator: "WHO refused WHAT: status (message); REMEDY". False when the
 * body is not such an error. */
bool answer_google_error(struct token_reply *out, const struct http_response *r, const char *who,
                         const char *what, const char *remedy, const struct form_field *secrets,
                         size_t n);

/* A text of the server for a message: printable, short, and empty when it repeats a secret
 * value or twelve characters of one in a row. */
void answer_quote(char *out, size_t size, const char *text, const struct form_field *form,
                  size_t n);

/* Whether a text can be a bearer token (RFC 6750 §2.1): 1 to TOKEN_MAX_BYTES visible ASCII. */
bool answer_is_token(const char *s);

/* Whether a text is one of OAuth's error codes, lower_snake_case words: nothing else becomes a
 * reason or is repeated. NULL is none. */
bool answer_is_error_code(const char *s);

/* Whether a space-separated list of scopes (RFC 6749 section 3.3) has this one. */
bool answer_has_scope(const char *list, const char *scope);

#endif
