/* What several subcommands use: messages, options, settings, the dealers file, writing a file. */
#include "auth-svc/cli/common.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/dealers/file.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"

int cli_fail(int exit_code, const char *command, const char *fmt, ...)
{
  va_list ap;
  fprintf(stderr, "auth-svc %s: ", command);
  va_start(ap, fmt);
  vfprintf(stderr, fmt, ap);
  va_end(ap);
  fputc('\n', stderr);
  return exit_code;
}

/* What getopt_long() is to know of the options. */
struct known {
  struct option longs[CLI_OPTIONS_MAX + 2];
  char shorts[2 * CLI_OPTIONS_MAX + 2];
};

static void know(struct known *k, const struct cli_option *options)
{
  size_t n = 0, letters = 1;
  *k = (struct known){.shorts = "h"};
  for (; options[n].name != NULL; n++) {
    int has_value = options[n].set == NULL ? required_argument : no_argument;
    k->longs[n] = (struct option){options[n].name, has_value, NULL, (int)n};
    if (options[n].letter == '\0')
      continue;
    k->longs[n].val = k->shorts[letters++] = options[n].letter;
    k->shorts[letters++] = ':';
  }
  k->longs[n] = (struct option){"help", no_argument, NULL, 'h'};
}

static const struct cli_option *option_of(const struct cli_option *options, int c)
{
  for (const struct cli_option *o = options; o->name != NULL; o++)
    if (c == (o->letter != '\0' ? o->letter : o - options))
      return o;
  return NULL;
}

/* False when it was given too often. */
static bool take(const struct cli_option *o)
{
  if (o->set != NULL)
    *o->set = true;
  else if (o->list == NULL)
    *o->text = optarg;
  else if (o->list->n < CLI_LIST_MAX)
    o->list->items[o->list->n++] = optarg;
  else
    return false;
  return true;
}

static int refuse_option(char **argv)
{
  /* The word it stopped in, when several letters stand behind one dash. */
  const char *word = argv[optind > 1 && argv[optind - 1][0] == '-' ? optind - 1 : optind];
  return cli_fail(EXIT_USAGE, argv[0], "%s: no such option, or its value is missing; see --help",
                  word != NULL ? word : "");
}

char **cli_read(int argc, char **argv, const char *help, const struct cli_option *options,
                int least, int most, const char *wants, int *exit_code)
{
  struct known known;
  know(&known, options);
  opterr = 0; /* it would name the subcommand alone */
  for (int c; (c = getopt_long(argc, argv, known.shorts, known.longs, NULL)) != -1;) {
    const struct cli_option *o = option_of(options, c);
    if (c == 'h')
      *exit_code = fputs(help, stdout) < 0 ? EXIT_FAILED : EXIT_OK;
    else if (o == NULL)
      *exit_code = refuse_option(argv);
    else if (!take(o))
      *exit_code =
          cli_fail(EXIT_USAGE, argv[0], "--%s: given more than %d times", o->name, CLI_LIST_MAX);
    else
      continue;
    return NULL;
  }
  if (argc - optind >= least && argc - optind <= most)
    return argv + optind;
  *exit_code = cli_fail(EXIT_USAGE, argv[0], "%s; see --help", wants);
  return NULL;
}

int64_t cli_seconds(const char *text)
{
  const unsigned long long most = 90ULL * 86400;
  char *end = NULL;
  if (*text < '0' || *text > '9')
    return 0;
  unsigned long long n = strtoull(text, &end, 10);
  unsigned long long unit = strcmp(end, "") == 0 || strcmp(end, "s") == 0 ? 1
                            : strcmp(end, "m") == 0                       ? 60
                            : strcmp(end, "h") == 0                       ? 3600
                            : strcmp(end, "d") == 0                       ? 86400
                                                                          : 0;
  return n > most || n * unit > most ? 0 : (int64_t)(n * unit);
}

enum err_code cli_settings(struct settings *s, struct err *e)
{
  enum err_code code = settings_from_environment(s, e);
  return code == ERR_OK ? settings_load_keyring(s, e) : code;
}

enum err_code cli_load_dealers(struct snapshot **out, struct settings *s, struct err *e)
{
  s->sealed.warn_plain = false;
  s->enable_auth = true; /* the file, never Application Default Credentials */
  AUTO_BUF struct buf text = BUF_INIT(CONNECT_FILE_MAX);
  const struct connect_store_options store = settings_connected(s);
  if (connect_store_peek(&store, &text, e) != ERR_OK)
    return e->code;
  const struct dealers_connected connected = {.text = text.data, .len = text.len};
  return settings_load_snapshot(out, s, s->sealed.keyring, text.len > 0 ? &connected : NULL, NULL,
                                e);
}

/* Whoever is in the file can be named without the database. */
static enum err_code peek_connected(struct buf *out, const struct settings *s, struct err *e)
{
  const struct connect_store_options store = settings_connected(s);
  enum err_code code = connect_store_peek(&store, out, e);
  if (code != ERR_UNAVAILABLE || s->database_url == NULL)
    return code;
  fprintf(stderr, "%s; names of connected dealers are unknown until it can\n", e->message);
  *e = (struct err){0};
  return ERR_OK;
}

enum err_code cli_load_names(struct dealers_content *out, const struct settings *s, struct err *e)
{
  AUTO_BUF struct buf text = BUF_SECRET(DEALERS_FILE_MAX + 2);
  AUTO_BUF struct buf connected = BUF_INIT(CONNECT_FILE_MAX);
  if (file_read(&text, "dealers file", s->credentials_path, DEALERS_FILE_MAX, false, e) != ERR_OK ||
      peek_connected(&connected, s, e) != ERR_OK)
    return e->code;
  const struct dealers_connected joined = {.text = connected.data, .len = connected.len};
  const struct dealers_options options = {
      .warn_of_cohorts = true, .names_only = true, .connected = &joined};
  return dealers_file_read(out, s->credentials_path, text.data, text.len, &options, NULL, e);
}

const struct dealer *cli_find_dealer(const struct directory *d, const char *name,
                                     const char **closest)
{
  struct nearest best = {0};
  const struct dealer *found = directory_by_name(d, name);
  for (size_t i = 0; found == NULL && i < d->n_dealers; i++)
    nearest_offer(&best, i, nearest_distance(name, d->dealers[i].dealer_id));
  *closest = best.n > 0 ? d->dealers[best.item[0]].dealer_id : NULL;
  return found;
}

/* ------------------------------------------------------------------- writing files */

/* Owner and mode of what is replaced; nothing for others, no writing for the group. */
static void take_rights(int fd, const char *target)
{
  struct stat st;
  if (stat(target, &st) != 0)
    return;
  if (fchown(fd, st.st_uid, st.st_gid) != 0 || fchmod(fd, st.st_mode & 0640) != 0)
    (void)fchmod(fd, 0600);
}

static void sync_folder(const char *folder)
{
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void)fsync(fd);
  close(fd);
}

enum err_code cli_write_file(const char *path, const struct buf *content, struct err *e)
{
  AUTO_FREE char *real = realpath(path, NULL);
  const char *target = real != NULL ? real : path;
  struct stat st;
  if (stat(target, &st) == 0 && !S_ISREG(st.st_mode)) /* /dev/null would become a file */
    return err_set(e, ERR_INVALID_ARGUMENT, "unwritable_file", "cannot write %s: it is not a file",
                   target);
  AUTO_FREE char *folder = file_folder(target);
  AUTO_FREE char *temporary = xasprintf("%s/.auth-svc-XXXXXX", folder);
  int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0)
    return err_set(e, ERR_UNAVAILABLE, "unwritable_file", "cannot write into %s: %s", folder,
                   strerror(errno));
  take_rights(fd, target);
  bool ok = file_write_all(fd, content->data, content->len) == content->len && fsync(fd) == 0;
  ok = close(fd) == 0 && ok;
  if (ok && rename(temporary, target) == 0) {
    sync_folder(folder);
    return ERR_OK;
  }
  err_set(e, ERR_UNAVAILABLE, "unwritable_file", "cannot write %s: %s; it is as it was", target,
          strerror(errno));
  unlink(temporary);
  return ERR_UNAVAILABLE;
}
