/* The consent screen: who, and to what. Plain HTML whose elements have names, for tests and people.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "ga4-sim/base/form.h"
#include "ga4-sim/login/login.h"

enum { PEOPLE_SHOWN = 100 };

static const char *const carried[] = {"client_id", "redirect_uri", "scope",
                                      "state",     "nonce",        "code_challenge"};

static void put_html(struct buf *out, const char *text)
{
  for (; text != NULL && *text != '\0'; text++)
    if (strchr("<>&\"'", *text) != NULL)
      buf_printf(out, "&#%d;", *text);
    else
      buf_putc(out, *text);
}

static void begin(struct reply *r, int status)
{
  r->status = status;
  r->content_type = "text/html; charset=UTF-8";
  r->pretty = false;
  buf_clear(&r->body);
  buf_puts(&r->body, "<!DOCTYPE html><html lang=en><meta charset=utf-8><meta name=viewport "
                     "content=\"width=device-width\"><title>Sign in - simulated Google</title>"
                     "<link rel=stylesheet href=/o/oauth2/v2/style.css><main>");
}

/* Google shows what is wrong with a request on a page of its own, and redirects nowhere. */
static void refuse(struct reply *r, const char *what)
{
  begin(r, 400);
  buf_printf(&r->body, "<h1>Access blocked: Authorization Error</h1><p id=error>Error 400: %s",
             what);
}

static bool is(const struct request *q, const char *name, const char *value)
{
  const char *given = request_query(q, name);
  return given != NULL && strcmp(given, value) == 0;
}

static bool check(struct sim *s, const struct request *q, struct reply *r)
{
  const char *uri = request_query(q, "redirect_uri"),
             *challenge = request_query(q, "code_challenge");
  if (!is(q, "client_id", CONSENT_CLIENT_ID))
    refuse(r, "invalid_client");
  else if (uri == NULL || !consents_redirect_allowed(s->consents, uri))
    refuse(r, "redirect_uri_mismatch");
  else if (!is(q, "response_type", "code") || !is(q, "access_type", "offline"))
    refuse(r, "invalid_request: response_type must be code, access_type offline");
  else if (!is(q, "code_challenge_method", "S256") || challenge == NULL || strlen(challenge) != 43)
    refuse(r, "invalid_request: code_challenge must be of S256");
  else
    return true;
  return false;
}

static void put_people(struct sim *s, struct buf *out)
{
  char email[300];
  buf_puts(out, "<fieldset><legend>Choose an account</legend>");
  for (size_t i = 0; i < PEOPLE_SHOWN && consents_person(s->consents, i, email, sizeof(email));
       i++) {
    buf_puts(out, "<label><input type=radio name=email required value=\"");
    put_html(out, email);
    buf_puts(out, "\"> ");
    put_html(out, email);
    buf_puts(out, "</label>");
  }
  buf_puts(out, "</fieldset>");
}

void consent_screen(struct sim *s, const struct request *q, struct reply *r)
{
  if (!check(s, q, r))
    return;
  begin(r, 200);
  struct buf *out = &r->body;
  buf_puts(out, "<h1>Sign in with Google</h1><p>A simulator's screen: no real account is here."
                "<form method=post action=/o/oauth2/v2/decide>");
  for (size_t i = 0; i < ARRAY_LEN(carried); i++) {
    buf_printf(out, "<input type=hidden name=%s value=\"", carried[i]);
    put_html(out, request_query(q, carried[i]));
    buf_puts(out, "\">");
  }
  put_people(s, out);
  buf_puts(out,
           "<fieldset><legend>The application wants access</legend><label><input type=checkbox "
           "name=analytics value=yes checked> See and download your Google Analytics data"
           "</label></fieldset><button name=decision value=allow>Continue</button> "
           "<button name=decision value=deny formnovalidate>Cancel</button></form></main>");
}

void consent_style(struct sim *s, const struct request *q, struct reply *r)
{
  (void)s;
  (void)q;
  r->content_type = "text/css";
  r->pretty = false;
  buf_clear(&r->body);
  buf_puts(&r->body, "body{font:16px sans-serif;margin:2em auto;max-width:30em;padding:0 1em}"
                     "label{display:block;padding:.2em 0}fieldset{margin:1em 0}");
}

/* ------------------------------------------------------------------------- decision */

static void put_argument(struct buf *url, const char *name, const char *value)
{
  buf_printf(url, "%c%s=", strchr(buf_str(url), '?') == NULL ? '?' : '&', name);
  percent_encode(url, value, strlen(value));
}

static void redirect(struct reply *r, const struct buf *url)
{
  begin(r, 302);
  reply_header(r, "Location", buf_str(url));
}

static const char *field(const struct form *f, const char *name)
{
  const char *value = form_get(f, name);
  return value != NULL ? value : "";
}

static bool make_code(struct sim *s, const struct form *f, char *code, size_t size)
{
  struct consent what = {0};
  unsigned unknown;
  snprintf(what.email, sizeof(what.email), "%s", field(f, "email"));
  snprintf(what.challenge, sizeof(what.challenge), "%s", field(f, "code_challenge"));
  snprintf(what.redirect_uri, sizeof(what.redirect_uri), "%s", field(f, "redirect_uri"));
  snprintf(what.nonce, sizeof(what.nonce), "%s", field(f, "nonce"));
  what.scopes = scopes_read(field(f, "scope"), &unknown);
  if (strcmp(field(f, "analytics"), "yes") != 0)
    what.scopes &= ~(uint32_t)SCOPES_READ_ANALYTICS;
  return consents_add(s->consents, &what, clock_unix_ms(), code, size);
}

static void decide(struct sim *s, const struct form *f, struct reply *r)
{
  AUTO_BUF struct buf url = BUF_INIT(2000);
  uint32_t slow_ms;
  char code[128] = "";
  enum consent_policy policy = consents_policy(s->consents, &slow_ms);
  if (!consents_redirect_allowed(s->consents, field(f, "redirect_uri"))) {
    refuse(r, "redirect_uri_mismatch");
    return;
  }
  bool denied = strcmp(field(f, "decision"), "allow") != 0;
  bool good = !denied && policy != CONSENT_ADMIN_POLICY && make_code(s, f, code, sizeof(code));
  buf_puts(&url, field(f, "redirect_uri"));
  put_argument(&url, "state", field(f, "state"));
  if (good)
    put_argument(&url, "code", code);
  else
    put_argument(&url, "error",
                 denied                           ? "access_denied"
                 : policy == CONSENT_ADMIN_POLICY ? "admin_policy_enforced"
                                                  : "server_error");
  if (policy != CONSENT_NO_ISS)
    put_argument(&url, "iss",
                 policy == CONSENT_WRONG_ISS ? "https://evil.example"
                                             : "https://accounts.google.com");
  redirect(r, &url);
}

void consent_decide(struct sim *s, const struct request *q, struct reply *r)
{
  struct form f;
  form_parse(&f, q->body, q->body_len);
  decide(s, &f, r);
  form_free(&f);
}
