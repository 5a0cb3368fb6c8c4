/* Configuration from the environment, and the command line every program has. */
#include "common/base/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

static bool parse_int(const char *s, int64_t *out)
{
  char *end;
  errno = 0;
  long long v = strtoll(s, &end, 10);
  if (errno != 0 || end == s || *end != '\0' || *s == ' ' || *s == '+')
    return false;
  *out = v;
  return true;
}

static bool parse_bool(const char *s, bool *out)
{
  static const char *const yes[] = {"true", "1", "yes", "on"};
  static const char *const no[] = {"false", "0", "no", "off"};
  for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
    if (ascii_case_equal(s, yes[i]) || ascii_case_equal(s, no[i])) {
      *out = ascii_case_equal(s, yes[i]);
      return true;
    }
  }
  return false;
}

static bool store(const struct config_var *v, const char *text)
{
  char host[256];
  uint16_t port;
  int64_t n;
  switch (v->type) {
  case CONFIG_INT:
    if (!parse_int(text, &n) || n < v->min || n > v->max)
      return false;
    *(int64_t *)v->out = n;
    return true;
  case CONFIG_BOOL:
    return parse_bool(text, v->out);
  case CONFIG_HOSTPORT:
    if (!config_split_hostport(text, host, sizeof(host), &port))
      return false;
    break;
  case CONFIG_STRING:
    break;
  }
  *(const char **)v->out = text;
  return true;
}

static enum err_code refuse(const struct config_var *v, const char *text, struct err *e)
{
  char expected[96];
  switch (v->type) {
  case CONFIG_INT:
    snprintf(expected, sizeof(expected), "a whole number from %" PRId64 " to %" PRId64, v->min,
             v->max);
    break;
  case CONFIG_BOOL:
    snprintf(expected, sizeof(expected), "true or false");
    break;
  default:
    snprintf(expected, sizeof(expected), "host:port, for example 127.0.0.1:50051");
    break;
  }
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_config", "%s=%s: expected %s (%s)", v->name,
                 v->secret ? "(hidden)" : text, expected, v->help);
}

const char *config_text(const char *name)
{
  const char *text = getenv(name);
  return text != NULL && *text != '\0' ? text : NULL;
}

/* getenv() gives the process's own copy. */
void config_wipe(const char *name)
{
  char *value = getenv(name);
  if (value != NULL)
    mem_wipe(value, strlen(value));
  unsetenv(name);
}

enum err_code config_load(const struct config_var *vars, size_t n, struct err *e)
{
  for (size_t i = 0; i < n; i++) {
    const char *text = config_text(vars[i].name);
    if (text == NULL)
      text = vars[i].fallback;
    if (text != NULL && !store(&vars[i], text))
      return refuse(&vars[i], text, e);
  }
  return ERR_OK;
}

void config_print_help(FILE *f, const struct config_var *vars, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    fprintf(f, "  %-30s %s", vars[i].name, vars[i].help);
    if (vars[i].fallback != NULL && vars[i].fallback[0] != '\0')
      fprintf(f, " [%s]", vars[i].fallback);
    fputc('\n', f);
  }
}

bool config_cli(int argc, char **argv, const char *program, const char *summary,
                const char *usage_extra, const struct config_var *vars, size_t n, int *exit_code)
{
  *exit_code = EXIT_OK;
  if (argc < 2)
    return true;
  if (strcmp(argv[1], "--version") == 0) {
    printf("%s %s\n", program, AMCP_VERSION);
    return false;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    printf("%s: %s\n\nUsage: %s [--help | --version]\n", program, summary, program);
    if (usage_extra != NULL)
      printf("%s\n", usage_extra);
    printf("\nSettings are environment variables [default]:\n");
    config_print_help(stdout, vars, n);
    printf("\nExit codes: 0 stopped on request, 1 failed, 2 wrong usage, 78 wrong "
           "configuration.\n");
    return false;
  }
  fprintf(stderr, "%s: unknown argument \"%s\"; see %s --help\n", program, argv[1], program);
  *exit_code = EXIT_USAGE;
  return false;
}

bool config_split_hostport(const char *s, char *host, size_t host_size, uint16_t *port)
{
  const char *colon = strrchr(s, ':');
  if (colon == NULL)
    return false;
  const char *start = s;
  size_t len = (size_t)(colon - s);
  if (*s == '[') {
    if (len < 3 || s[len - 1] != ']')
      return false;
    start = s + 1;
    len -= 2;
  } else if (memchr(s, ':', len) != NULL) {
    return false; /* IPv6 needs brackets */
  }
  int64_t n;
  if (len >= host_size || !parse_int(colon + 1, &n) || n < 0 || n > 65535)
    return false;
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)start[i] <= ' ' || start[i] == '/')
      return false;
  memcpy(host, start, len);
  host[len] = '\0';
  *port = (uint16_t)n;
  return true;
}

bool config_host_is_loopback(const char *host)
{
  struct in_addr v4;
  struct in6_addr v6;
  if (ascii_case_equal(host, "localhost"))
    return true;
  if (inet_pton(AF_INET, host, &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == 127;
  return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
