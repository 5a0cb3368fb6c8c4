/* Parses the command line of ga4-sim. */
#include "ga4-sim/sim/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "ga4-sim/world/plants.h"

enum { STUB_MAX_DEALERS = 10000 };

static const char usage[] =
    "Usage: ga4-sim [options]\n"
    "       ga4-sim healthcheck [--listen HOST:PORT]   exit code 0 or 1 within 2 s: is one "
    "serving?\n"
    "A stand-in for Google Analytics (OAuth token endpoint, Data API, Admin API) over a\n"
    "synthetic world of car dealers. For demonstrations and tests only.\n\n"
    "  --listen HOST:PORT       where to listen; port 0 picks a free one (127.0.0.1:8089)\n"
    "  --tls CERTIFICATE@HOST:PORT\n"
    "                           listen over TLS as well, with a certificate that is good, "
    "expired,\n"
    "                           wrong_name or self_signed; repeatable\n"
    "  --write-ca FILE          write the authority of these certificates (PEM)\n"
    "  --seed N                 seed of the world (42)\n"
    "  --dealers N              dealers, 1 to 1000, with --stub to 10000 (24); with more than\n"
    "                           200 each is made when it is first asked for\n"
    "  --regions N              regions, 1 to 6 (3)\n"
    "  --days N                 days of data, 1 to 1200, the last one is today (400)\n"
    "  --today YYYY-MM-DD       the day it is, in every time zone (default: by the clock)\n"
    "  --world plain|demo       demo: 1,000 to 5,000 sessions per dealer and 28 days, with true\n"
    "                           differences (plain)\n"
    "  --plant SIGN:DEALER      a sign of suspect data, for example bot_wave:d03; repeatable. SIGN "
    "is\n"
    "                           bot_wave, gap, late_start, duplicates, key_events, consent_shift "
    "or\n"
    "                           self_referral\n"
    "  --db FILE                keep the world here; reused when the parameters match\n"
    "  --write-dealers FILE     write dealers.json (mode 0600) for an auth service\n"
    "  --write-service-account FILE\n"
    "                           write a service-account key (mode 0600) that may read all\n"
    "  --write-service-accounts DIR\n"
    "                           write a key per dealer, DIR/<dealer_id>.json (mode 0600), that "
    "may\n"
    "                           read the dealer's property\n"
    "  --credential-kinds KIND  what dealers.json signs in with: oauth, service_account,\n"
    "                           external_account, impersonated or mixed (oauth)\n"
    "  --public-url URL         where clients reach this, for the files (the address listened on)\n"
    "  --stub                   no world: the token endpoint, runReport and batchRunReports "
    "alone, with\n"
    "                           cheap fixed figures, for benchmarks of what calls them\n"
    "  --stub-rows N            rows of a report of the stub by other dimensions than date (7)\n"
    "  --generate-only          generate the world, write the files, end\n"
    "  --latency-ms N           delay of every API answer, 0 to 600000 (0)\n"
    "  --token-lifetime-s N     lifetime of access tokens, 1 to 86400 (3599)\n"
    "  --help, --version\n\n"
    "Exit codes: 0 ended on request, 1 failed (for example: port in use), 2 wrong usage.\n";

static bool number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
  char *end = NULL;
  unsigned long long n = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || n < min || n > max || strlen(text) > 20) {
    fprintf(stderr, "ga4-sim: --%s %s: expected a whole number from %llu to %llu\n", name, text,
            (unsigned long long)min, (unsigned long long)max);
    return false;
  }
  *out = n;
  return true;
}

enum option_id {
  OPT_LISTEN = 256,
  OPT_TLS,
  OPT_WRITE_CA,
  OPT_SEED,
  OPT_DEALERS,
  OPT_REGIONS,
  OPT_DAYS,
  OPT_TODAY,
  OPT_DB,
  OPT_WORLD,
  OPT_PLANT,
  OPT_WRITE_DEALERS,
  OPT_WRITE_SA,
  OPT_WRITE_SAS,
  OPT_KINDS,
  OPT_PUBLIC_URL,
  OPT_GENERATE_ONLY,
  OPT_STUB,
  OPT_STUB_ROWS,
  OPT_LATENCY,
  OPT_TOKEN_LIFETIME,
  OPT_HELP,
  OPT_VERSION
};

static bool take_number(struct options *o, int id, const char *text)
{
  static const struct {
    int id;
    const char *name;
    uint64_t min, max;
  } numbers[] = {
      {OPT_SEED, "seed", 0, UINT64_C(9223372036854775807)},
      {OPT_DEALERS, "dealers", 1, STUB_MAX_DEALERS},
      {OPT_REGIONS, "regions", 1, ATLAS_MAX_REGIONS},
      {OPT_DAYS, "days", 1, PLAN_MAX_DAYS},
      {OPT_LATENCY, "latency-ms", 0, 600000},
      {OPT_TOKEN_LIFETIME, "token-lifetime-s", 1, 86400},
      {OPT_STUB_ROWS, "stub-rows", 1, 1000000},
  };
  uint64_t n = 0;
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    if (numbers[i].id == id && !number(numbers[i].name, text, numbers[i].min, numbers[i].max, &n))
      return false;
  switch (id) {
  case OPT_SEED:
    o->world.seed = n;
    break;
  case OPT_DEALERS:
    o->world.dealers = (uint32_t)n;
    break;
  case OPT_REGIONS:
    o->world.regions = (uint32_t)n;
    break;
  case OPT_DAYS:
    o->world.days = (uint32_t)n;
    break;
  case OPT_LATENCY:
    o->latency_ms = (uint32_t)n;
    break;
  case OPT_STUB_ROWS:
    o->stub_rows = (uint32_t)n;
    break;
  default:
    o->token_lifetime_s = (uint32_t)n;
    break;
  }
  return true;
}

static bool take_kinds(struct options *o)
{
  static const char *const names[] = {"oauth", "service_account", "external_account",
                                      "impersonated", "mixed"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(names[i], optarg) == 0) {
      o->credential_kinds = (enum credential_kinds)i;
      return true;
    }
  fprintf(stderr,
          "ga4-sim: --credential-kinds %s: expected oauth, service_account, external_account, "
          "impersonated or mixed\n",
          optarg);
  return false;
}

/* "expired@127.0.0.1:8443" */
static bool take_tls(struct options *o)
{
  struct tls_listen *l = &o->tls[o->n_tls];
  const char *at = strchr(optarg, '@');
  for (size_t i = 0; at != NULL && o->n_tls < TLS_LISTEN_MAX && i < CERTIFICATE_KINDS; i++) {
    size_t len = strlen(certificate_names[i]);
    if ((size_t)(at - optarg) != len || strncmp(optarg, certificate_names[i], len) != 0)
      continue;
    l->certificate = (enum certificate_kind)i;
    if (config_split_hostport(at + 1, l->host, sizeof(l->host), &l->port) && l->host[0] != '\0') {
      o->n_tls++;
      return true;
    }
  }
  fprintf(
      stderr,
      "ga4-sim: --tls %s: expected CERTIFICATE@HOST:PORT, at most %d times, the certificate one "
      "of good, expired, wrong_name, self_signed\n",
      optarg, TLS_LISTEN_MAX);
  return false;
}

static bool take_public_url(struct options *o)
{
  size_t n = strlen(optarg);
  o->public_url = optarg;
  if ((strncmp(optarg, "http://", 7) == 0 || strncmp(optarg, "https://", 8) == 0) && n < 256 &&
      optarg[n - 1] != '/')
    return true;
  fprintf(stderr,
          "ga4-sim: --public-url %s: expected http://HOST[:PORT] without a slash at the "
          "end\n",
          optarg);
  return false;
}

static bool take(struct options *o, int id)
{
  struct err e = {0};
  switch (id) {
  case OPT_LISTEN:
    if (config_split_hostport(optarg, o->host, sizeof(o->host), &o->port) && o->host[0] != '\0')
      return true;
    fprintf(stderr, "ga4-sim: --listen %s: expected HOST:PORT, for example 127.0.0.1:8089\n",
            optarg);
    return false;
  case OPT_TLS:
    return take_tls(o);
  case OPT_WRITE_CA:
    o->write_ca = optarg;
    return true;
  case OPT_TODAY:
    o->fixed_today = true;
    if (clock_parse_date(optarg, &o->world.today) && strlen(optarg) == 10 && optarg[0] == '2')
      return true;
    fprintf(stderr, "ga4-sim: --today %s: expected a date as YYYY-MM-DD\n", optarg);
    return false;
  case OPT_DB:
    o->db = optarg;
    return true;
  case OPT_WORLD:
    o->world.demo = strcmp(optarg, "demo") == 0;
    if (o->world.demo || strcmp(optarg, "plain") == 0)
      return true;
    fprintf(stderr, "ga4-sim: --world %s: must be one of plain, demo\n", optarg);
    return false;
  case OPT_PLANT:
    if (plants_parse(&o->world, optarg, &e) == ERR_OK)
      return true;
    fprintf(stderr, "ga4-sim: --plant %s: %s\n", optarg, e.message);
    return false;
  case OPT_WRITE_DEALERS:
    o->write_dealers = optarg;
    return true;
  case OPT_WRITE_SA:
    o->write_service_account = optarg;
    return true;
  case OPT_WRITE_SAS:
    o->write_service_accounts = optarg;
    return true;
  case OPT_KINDS:
    return take_kinds(o);
  case OPT_PUBLIC_URL:
    return take_public_url(o);
  case OPT_GENERATE_ONLY:
    o->generate_only = true;
    return true;
  case OPT_STUB:
    o->stub = true;
    return true;
  default:
    return take_number(o, id, optarg);
  }
}

bool options_parse(struct options *o, int argc, char **argv, int *exit_code)
{
  static const struct option table[] = {
      {"listen", required_argument, NULL, OPT_LISTEN},
      {"tls", required_argument, NULL, OPT_TLS},
      {"write-ca", required_argument, NULL, OPT_WRITE_CA},
      {"seed", required_argument, NULL, OPT_SEED},
      {"dealers", required_argument, NULL, OPT_DEALERS},
      {"regions", required_argument, NULL, OPT_REGIONS},
      {"days", required_argument, NULL, OPT_DAYS},
      {"today", required_argument, NULL, OPT_TODAY},
      {"db", required_argument, NULL, OPT_DB},
      {"world", required_argument, NULL, OPT_WORLD},
      {"plant", required_argument, NULL, OPT_PLANT},
      {"write-dealers", required_argument, NULL, OPT_WRITE_DEALERS},
      {"write-service-account", required_argument, NULL, OPT_WRITE_SA},
      {"write-service-accounts", required_argument, NULL, OPT_WRITE_SAS},
      {"credential-kinds", required_argument, NULL, OPT_KINDS},
      {"public-url", required_argument, NULL, OPT_PUBLIC_URL},
      {"stub", no_argument, NULL, OPT_STUB},
      {"stub-rows", required_argument, NULL, OPT_STUB_ROWS},
      {"generate-only", no_argument, NULL, OPT_GENERATE_ONLY},
      {"latency-ms", required_argument, NULL, OPT_LATENCY},
      {"token-lifetime-s", required_argument, NULL, OPT_TOKEN_LIFETIME},
      {"help", no_argument, NULL, OPT_HELP},
      {"version", no_argument, NULL, OPT_VERSION},
      {0}};
  *o = (struct options){.host = "127.0.0.1",
                        .port = 8089,
                        .token_lifetime_s = 3599,
                        .stub_rows = STUB_ROWS,
                        .world = {.seed = 42,
                                  .dealers = 24,
                                  .regions = 3,
                                  .days = 400,
                                  .today = clock_unix_ms() / 86400000}};
  *exit_code = EXIT_USAGE;
  int id;
  while ((id = getopt_long(argc, argv, "h", table, NULL)) != -1) {
    if (id == OPT_HELP || id == 'h' || id == OPT_VERSION) {
      fputs(id != OPT_VERSION ? usage : "ga4-sim " AMCP_VERSION "\n", stdout);
      *exit_code = EXIT_OK;
      return false;
    }
    if (id == '?') {
      fputs("Try 'ga4-sim --help'.\n", stderr);
      return false;
    }
    if (!take(o, id))
      return false;
  }
  if (!o->stub && o->world.dealers > PLAN_MAX_DEALERS) {
    fprintf(stderr, "ga4-sim: --dealers %u: at most %d without --stub\n", o->world.dealers,
            PLAN_MAX_DEALERS);
    return false;
  }
  if (optind < argc) {
    fprintf(stderr, "ga4-sim: unexpected argument '%s'. Try 'ga4-sim --help'.\n", argv[optind]);
    return false;
  }
  return true;
}
