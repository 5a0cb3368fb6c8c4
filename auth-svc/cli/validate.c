/* Subcommand validate: whether the service would take a configuration, before it is deployed. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "auth-svc/cli/cli.h"
#include "auth-svc/cli/findings.h"
#include "auth-svc/cli/odd_secrets.h"
#include "auth-svc/credential/config.h"
#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/dealers/file.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/policies.h"
#include "auth-svc/secret/json.h"
#include "common/base/config.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

struct job {
  struct validation found;
  struct settings settings;
  bool from_json;
  const char *name; /* of the dealers file, in messages */
  struct buf text;
  struct dealers_content dealers;
  struct policies *policies;
  size_t plain, sealed;
};

/* ---------------------------------------------------------------------------- faults */

static void on_fault(void *user, const struct dealers_fault *f)
{
  struct job *j = user;
  validation_fault(&j->found, j->name, f->line, f->field, f->dealer, f->text);
}

static bool read_dealers(struct job *j)
{
  struct err e = {0};
  const char *json = j->settings.credentials_json;
  if (j->from_json)
    return buf_append(&j->text, json, strlen(json));
  enum err_code code = file_read(&j->text, "dealers file", j->name, DEALERS_FILE_MAX, false, &e);
  if (code != ERR_OK)
    validation_fault(&j->found, j->name, 0, "", "", e.message);
  return code == ERR_OK;
}

/* As the service reads it, with its keyring and its rules about secrets in the clear. */
static bool load_dealers(struct job *j)
{
  const struct dealers_watch watch = {.on_fault = on_fault, .user = j};
  struct err e = {0};
  struct sealed_policy policy = j->settings.sealed;
  policy.warn_plain = false; /* reported below */
  const struct dealers_options options = {
      .sealed = &policy, .warn_of_cohorts = strcmp(j->settings.cohort_rules, "warn") == 0};
  enum err_code code =
      dealers_file_read(&j->dealers, j->name, j->text.data, j->text.len, &options, &watch, &e);
  if (code != ERR_OK && j->found.faults.n == 0)
    validation_fault(&j->found, j->name, 0, "", "", e.message);
  return code == ERR_OK;
}

/* -------------------------------------------------------------------------- warnings */

/* Whether the file is an array of dealers. */
static bool is_bare(const struct buf *text)
{
  const char *s = buf_str(text);
  return s[strspn(s, " \t\r\n")] == '[';
}

static enum err_code count_secret(void *user, const struct sealed_value *value,
                                  enum sealed_edit *edit, struct buf *out, struct err *e)
{
  struct job *j = user;
  (void)edit, (void)out, (void)e;
  if (!value->is_sealed)
    validation_look_at_secret(&j->found, j->name, value, is_bare(&j->text));
  *(value->is_sealed ? &j->sealed : &j->plain) += 1;
  return ERR_OK;
}

static void put_count(cJSON *object, const char *name, size_t n)
{
  cJSON_AddNumberToObject(object, name, (double)n);
}

static void look_at_lines(struct job *j)
{
  if (memchr(j->text.data, '\r', j->text.len) != NULL)
    validation_warn(&j->found, "crlf", j->name, "",
                    "lines end with CR LF, as on Windows; the service takes them, other readers "
                    "of the file may not");
}

static void look_at_secrets(struct job *j)
{
  struct err e = {0};
  struct stat st;
  (void)sealed_text_edit(NULL, j->name, j->text.data, j->text.len, count_secret, j, &e);
  if (j->plain > 0)
    validation_warn(&j->found, "plain_secrets", j->name, "",
                    "%zu secret%s in the clear; auth-svc seal encrypts them, "
                    "AUTH_REQUIRE_SEALED=true refuses them",
                    j->plain, j->plain == 1 ? " stands" : "s stand");
  if (!j->from_json && stat(j->name, &st) == 0 && S_ISREG(st.st_mode) &&
      (st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
    validation_warn(&j->found, "open_file", j->name, "",
                    "others may read or write the file (mode %03o); chmod 600 it",
                    (unsigned)st.st_mode & 0777);
  buf_printf(&j->found.summary, "  secrets      %zu sealed, %zu in the clear\n", j->sealed,
             j->plain);
  cJSON *counts = cJSON_AddObjectToObject(j->found.members, "secrets");
  put_count(counts, "sealed", j->sealed);
  put_count(counts, "plain", j->plain);
}

static void look_at_credentials(struct job *j, const cJSON *root)
{
  size_t counts[ARRAY_LEN(credential_config_keys)] = {0}, seen = 0;
  const cJSON *list =
      cJSON_IsArray(root) ? root : cJSON_GetObjectItemCaseSensitive(root, "dealers");
  for (const cJSON *d = list != NULL ? list->child : NULL; d != NULL; d = d->next)
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
      counts[i] += cJSON_GetObjectItemCaseSensitive(d, credential_config_keys[i]) != NULL;
  buf_puts(&j->found.summary, "  credentials  ");
  cJSON *kinds = cJSON_AddObjectToObject(j->found.members, "credentials");
  for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
    if (counts[i] == 0)
      continue;
    buf_printf(&j->found.summary, "%s%s %zu", seen++ > 0 ? ", " : "", credential_config_keys[i],
               counts[i]);
    put_count(kinds, credential_config_keys[i], counts[i]);
  }
  buf_putc(&j->found.summary, '\n');
}

/* Application Default Credentials are of the machine the service runs on. */
static void look_at_adc(struct job *j)
{
  const struct dealers_content *s = &j->dealers;
  for (size_t i = 0; i < s->directory->n_dealers; i++)
    if (strcmp(s->credentials[i]->kind->name, "metadata") == 0) {
      validation_warn(&j->found, "adc_elsewhere", j->name, "",
                      "\"adc\": true finds no credential file here; where the service runs, the "
                      "metadata server must answer");
      return;
    }
}

static void look_at_owners(struct job *j)
{
  const struct directory *d = j->dealers.directory;
  size_t n = 0;
  for (size_t i = 0; i < d->n_dealers; i++)
    n += d->dealers[i].owner[0] == '\0';
  if (n > 0)
    validation_warn(&j->found, "no_owner", j->name, "",
                    "%zu dealer%s no owner; each counts as an owner of its own, so name it where "
                    "dealers share one",
                    n, n == 1 ? " has" : "s have");
}

/* "region West: 3 dealers of 2 owners: ..." */
static void look_at_cohort(struct job *j, const struct catalogued *c, cJSON *out)
{
  const struct directory *d = j->dealers.directory;
  size_t owners = catalogue_owners(d, c->members, c->n_members);
  const char *what = c->is_region ? "region" : "cohort";
  const char *label = c->is_region ? d->regions[c->region] : c->id;
  bool taken_out = !c->benchmark && catalogue_is_benchmark(d, c);
  if (taken_out)
    validation_warn(&j->found, "cohort_overlaps", j->name, "",
                    "cohort %s: differs from another by too few dealers: benchmarks stay withheld "
                    "from callers who may not read all of its dealers (AUTH_COHORT_RULES=warn)",
                    c->id);
  else if (!c->benchmark)
    validation_warn(
        &j->found, "cohort_small", j->name, "",
        "%s %s: %zu dealer%s of %zu owner%s: benchmarks stay withheld from callers who may not "
        "read all of its dealers (needs %d dealers of %d owners)",
        what, label, c->n_members, c->n_members == 1 ? "" : "s", owners, owners == 1 ? "" : "s",
        CATALOGUE_MIN_CONTRIBUTORS + 1, CATALOGUE_MIN_OWNERS);
  buf_printf(&j->found.summary, "  %s       %s (%s), dealers %zu, owners %zu, benchmarks %s\n",
             what, label, c->id, c->n_members, owners, c->benchmark ? "given" : "withheld");
  cJSON_AddStringToObject(out, "id", c->id);
  cJSON_AddStringToObject(out, "label", c->label);
  cJSON_AddBoolToObject(out, "is_region", c->is_region);
  put_count(out, "dealers", c->n_members);
  put_count(out, "owners", owners);
  cJSON_AddBoolToObject(out, "benchmark", c->benchmark);
}

static void look_at_directory(struct job *j)
{
  const struct directory *d = j->dealers.directory;
  buf_printf(&j->found.summary, "  dealers      %zu, with %zu properties\n", d->n_dealers,
             d->n_properties);
  size_t finding = 0;
  for (size_t i = 0; i < d->n_dealers; i++)
    finding += d->dealers[i].n_property_ids == 0;
  if (finding > 0)
    buf_printf(&j->found.summary,
               "  properties   of %zu dealer%s found in Google Analytics at the first report; name "
               "them where a login can read several\n",
               finding, finding == 1 ? "" : "s");
  put_count(j->found.members, "dealers_without_properties", finding);
  put_count(j->found.members, "dealers", d->n_dealers);
  put_count(j->found.members, "properties", d->n_properties);
  put_count(j->found.members, "regions", d->n_regions);
}

static void look_at_cohorts(struct job *j)
{
  const struct directory *d = j->dealers.directory;
  cJSON *list = cJSON_AddArrayToObject(j->found.members, "cohorts");
  for (size_t i = 0; i < d->n_cohorts; i++) {
    cJSON *cohort = cJSON_CreateObject();
    look_at_cohort(j, &d->cohorts[i], cohort);
    cJSON_AddItemToArray(list, cohort);
  }
}

static void look(struct job *j)
{
  const struct json_limits limits = {.max_bytes = DEALERS_FILE_MAX};
  AUTO_WIPED_JSON cJSON *root = NULL;
  if (json_parse(&root, j->text.data, j->text.len, &limits, NULL) != ERR_OK)
    return; /* loaded a moment ago */
  look_at_directory(j);
  look_at_credentials(j, root);
  look_at_lines(j);
  look_at_secrets(j);
  look_at_adc(j);
  look_at_owners(j);
  look_at_cohorts(j);
}

/* -------------------------------------------------------------------------- policies */

static void warn_of_unknown(struct job *j, const char *file, size_t n, const char *names)
{
  if (n > 0)
    validation_warn(&j->found, "unknown_names", file, "",
                    "%zu name%s that no dealer, region or group has: %s", n, n == 1 ? "" : "s",
                    names);
}

/* Who gets in by certificate and who is revoked; NULL: there is no such file. Names are compared
 * with the dealers where those are right. */
static void look_at_policies(struct job *j, const char *file)
{
  struct err e = {0};
  AUTO_BUF struct buf names = BUF_INIT(1 << 16);
  if (file == NULL)
    return;
  if (policies_load(&j->policies, file, &e) != ERR_OK) {
    validation_fault_of(&j->found, file, e.message);
    return;
  }
  const struct policies *p = j->policies;
  size_t revoked = p->subjects.n + p->token_ids.n + p->token_hashes.n, unknown = 0;
  if (j->dealers.directory != NULL)
    unknown = policies_unknown_names(p, j->dealers.directory, &names);
  warn_of_unknown(j, file, unknown, buf_str(&names));
  buf_printf(&j->found.summary, "  policies     %zu, revoked %zu\n", p->n, revoked);
  put_count(j->found.members, "policies", p->n);
  put_count(j->found.members, "revoked", revoked);
}

/* --------------------------------------------------------------------------- issuers */

struct issuers_job {
  struct job *job;
  const char *file;
};

static void on_issuers_fault(void *user, const struct issuers_fault *f)
{
  const struct issuers_job *j = user;
  validation_fault(&j->job->found, j->file, f->line, f->field, "", f->text);
}

/* Whose tokens are taken, and what their claims give; NULL: there is no such file. */
static void look_at_issuers(struct job *j, const char *file)
{
  struct issuers_job faults = {j, file};
  const struct issuers_options options = {.audience = j->settings.trust.jwt_audience,
                                          .own_issuer = j->settings.trust.jwt_issuer,
                                          .on_fault = on_issuers_fault,
                                          .user = &faults};
  struct issuers *issuers = NULL;
  struct err e = {0};
  AUTO_BUF struct buf names = BUF_INIT(1 << 16);
  size_t before = j->found.faults.n, rules = 0, unknown = 0;
  if (file == NULL)
    return;
  if (issuers_load(&issuers, file, &options, &e) != ERR_OK) {
    if (j->found.faults.n == before)
      validation_fault_of(&j->found, file, e.message);
    return;
  }
  for (size_t i = 0; i < issuers->n; i++)
    rules += issuers->items[i].mapping.n;
  if (j->dealers.directory != NULL)
    unknown = issuers_unknown_names(issuers, j->dealers.directory, &names);
  warn_of_unknown(j, file, unknown, buf_str(&names));
  buf_printf(&j->found.summary, "  issuers      %zu, with %zu rules\n", issuers->n, rules);
  put_count(j->found.members, "issuers", issuers->n);
  issuers_unref(issuers);
}

/* --------------------------------------------------------------------------- command */

static void job_clear(struct job *j)
{
  validation_clear(&j->found);
  buf_free(&j->text);
  dealers_content_clear(&j->dealers);
  policies_unref(j->policies);
  settings_free(&j->settings);
}

static int run(struct job *j, const char *file, const char *policies, const char *issuers,
               bool json)
{
  struct err e = {0};
  if (cli_settings(&j->settings, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "validate", "%s", e.message);
  j->from_json = file == NULL && j->settings.credentials_json != NULL;
  j->name = file != NULL   ? file
            : j->from_json ? "GA_CREDENTIALS_JSON"
                           : j->settings.credentials_path;
  bool read = read_dealers(j);
  settings_wipe_secrets(&j->settings);
  if (read && load_dealers(j))
    look(j);
  look_at_policies(j, policies != NULL ? policies : j->settings.trust.policy_file);
  look_at_issuers(j, issuers != NULL ? issuers : j->settings.trust.issuers_file);
  validation_print(&j->found, j->name, json);
  return j->found.faults.n == 0 ? EXIT_OK : EXIT_CONFIG;
}

int cli_validate(int argc, char **argv, const char *help)
{
  __attribute__((cleanup(job_clear))) struct job j = {.text = BUF_SECRET(DEALERS_FILE_MAX + 2)};
  const char *format = "text", *policies = NULL, *issuers = NULL;
  const struct cli_option options[] = {{"format", .text = &format},
                                       {"policies", .text = &policies},
                                       {"issuers", .text = &issuers},
                                       {0}};
  int exit_code;
  validation_init(&j.found);
  char **words = cli_read(argc, argv, help, options, 0, 1, "takes one FILE", &exit_code);
  if (words == NULL)
    return exit_code;
  bool json = strcmp(format, "json") == 0;
  if (!json && strcmp(format, "text") != 0)
    return cli_fail(EXIT_USAGE, "validate", "--format: must be text or json; see --help");
  return run(&j, words[0], policies, issuers, json);
}
