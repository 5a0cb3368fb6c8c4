/* The part of a trace that is one request to another server. */
#include <stdio.h>

#include "common/base/mem.h"
#include "common/http/internal.h"
#include "common/trace/tracer.h"

static struct span *begin(struct trace_context *own, const struct http_transfer *t,
                          const struct http_request *r, const struct trace_context *parent)
{
  char name[SPAN_NAME_MAX + 1];
  snprintf(name, sizeof(name), "%s%s%s", t->method, r->operation != NULL ? " " : "",
           r->operation != NULL ? r->operation : "");
  struct span *s = span_begin(own, SPAN_CLIENT, name, parent);
  span_text(s, "http.request.method", t->method);
  span_text(s, "server.address", t->host);
  return s;
}

bool http_trace_begin(struct http_transfer *t, const struct http_request *request,
                      struct trace_context *own)
{
  const struct trace_context *parent =
      trace_context_exists(request->trace) ? request->trace : trace_current();
  if (request->untraced || (parent == NULL && !trace_on()))
    return false;
  if (parent != NULL) {
    t->trace = xmalloc(sizeof(*t->trace));
    trace_context_copy(t->trace, parent);
  }
  t->span = begin(own, t, request, parent);
  return true;
}

void http_trace_end(struct http_transfer *t, const struct http_response *response)
{
  char status[16];
  struct span *s = TAKE_PTR(t->span);
  if (s == NULL)
    return;
  if (response->status != 0)
    span_number(s, "http.response.status_code", response->status);
  snprintf(status, sizeof(status), "%d", response->status);
  if (response->error.code != ERR_OK)
    span_fail(s, response->error.reason[0] != '\0' ? response->error.reason
                                                   : err_code_name(response->error.code));
  else if (response->status >= 400)
    span_fail(s, status);
  span_end(s);
}

void http_trace_free(struct http_transfer *t)
{
  span_free(t->span);
  free(t->trace);
}
