/* The one mapping from a backend's status to what the model reads. */
#include "gateway/bridge/outcome.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

/* Ends a sentence that has no end yet. */
static void put_sentence(struct buf *out, const char *text)
{
  buf_puts(out, text);
  size_t len = strlen(text);
  if (len > 0 && strchr(".!?", text[len - 1]) == NULL)
    buf_putc(out, '.');
}

/* The backend's own message when there is one, else ours. */
static void put_message(struct buf *out, const struct err *status, const char *fallback)
{
  put_sentence(out, status->message[0] != '\0' ? status->message : fallback);
}

/* Advice, unless the message gives some, or names the time before which none helps. */
static void put_advice(struct buf *out, const struct err *status, const char *advice)
{
  static const char *const given[] = {"try again", "ask again", " until ", "next attempt in"};
  for (size_t i = 0; i < ARRAY_LEN(given); i++)
    if (ascii_case_find(status->message, given[i]) != NULL)
      return;
  buf_printf(out, " %s", advice);
}

/* Whether the service found its own source at fault, not itself. */
static bool is_of_its_source(const char *reason)
{
  static const char *const reasons[] = {"malformed_response", "inconsistent_paging", "invalid_data",
                                        "google_error"};
  for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
    if (strcmp(reason, reasons[i]) == 0)
      return true;
  return false;
}

static void put_unavailable(struct buf *out, const struct err *status,
                            const struct outcome_context *c)
{
  if (status->message[0] != '\0')
    put_message(out, status, "");
  else
    buf_printf(out, "%s is not reachable.", c->service);
  put_advice(out, status, "Try again in a minute.");
}

static void put_deadline(struct buf *out, const struct err *status, const struct outcome_context *c)
{
  if (status->message[0] != '\0')
    put_message(out, status, "");
  else
    buf_printf(out, "%s did not answer within %.3g s.", c->service, c->timeout_ms / 1000.0);
  put_advice(out, status, "Try again in a minute, or ask for a shorter period or fewer dealers.");
}

/* Not the caller's fault: the gateway's grant is from before auth-svc was restarted. */
static void put_bad_grant(struct buf *out, const struct outcome_context *c)
{
  buf_printf(out,
             "auth-svc no longer knows the grant of this call; it was probably restarted. Try "
             "again: %s then gets a new one. If that does not help, tell the operator.",
             c->tool);
}

enum err_code outcome_code(const struct err *status)
{
  bool too_large =
      status->code == ERR_RESOURCE_EXHAUSTED && strcmp(status->reason, "result_too_large") == 0;
  return too_large ? ERR_OUT_OF_RANGE : status->code;
}

void outcome_text(struct buf *out, const struct err *status, const struct outcome_context *c)
{
  switch (status->code) {
  case ERR_INVALID_ARGUMENT:
  case ERR_OUT_OF_RANGE:
    buf_printf(out, "Invalid arguments for %s: ", c->tool);
    put_message(out, status, "the service refused them");
    return;
  case ERR_PERMISSION_DENIED:
    buf_puts(out, "Access denied: ");
    put_message(out, status, "your credentials do not allow this");
    return;
  case ERR_UNAUTHENTICATED:
    if (strcmp(status->reason, "bad_grant") == 0) {
      put_bad_grant(out, c);
      return;
    }
    buf_puts(out, "Your credentials are no longer accepted: ");
    put_message(out, status, "they have expired");
    buf_puts(out, " Try again; if that does not help, connect again with a valid token.");
    return;
  case ERR_RESOURCE_EXHAUSTED:
    put_message(out, status, "A limit was reached");
    put_advice(out, status, "Try again in a minute, or ask for less at once.");
    return;
  case ERR_UNAVAILABLE:
    put_unavailable(out, status, c);
    return;
  case ERR_DEADLINE_EXCEEDED:
    put_deadline(out, status, c);
    return;
  case ERR_CANCELLED:
  case ERR_ABORTED:
    buf_printf(out, "%s ended the call before it was done: ", c->service);
    put_message(out, status, "it may be restarting");
    put_advice(out, status, "Try again.");
    return;
  case ERR_UNIMPLEMENTED:
    buf_printf(out,
               "%s does not know %s: gateway and services run different versions. Ask the operator "
               "to bring them to one version.",
               c->service, c->tool);
    return;
  case ERR_NOT_FOUND:
  case ERR_ALREADY_EXISTS:
  case ERR_FAILED_PRECONDITION:
    put_message(out, status, "The request does not fit the current state");
    return;
  default:
    if (!is_of_its_source(status->reason))
      buf_printf(out, "Internal error in %s: ", c->service);
    put_message(out, status, "no detail was given");
    buf_printf(out, " Give the operator the trace id %s.", c->trace);
    return;
  }
}
