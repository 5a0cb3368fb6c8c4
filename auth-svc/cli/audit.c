/* Subcommand audit verify. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/audit/audit.h"
#include "auth-svc/cli/cli.h"
#include "common/base/config.h"

enum { SHOWN_MAX = 100 };

static void print_finding(void *user, const char *path, size_t line, const char *what)
{
  size_t *shown = user;
  if ((*shown)++ < SHOWN_MAX)
    printf("%s line %zu: %s\n", path, line, what);
  else if (*shown == SHOWN_MAX + 1)
    printf("... and more\n");
}

/* What the faults, or their absence, may mean. */
static void print_hints(const struct audit_findings *f, const struct keyring *ring,
                        const char *last)
{
  for (size_t i = 0; ring != NULL && i < keyring_size(ring); i++)
    if (f->bad[i] > 0 && f->good[i] == 0)
      fprintf(stderr,
              "auth-svc audit: no line made with key \"%s\" matches: the keyring holds another key "
              "by this id than the log was made with\n",
              keyring_id(ring, i));
  if (!f->has_head)
    fprintf(stderr,
            "auth-svc audit: %s.head is missing or damaged, so lines cut off the end of %s would "
            "go unnoticed; compare its last number with the metric auth_audit_seq\n",
            last, last);
  if (ring == NULL)
    fprintf(stderr, "auth-svc audit: without a keyring, whoever can write the file can also make a "
                    "valid chain\n");
}

/* Where the lines begin, when it is not with the first of all. */
static void print_beginning(const struct audit_findings *f)
{
  if (f->first_seq <= 1)
    return;
  printf("begins with number %" PRIu64 ": ", f->first_seq);
  if (f->deleted_to >= f->first_seq - 1)
    printf("the lines before it were deleted by age or size (AUTH_AUDIT_KEEP_*), as a line says\n");
  else
    printf("the files before it are not given, and no line says that they were deleted\n");
}

static int verify(char **files, size_t n, bool allow_unkeyed)
{
  struct settings settings;
  struct audit_findings findings;
  struct err e = {0};
  size_t shown = 0;
  if (cli_settings(&settings, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "audit", "%s", e.message);
  const struct keyring *ring = settings.sealed.keyring;
  enum err_code code = audit_verify(&findings, (const char *const *)files, n, ring, allow_unkeyed,
                                    print_finding, &shown, &e);
  if (code == ERR_OK)
    print_hints(&findings, ring, files[n - 1]);
  settings_free(&settings);
  if (code != ERR_OK)
    return cli_fail(code == ERR_FAILED_PRECONDITION ? EXIT_CONFIG : EXIT_FAILED, "audit", "%s",
                    e.message);
  print_beginning(&findings);
  printf("%" PRIu64 " lines, the last has number %" PRIu64 ", %zu faults\n", findings.lines,
         findings.last.seq, findings.n);
  return findings.n == 0 ? EXIT_OK : EXIT_FAILED;
}

int cli_audit(int argc, char **argv, const char *help)
{
  static const char wants[] = "must be: audit verify FILE...";
  bool allow_unkeyed = false;
  const struct cli_option options[] = {{"allow-unkeyed", .set = &allow_unkeyed}, {0}};
  int exit_code;
  char **words = cli_read(argc, argv, help, options, 2, INT_MAX, wants, &exit_code);
  if (words == NULL)
    return exit_code;
  if (strcmp(words[0], "verify") != 0)
    return cli_fail(EXIT_USAGE, "audit", "%s; see --help", wants);
  return verify(words + 1, (size_t)(argv + argc - words) - 1, allow_unkeyed);
}
