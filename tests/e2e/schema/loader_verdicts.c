/* Says of each document on standard input, one to a line, what the loader of dealers.json makes of
 * it: one JSON object to a line. With --keys: the keys the loader knows, for each object it read.
 * With --policies or --issuers: what the reader of that file makes of it.
 *
 *   loader_verdicts DIR [--keys | --policies | --issuers]     the documents stand in for
 *                               DIR/dealers.json, DIR/policies.json or DIR/issuers.json
 *
 * AUTH_KEYRING_FILE opens what is sealed. Secrets in the clear are fine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/policies.h"
#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { ANSWER_MAX = 16 << 20, FAULTS_SHOWN = 20 };

struct verdict {
  struct buf faults;
  struct buf keys;
  size_t n;
};

static void add_fault(void *user, const struct dealers_fault *f)
{
  struct verdict *v = user;
  if (v->n++ >= FAULTS_SHOWN)
    return;
  buf_printf(&v->faults, "%s{\"line\":%zu,\"field\":", v->n > 1 ? "," : "", f->line);
  buf_put_json_string(&v->faults, f->field, strlen(f->field));
  buf_puts(&v->faults, ",\"dealer\":");
  buf_put_json_string(&v->faults, f->dealer, strlen(f->dealer));
  buf_puts(&v->faults, ",\"text\":");
  buf_put_json_string(&v->faults, f->text, strlen(f->text));
  buf_putc(&v->faults, '}');
}

static void add_keys(void *user, const char *field, const char *const *known, size_t n)
{
  struct verdict *v = user;
  buf_puts(&v->keys, v->keys.len > 0 ? ",{\"field\":" : "{\"field\":");
  buf_put_json_string(&v->keys, field, strlen(field));
  buf_puts(&v->keys, ",\"known\":[");
  for (size_t i = 0; i < n; i++)
    buf_printf(&v->keys, "%s\"%s\"", i > 0 ? "," : "", known[i]);
  buf_puts(&v->keys, "]}");
}

/* Reads the document both ways: up to the first fault, as the service does, and to the end. */
static void judge(const char *name, const char *text, size_t len,
                  const struct sealed_policy *sealed, bool keys)
{
  struct verdict v = {.faults = BUF_INIT(ANSWER_MAX), .keys = BUF_INIT(ANSWER_MAX)};
  const struct dealers_options options = {.sealed = sealed};
  const struct dealers_watch watch = {add_fault, keys ? add_keys : NULL, &v};
  AUTO_BUF struct buf out = BUF_INIT(ANSWER_MAX);
  struct snapshot *first = NULL;
  struct dealers_content all;
  struct err e = {0}, again = {0};
  bool ok = snapshot_parse(&first, name, text, len, &options, &e) == ERR_OK;
  bool checked = dealers_file_read(&all, name, text, len, &options, &watch, &again) == ERR_OK;
  buf_printf(&out, "{\"ok\":%s,\"checked\":%s,\"error\":", ok ? "true" : "false",
             checked ? "true" : "false");
  buf_put_json_string(&out, e.message, strlen(e.message));
  buf_printf(&out, ",\"n\":%zu,\"faults\":[%s]", v.n, buf_str(&v.faults));
  buf_printf(&out, ",\"keys\":[%s]}\n", buf_str(&v.keys));
  fwrite(out.data, 1, out.len, stdout);
  snapshot_unref(first);
  dealers_content_clear(&all);
  buf_free(&v.faults);
  buf_free(&v.keys);
}

static void print_verdict(bool ok, const struct err *e)
{
  AUTO_BUF struct buf out = BUF_INIT(ANSWER_MAX);
  buf_printf(&out, "{\"ok\":%s,\"error\":", ok ? "true" : "false");
  buf_put_json_string(&out, e->message, strlen(e->message));
  buf_puts(&out, "}\n");
  fwrite(out.data, 1, out.len, stdout);
}

static void judge_policies(const char *text, size_t len)
{
  struct policies *p = NULL;
  struct err e = {0};
  bool ok = policies_parse(&p, "policies.json", text, len, &e) == ERR_OK;
  print_verdict(ok, &e);
  policies_unref(p);
}

static void judge_issuers(const char *text, size_t len)
{
  const struct issuers_options options = {.audience = "https://analytics.example.com/mcp"};
  struct issuers *i = NULL;
  struct err e = {0};
  bool ok = issuers_parse(&i, "issuers.json", text, len, &options, &e) == ERR_OK;
  print_verdict(ok, &e);
  issuers_unref(i);
}

int main(int argc, char **argv)
{
  struct keyring *ring = NULL;
  struct err e = {0};
  if (argc < 2) {
    fputs("usage: loader_verdicts DIR [--keys | --policies | --issuers]\n", stderr);
    return 2;
  }
  log_init("loader_verdicts", LOG_LEVEL_OFF);
  if (keyring_load(&ring, getenv("AUTH_KEYRING_FILE"), &e) != ERR_OK) {
    fprintf(stderr, "%s\n", e.message);
    return 1;
  }
  const struct sealed_policy sealed = {.keyring = ring, .allow_mixed = true};
  AUTO_FREE char *name = xasprintf("%s/dealers.json", argv[1]);
  AUTO_FREE char *line = NULL;
  size_t room = 0;
  ssize_t n;
  const char *option = argc > 2 ? argv[2] : "";
  while ((n = getline(&line, &room, stdin)) > 0)
    if (strcmp(option, "--policies") == 0)
      judge_policies(line, (size_t)n);
    else if (strcmp(option, "--issuers") == 0)
      judge_issuers(line, (size_t)n);
    else
      judge(name, line, (size_t)n, &sealed, strcmp(option, "--keys") == 0);
  keyring_unref(ring);
  return 0;
}
