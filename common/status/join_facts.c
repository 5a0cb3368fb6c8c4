/* Certificates, keys, audit log and stores: what to keep an eye on. */
#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/status/join_internal.h"

typedef Analytics__Status__V1__ServiceStatus joined;
typedef Analytics__Status__V1__FactRow fact;

enum { FACTS_MAX = 128, DAY_S = 86400, WARN_DAYS = 21, TEXT_MAX = 256 };

/* Adds facts until one does not fit. */
struct adder {
  joined *out;
  struct arena *arena;
  int64_t now_s;
  bool full;
};

static void add(struct adder *a, const char *kind, const char *service, const char *name,
                const char *state, const char *format, ...) __attribute__((format(printf, 6, 7)));

static void add(struct adder *a, const char *kind, const char *service, const char *name,
                const char *state, const char *format, ...)
{
  char text[TEXT_MAX];
  va_list args;
  fact *f = ARENA_NEW(a->arena, fact);
  a->full = a->full || f == NULL || a->out->n_facts == FACTS_MAX;
  if (a->full)
    return;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  analytics__status__v1__fact_row__init(f);
  f->kind = borrow_text(kind);
  f->service = borrow_text(service);
  f->name = borrow_text(name);
  f->state = borrow_text(state);
  f->detail = arena_strdup(a->arena, text);
  a->full = f->detail == NULL;
  a->out->facts[a->out->n_facts++] = f;
}

/* --------------------------------------------------------------------- certificates */

static void add_certificate(struct adder *a, const char *service,
                            const Analytics__Status__V1__Certificate *c)
{
  char day[32];
  int64_t left = c->expires_at - a->now_s;
  clock_format_date(c->expires_at / DAY_S, day, sizeof(day));
  if (c->expires_at == 0)
    add(a, "certificate", service, c->file, "failed", "the file cannot be read");
  else if (left <= 0)
    add(a, "certificate", service, c->file, "failed", "expired on %s", day);
  else
    add(a, "certificate", service, c->file, left < WARN_DAYS * (int64_t)DAY_S ? "warn" : "ok",
        "expires on %s, in %lld day%s", day, (long long)(left / DAY_S),
        left / DAY_S == 1 ? "" : "s");
}

static void add_certificates(struct adder *a, const Analytics__Status__V1__Service *s)
{
  for (size_t i = 0; s != NULL && i < s->n_certificates; i++)
    add_certificate(a, s->name, s->certificates[i]);
}

/* ------------------------------------------------------------------------- auth-svc */

static void add_key(struct adder *a, const Analytics__Auth__V1__Key *k)
{
  char first[64] = "", age[64] = "";
  if (k->of > 0)
    snprintf(first, sizeof(first), "seals; the first of %d", k->of);
  else
    snprintf(first, sizeof(first), "%s",
             k->idle ? "nothing is sealed with it: it may leave the keyring" : "in use");
  if (k->changed_at > 0)
    snprintf(age, sizeof(age), "; its file was changed %lld day%s ago",
             (long long)((a->now_s - k->changed_at) / DAY_S),
             (a->now_s - k->changed_at) / DAY_S == 1 ? "" : "s");
  add(a, "key", "auth-svc",
      k->id[0] == '\0' ? k->use : arena_printf(a->arena, "%s %s", k->use, k->id), "ok", "%s%s",
      first, age);
}

static void add_audit(struct adder *a, const Analytics__Auth__V1__AuditState *audit)
{
  if (!audit->writable)
    add(a, "audit", "auth-svc", "log", "failed", "cannot be written: calls are refused");
  else if (audit->space_low)
    add(a, "audit", "auth-svc", "log", "warn", "line %llu; %llu MB are free on its volume",
        (unsigned long long)audit->line, (unsigned long long)(audit->free_bytes >> 20));
  else
    add(a, "audit", "auth-svc", "log", "ok", "line %llu", (unsigned long long)audit->line);
}

static void add_auth(struct adder *a, const Analytics__Auth__V1__AuthStatus *s)
{
  for (size_t i = 0; i < s->n_keys; i++)
    add_key(a, s->keys[i]);
  if (s->audit != NULL)
    add_audit(a, s->audit);
  if (!s->state_writable)
    add(a, "store", "auth-svc", "refresh tokens", "failed", "AUTH_STATE_DIR cannot be written");
  const char *loaded = status_time(s->config_loaded_at, a->arena);
  if (loaded != NULL && loaded[0] != '\0')
    add(a, "configuration", "auth-svc", "dealers and policies",
        s->config_error[0] == '\0' ? "ok" : "warn", "loaded %s%s", loaded,
        s->config_error[0] == '\0' ? "" : "; what the files hold now is refused");
  if (s->connect)
    add(a, "invitations", "auth-svc", "open links", "ok", "%d", s->open_invites);
}

/* ------------------------------------------------------------------------ the others */

static void add_report(struct adder *a, const Analytics__Report__V1__ReportStatus *s)
{
  add(a, "requests", "report-svc", "to Google", "ok", "%d under way, %d waiting", s->active,
      s->waiting);
  if (s->redis)
    add(a, "store", "report-svc", "Redis", s->redis_up ? "ok" : "warn", "%s",
        s->redis_up ? "in use" : "unreachable: each replica uses its own state");
}

static void add_releases(struct adder *a, const Analytics__Aggregate__V1__ReleaseStore *r)
{
  if (!r->healthy)
    add(a, "releases", "aggregate-svc", r->kind, "failed",
        "cannot be reached: nothing of dealers outside a caller's view is released");
  else if (r->cells >= 0)
    add(a, "releases", "aggregate-svc", r->kind, "ok", "%lld figures released",
        (long long)r->cells);
  else
    add(a, "releases", "aggregate-svc", r->kind, "ok", "open");
}

bool status_add_facts(joined *out, const struct status_parts *p, struct arena *arena)
{
  struct adder a = {out, arena, p->now_unix_ms / 1000, false};
  out->facts = ARENA_ARRAY(arena, fact *, FACTS_MAX);
  if (out->facts == NULL)
    return false;
  add_certificates(&a, p->asking);
  add_certificates(&a, p->auth != NULL ? p->auth->service : NULL);
  add_certificates(&a, p->report != NULL ? p->report->service : NULL);
  add_certificates(&a, p->aggregate != NULL ? p->aggregate->service : NULL);
  if (p->auth != NULL)
    add_auth(&a, p->auth);
  if (p->report != NULL)
    add_report(&a, p->report);
  if (p->aggregate != NULL && p->aggregate->releases != NULL)
    add_releases(&a, p->aggregate->releases);
  return !a.full;
}
