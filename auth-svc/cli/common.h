/* What several subcommands use. */
#ifndef AMCP_AUTH_CLI_COMMON_H
#define AMCP_AUTH_CLI_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/config/settings.h"
#include "common/base/buf.h"

/* Prints "auth-svc COMMAND: message" on standard error and returns the code. */
int cli_fail(int exit_code, const char *command, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

enum { CLI_OPTIONS_MAX = 12, CLI_LIST_MAX = 200 };
/* Values of an option that may be repeated. */
struct cli_list {
  const char *items[CLI_LIST_MAX];
  size_t n;
};
/* An option. One of the three takes it. */
struct cli_option {
  const char *name;
  const char **text;     /* its value */
  bool *set;             /* it has none */
  struct cli_list *list; /* each value */
  char letter;           /* short form; 0 for none */
};
/* Reads the options, of which there are up to CLI_OPTIONS_MAX before one without a name. Returns
 * the words beside them, in argv: `least` to `most`, or `wants` ("takes one FILE") is the message.
 * NULL ends the command with *exit_code: --help, or a message was printed. */
char **cli_read(int argc, char **argv, const char *help, const struct cli_option *options,
                int least, int most, const char *wants, int *exit_code);
/* A time: "900", "15m", "8h", "30d", at most 90 days. 0 when it is something else. */
int64_t cli_seconds(const char *text);
/* Settings and keyring of the environment; settings_free() them. */
enum err_code cli_settings(struct settings *s, struct err *e);
/* The dealers file of the settings and the connected dealers, without a warning about secrets in
 * the clear. */
enum err_code cli_load_dealers(struct snapshot **out, struct settings *s, struct err *e);
/* The names in the dealers file of the settings and of the connected dealers: dealers, regions,
 * groups. Credentials are not looked at, so no keyring is needed. dealers_content_clear() it. */
struct dealers_content;
enum err_code cli_load_names(struct dealers_content *out, const struct settings *s, struct err *e);
/* A dealer by dealer or account id; NULL, and *closest is the nearest id or NULL. */
const struct dealer *cli_find_dealer(const struct directory *d, const char *name,
                                     const char **closest);
/* Writes a file of mode 0600 (or the one there, without rights for others) whole or not at
 * all, in place of what is there. A symbolic link stays; its target is replaced. */
enum err_code cli_write_file(const char *path, const struct buf *content, struct err *e);

#endif
