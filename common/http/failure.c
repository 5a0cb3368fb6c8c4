/* What went wrong with a transfer, in words for people.
 *
 * Messages name host and port only. curl's own text is added for the kinds of failure whose
 * text holds no more than host names, addresses and certificate problems. */
#include <string.h>

#include "common/http/internal.h"

enum kind { KIND_LOCAL, KIND_CONNECT, KIND_NAME, KIND_HANDSHAKE, KIND_TLS, KIND_CUT };

static enum kind kind_of(CURLcode result)
{
  switch (result) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return KIND_NAME;
  case CURLE_COULDNT_CONNECT:
    return KIND_CONNECT;
  case CURLE_SSL_CONNECT_ERROR:
    return KIND_HANDSHAKE;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return KIND_TLS;
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return KIND_CUT;
  default:
    return KIND_LOCAL;
  }
}

/* A handshake that OpenSSL ended over the server's certificate. curl reports some of them like any
 * other broken handshake: an authority of the right name with another key, for one. */
static bool refused_certificate(const struct http_transfer *t)
{
  long verify = 0;
  return curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verify) == CURLE_OK && verify != 0;
}

static void set_unavailable(const struct http_transfer *t, CURLcode result, struct err *e)
{
  char text[128];
  const char *detail = t->curl_message[0] != '\0' ? t->curl_message : curl_easy_strerror(result);
  enum kind kind = kind_of(result);
  if (kind == KIND_HANDSHAKE && refused_certificate(t))
    kind = KIND_TLS;
  switch (kind) {
  case KIND_NAME:
    err_set(e, ERR_UNAVAILABLE, "name_not_resolved", "%s: the name cannot be resolved (%s)",
            t->peer, detail);
    return;
  case KIND_CONNECT:
    if (t->os_error != 0) /* curl only says that it could not connect */
      detail = strerror_r((int)t->os_error, text, sizeof(text));
    err_set(e, ERR_UNAVAILABLE, "connect_failed", "%s: no connection (%s)", t->peer, detail);
    return;
  case KIND_HANDSHAKE:
    err_set(e, ERR_UNAVAILABLE, "tls_handshake_failed", "%s: the TLS handshake failed (%s)",
            t->peer, detail);
    return;
  case KIND_TLS:
    err_set(e, ERR_UNAVAILABLE, "tls_failed", "%s: no trusted TLS connection (%s)", t->peer,
            detail);
    return;
  case KIND_CUT:
    err_set(e, ERR_UNAVAILABLE, "connection_lost",
            "%s: the connection ended before the response was complete (%s)", t->peer, detail);
    return;
  case KIND_LOCAL:
    break;
  }
  err_set(e, ERR_UNAVAILABLE, "transfer_failed", "%s: the transfer failed (%s)", t->peer,
          curl_easy_strerror(result));
}

/* curl reports its connect timeout like any other; then the deadline is not yet over. A response
 * whose reader paused it came in time and was not taken. */
static void set_timed_out(const struct http_transfer *t, bool connecting, struct err *e)
{
  if (connecting)
    err_set(e, ERR_UNAVAILABLE, "connect_failed", "%s: no connection within %d s", t->peer,
            HTTP_CONNECT_TIMEOUT_MS / 1000);
  else if (t->paused)
    err_set(e, ERR_DEADLINE_EXCEEDED, HTTP_NOT_TAKEN,
            "%s: its reader did not take the whole response within %.3g s", t->peer,
            (double)t->longest_ms / 1000.0);
  else
    err_set(e, ERR_DEADLINE_EXCEEDED, "deadline_exceeded", "%s: no complete response within %.3g s",
            t->peer, (double)t->timeout_ms / 1000.0);
}

static void set_stopped(const struct http_transfer *t, struct err *e)
{
  if (t->stop == HTTP_STOP_TOO_LARGE)
    err_set(e, ERR_RESOURCE_EXHAUSTED, "response_too_large",
            "%s: the response is larger than %zu bytes", t->peer, t->max_response);
  else if (t->stop == HTTP_STOP_ABORTED)
    err_set(e, ERR_CANCELLED, "aborted", "%s: its reader stopped reading the response", t->peer);
  else
    err_set(e, ERR_CANCELLED, "cancelled", "%s: the request was cancelled", t->peer);
}

void http_failure(const struct http_transfer *t, CURLcode result, bool deadline, struct err *e)
{
  if (t->stop != HTTP_STOP_NONE)
    set_stopped(t, e);
  else if (deadline || result == CURLE_OPERATION_TIMEDOUT)
    set_timed_out(t, !deadline, e);
  else if (result == CURLE_OUT_OF_MEMORY)
    err_set(e, ERR_RESOURCE_EXHAUSTED, "no_memory",
            "%s: no memory for the transfer, or too much arrived while it was paused", t->peer);
  else if (result != CURLE_OK)
    set_unavailable(t, result, e);
}
