/* The variables report-svc reads, and their checks. */
#include "report-svc/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/http/client.h"
#include "common/service/healthcheck.h"
#include "report-svc/google/budget.h"

static const struct service_program program = {
    .name = "report-svc",
    .summary = "GA4 reports for the analytics MCP service set, over gRPC.",
    .usage = SERVICE_HEALTHCHECK_USAGE("report-svc")};

/* Texts that are looked at after loading. */
struct raw {
  const char *data_endpoint, *admin_endpoint, *redis_url, *redis_url_file;
};

/* A URL without query, its slashes at the end dropped. */
static enum err_code check_endpoint(const char **out, const char *name, const char *url,
                                    struct err *e)
{
  const char *host = strstr(url, "://");
  bool known = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;
  if (!known || host[3] == '\0' || host[3] == '/' || strpbrk(url, "?# \t") != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "%s=%s: expected http:// or https://, a host, and perhaps a path", name, url);
  size_t len = strlen(url);
  while (url[len - 1] == '/')
    len--;
  *out = xstrndup(url, len);
  return ERR_OK;
}

/* The first line of a file, which is to hold one. */
static enum err_code read_line(struct buf *out, const char *what, const char *path, struct err *e)
{
  char line[REDIS_URL_MAX];
  FILE *f = fopen(path, "re");
  if (f == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config", "%s=%.200s: %s", what, path,
                   strerror(errno));
  setvbuf(f, NULL, _IONBF, 0); /* no copy is left in a buffer */
  size_t len = fread(line, 1, sizeof(line) - 1, f);
  fclose(f);
  line[len] = '\0';
  buf_append(out, line, strcspn(line, "\r\n"));
  mem_wipe(line, sizeof(line));
  return out->len > 0 ? ERR_OK
                      : err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                                "%s=%.200s: its first line is empty", what, path);
}

/* The address holds a password: it does not stay in the environment. */
static enum err_code read_redis(struct settings *s, const struct raw *raw, struct err *e)
{
  AUTO_BUF struct buf text = BUF_SECRET(REDIS_URL_MAX);
  const char *what = raw->redis_url_file != NULL ? "REDIS_URL_FILE" : "REDIS_URL";
  enum err_code code = ERR_OK;
  if (raw->redis_url != NULL && raw->redis_url_file != NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                   "REDIS_URL and REDIS_URL_FILE: set one of them");
  if (raw->redis_url_file != NULL)
    code = read_line(&text, what, raw->redis_url_file, e);
  else if (raw->redis_url != NULL)
    buf_puts(&text, raw->redis_url);
  if (code == ERR_OK && text.failed)
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_config", "%s: too long", what);
  if (code == ERR_OK && text.len > 0)
    code = redis_url_parse(&s->redis, what, buf_str(&text), e);
  config_wipe("REDIS_URL");
  return code;
}

static enum err_code check(struct settings *s, const struct raw *raw, struct err *e)
{
  enum err_code code =
      check_endpoint(&s->data_endpoint, "GA4_DATA_ENDPOINT", raw->data_endpoint, e);
  if (code == ERR_OK)
    code = check_endpoint(&s->admin_endpoint, "GA4_ADMIN_ENDPOINT", raw->admin_endpoint, e);
  return code == ERR_OK ? read_redis(s, raw, e) : code;
}

bool report_settings_load(struct settings *s, int argc, char **argv, int *exit_code)
{
  *s = (struct settings){0};
  struct raw raw = {0};
  const struct config_var vars[] = {
      {"GRPC_LISTEN", CONFIG_HOSTPORT, &s->grpc_listen, "127.0.0.1:50052", 0, 0, false,
       "where the gRPC service listens"},
      {"AUTH_SVC_ADDR", CONFIG_STRING, &s->auth_addr, "127.0.0.1:50051", 0, 0, false,
       "gRPC target of auth-svc"},
      {"AUTH_SVC_IDENTITY", CONFIG_STRING, &s->auth_identity, NULL, 0, 0, false,
       SERVICE_IDENTITY_HELP("AUTH_SVC_ADDR")},
      {"STATUS_GATEWAY_IDENTITY", CONFIG_STRING, &s->gateway_identity, "gateway", 0, 0, false,
       "certificate identity that may call GetStatus without an admin's grant, with TLS"},
      {"GA4_DATA_ENDPOINT", CONFIG_STRING, &raw.data_endpoint,
       "https://analyticsdata.googleapis.com", 0, 0, false, "Google Analytics Data API"},
      {"GA4_ADMIN_ENDPOINT", CONFIG_STRING, &raw.admin_endpoint,
       "https://analyticsadmin.googleapis.com", 0, 0, false, "Google Analytics Admin API"},
      {"REPORT_WORKERS", CONFIG_INT, &s->workers, "1", 1, 64, false, "gRPC worker threads"},
      {"SSL_CERT_FILE", CONFIG_STRING, &s->ca_file, NULL, 0, 0, false,
       "CA certificates (PEM) that Google's must be signed by; the system's when not set"},
      {"SSL_CERT_DIR", CONFIG_STRING, &s->ca_dir, NULL, 0, 0, false,
       "directory of CA certificates, hashed by openssl rehash, beside SSL_CERT_FILE"},
      {"REDIS_URL", CONFIG_STRING, &raw.redis_url, NULL, 0, 0, true,
       "Redis or Valkey where replicas share quota, places at Google and cached answers: "
       "redis://user:password@host:port/database, rediss:// for TLS"},
      {"REDIS_URL_FILE", CONFIG_STRING, &raw.redis_url_file, NULL, 0, 0, false,
       "the same from the first line of a file"},
      {"REDIS_TLS_CA", CONFIG_STRING, &s->redis_ca_file, NULL, 0, 0, false,
       "CA certificates (PEM) that the certificate at rediss:// must be signed by; those of "
       "SSL_CERT_FILE and SSL_CERT_DIR, or the system's, when not set"},
      {"REDIS_TIMEOUT_MS", CONFIG_INT, &s->redis_timeout_ms, "50", 1, 1000, false,
       "longest wait for one answer of Redis; then the replica uses its own state"},
      {"REPORT_PAGE_ROWS", CONFIG_INT, &s->page_rows, "250000", 1, 250000, false,
       "rows per page when reports are fetched for aggregation"},
      {"REPORT_CACHE_TTL_S", CONFIG_INT, &s->cache_ttl_s, "60", 0, 86400, false,
       "how long a report answer is reused, in seconds; 0 for never"},
      {"REPORT_CACHE_BYTES", CONFIG_INT, &s->cache_bytes, "33554432", 0, (int64_t)1 << 34, false,
       "memory for cached answers; 0 for none"},
      {"REPORT_JOIN_BYTES", CONFIG_INT, &s->join_bytes, "67108864", 1 << 20, (int64_t)1 << 34,
       false,
       "memory for all reports that are being put together from parts, of leads or of several "
       "properties; more wait, one that needs more than half is refused"},
      {"REPORT_INTAKE_BYTES", CONFIG_INT, &s->intake_bytes, "50331648", 1 << 20, (int64_t)1 << 34,
       false,
       "memory for the keys, texts and columns of all reports that arrive for fan-outs; beyond it "
       "one dealer of each fan-out is read, the others wait"},
      {"REPORT_PROPERTIES_TTL_S", CONFIG_INT, &s->properties_ttl_s, "3600", 0, 86400, false,
       "how long the properties found for a dealer without configured ones are kept, in seconds; 0 "
       "looks them up for every report"},
      {"REPORT_LEASE_MS", CONFIG_INT, &s->lease_ms, "2000", 0, 2000, false,
       "how long auth-svc's approval is reused for the same grant and dealer, and how late a "
       "revocation may take effect, in milliseconds; 0 asks for every call"},
      {"REPORT_TIMEOUT_MS", CONFIG_INT, &s->timeout_ms, "60000", 10, 600000, false,
       "time for one request to Google; time that a slow caller holds it up is not counted"},
      {"REPORT_DEADLINE_MS", CONFIG_INT, &s->deadline_ms, "45000", 10, 600000, false,
       "time for all requests of one call; dealers that take longer are named and left out"},
      {"REPORT_SERVER_ERRORS", CONFIG_INT, &s->server_errors, "6", 0, BUDGET_MAX_ERRORS, false,
       "500 and 503 of Google per property and hour, then nothing is sent; 0 for no bound"},
      {"REPORT_QUOTA_PROBE_S", CONFIG_INT, &s->quota_probe_s, "300", 0, 3600, false,
       "between requests to a property whose quota is used up, in seconds; 0 sends all"},
      {"REPORT_BACKOFF_MS", CONFIG_INT, &s->backoff_ms, "500", 1, 60000, false,
       "longest first wait before a request is tried again"},
      {"REPORT_MAX_TRANSFERS", CONFIG_INT, &s->max_transfers, "1024", 1, 4096, false,
       "requests to Google at once, over all properties"},
      {"REPORT_TRANSFER_THREADS", CONFIG_INT, &s->transfer_threads, "0", 0, HTTP_MAX_THREADS, false,
       "threads that talk to Google and decode its answers; 0 for one per processor, at most 4"},
      {"REPORT_FAN_OUT", CONFIG_INT, &s->fan_out, "64", 1, 500, false,
       "dealers at once in one fan-out call"},
      {"REPORT_BENCHMARK_REPORTS", CONFIG_INT, &s->benchmark_reports, "2000", 0, 1000000, false,
       "reports of other owners' properties that one caller may cause within an hour; 0 for no "
       "bound"},
      {"REPORT_BENCHMARK_PERCENT", CONFIG_INT, &s->benchmark_percent, "25", 0, 100, false,
       "of the tokens of a property's hour at Google, what benchmarks of other owners may use; 0 "
       "for no bound"},
      {"REPORT_BENCHMARK_PLACES", CONFIG_INT, &s->benchmark_places, "2", 1, 10, false,
       "of the 10 requests at once at a property, what benchmarks of other owners may have"},
  };
  struct err e = {0};
  if (!service_settings_load(&s->service, &program, vars, ARRAY_LEN(vars), argc, argv, exit_code))
    return false;
  return check(s, &raw, &e) == ERR_OK || service_settings_refuse(&program, &e, exit_code);
}
