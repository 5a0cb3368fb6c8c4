/* Subcommand check: a dealer's credentials, step by step. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/cli/cli.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

struct checking {
  struct settings settings;
  struct snapshot *snapshot;
  struct http_client *http;
  const char *asked;
  const struct dealer *dealer;
  struct credential *credential;
  struct secret *token;
};

void cli_step(bool ok, const char *name, const char *fmt, ...)
{
  va_list ap;
  printf("%-7s %-18s ", ok ? "ok" : "FAILED", name);
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  putchar('\n');
  fflush(stdout);
}

void cli_remedy(const char *fmt, ...)
{
  va_list ap;
  printf("        what to do:        ");
  va_start(ap, fmt);
  vprintf(fmt, ap);
  va_end(ap);
  putchar('\n');
}

/* ------------------------------------------------------------- file and dealer */

static bool load_file(struct checking *c)
{
  struct err e = {0};
  bool ok = cli_load_dealers(&c->snapshot, &c->settings, &e) == ERR_OK;
  if (ok)
    cli_step(true, "dealers file", "%s: %zu dealer%s, every secret opens",
             c->settings.credentials_path, c->snapshot->directory->n_dealers,
             c->snapshot->directory->n_dealers == 1 ? "" : "s");
  else
    cli_step(false, "dealers file", "%s", e.message);
  return ok;
}

static bool find_dealer(struct checking *c)
{
  const char *closest = NULL;
  c->dealer = cli_find_dealer(c->snapshot->directory, c->asked, &closest);
  if (c->dealer != NULL) {
    c->credential = snapshot_credential(c->snapshot, c->dealer);
    cli_step(true, "dealer", "%s %s (account %s, %s), %zu propert%s", c->dealer->dealer_id,
             c->dealer->name, c->dealer->account_id, c->credential->kind->name,
             c->dealer->n_property_ids, c->dealer->n_property_ids == 1 ? "y" : "ies");
    return true;
  }
  cli_step(false, "dealer", "the file has no dealer or account \"%s\"", c->asked);
  if (closest != NULL)
    cli_remedy("did you mean \"%s\"?", closest);
  return false;
}

/* --------------------------------------------------------------- access token */

struct wait {
  struct wait_once end;
  struct token_reply reply;
};

static void on_token(void *user, struct token_reply *reply)
{
  struct wait *w = user;
  w->reply = *reply;
  reply->access_token = reply->refresh_token = NULL; /* taken over */
  wait_once_over(&w->end);
}

static void advise_token(const struct token_reply *r, const struct dealer *d)
{
  static const char *const of_client[] = {"invalid_client", "unauthorized_client", "deleted_client",
                                          "disabled_client"};
  const char *reason = r->error.reason;
  if (strcmp(reason, "missing_scope") == 0)
    cli_remedy("consent again with the box for Google Analytics ticked; put the new refresh token "
               "into dealer \"%s\"",
               d->dealer_id);
  else if (r->outcome == TOKEN_NEEDS_CONSENT)
    cli_remedy("the dealer must consent again: the refresh token was revoked, expired (7 days "
               "while the consent screen is in testing) or belongs to another client; put the new "
               "one into dealer \"%s\", oauth.refresh_token",
               d->dealer_id);
  else if (TEXT_IS_IN(of_client, reason))
    cli_remedy("client_id and client_secret are not those of the OAuth client that made the "
               "refresh token: compare them with the Google Cloud console");
  else if (strcmp(reason, "token_endpoint_unavailable") != 0)
    cli_remedy("docs/OAUTH_SETUP.md, section 7, has a line for %s", reason);
  else
    cli_remedy("the token endpoint gave no usable answer: check the network path to it (proxy, "
               "DNS, firewall) and try again");
}

static void ask_token(struct checking *c, struct wait *w)
{
  const struct token_env env = {c->http, c->settings.token_endpoint,
                                (uint32_t)c->settings.token_timeout_ms};
  w->reply.outcome = TOKEN_OPERATOR_FAULT;
  if (c->credential->kind->obtain(c->credential, &env, NULL, on_token, w, &w->reply.error) ==
      ERR_OK)
    wait_once(&w->end);
}

static bool get_token(struct checking *c)
{
  struct wait w = {.end = WAIT_ONCE_INIT};
  int64_t start = clock_mono_ms();
  ask_token(c, &w);
  bool ok = w.reply.outcome == TOKEN_OBTAINED;
  if (ok) {
    cli_step(true, "access token", "in %lld ms, good for %lld s",
             (long long)(clock_mono_ms() - start), (long long)w.reply.expires_in_s);
    c->token = TAKE_PTR(w.reply.access_token);
  } else {
    cli_step(false, "access token", "%s (%s)", w.reply.error.message, w.reply.error.reason);
    advise_token(&w.reply, c->dealer);
  }
  if (w.reply.refresh_token != NULL)
    cli_remedy("a new refresh token came with it, and the old one may be void: it is not kept "
               "here, let the dealer consent again if the service fails");
  token_reply_clear(&w.reply);
  return ok;
}

/* ---------------------------------------------------------------------- the walk */

static bool ask_google(struct checking *c)
{
  const struct cli_google google = {c->http, &c->settings, secret_text(c->token),
                                    c->credential->quota_project};
  bool ok = cli_check_account(&google, c->dealer);
  for (size_t i = 0; i < c->dealer->n_property_ids; i++)
    ok = cli_check_property(&google, c->dealer->property_ids[i]) && ok;
  return ok;
}

static int run(struct checking *c)
{
  const struct http_client_options http = {.user_agent = "analytics-mcp/" AMCP_VERSION};
  struct err e = {0};
  if (http_client_new(&c->http, &http, &e) != ERR_OK)
    return cli_fail(EXIT_FAILED, "check", "%s", e.message);
  if (!load_file(c))
    return EXIT_CONFIG;
  return find_dealer(c) && get_token(c) && ask_google(c) ? EXIT_OK : EXIT_FAILED;
}

int cli_check(int argc, char **argv, const char *help)
{
  struct checking check = {0};
  const char *file = NULL;
  const struct cli_option options[] = {{"dealers", .text = &file}, {0}};
  struct err e = {0};
  int exit_code;
  char **words = cli_read(argc, argv, help, options, 1, 1, "takes one DEALER", &exit_code);
  if (words == NULL)
    return exit_code;
  check.asked = words[0];
  if (cli_settings(&check.settings, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "check", "%s", e.message);
  settings_wipe_secrets(&check.settings);
  if (file != NULL)
    check.settings.credentials_path = file;
  exit_code = run(&check);
  http_client_free(check.http);
  secret_unref(check.token);
  snapshot_unref(check.snapshot);
  settings_free(&check.settings);
  return exit_code;
}
