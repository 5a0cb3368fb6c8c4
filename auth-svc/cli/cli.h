/* The subcommands of auth-svc. Only main.c, settings.c and the cli_*.c files include it. */
#ifndef AMCP_AUTH_CLI_H
#define AMCP_AUTH_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/config/settings.h"
#include "common/base/buf.h"

/* Runs the subcommand argv[1] names and sets *exit_code. False when there is none: the
 * service starts. */
bool cli_run(int argc, char **argv, int *exit_code);
/* The list of subcommands for auth-svc --help. */
extern const char cli_usage[];

/* Each gets argv from its own name on; `help` is printed for --help. Returns the exit code. */
int cli_seal(int argc, char **argv, const char *help);
int cli_unseal(int argc, char **argv, const char *help);
int cli_rotate(int argc, char **argv, const char *help);
int cli_verify(int argc, char **argv, const char *help);
int cli_keygen(int argc, char **argv, const char *help);
int cli_token(int argc, char **argv, const char *help);
int cli_validate(int argc, char **argv, const char *help);
int cli_check(int argc, char **argv, const char *help);
int cli_audit(int argc, char **argv, const char *help);
int cli_healthcheck(int argc, char **argv, const char *help);

/* Prints "auth-svc COMMAND: message" on standard error and returns the code. */
int cli_fail(int exit_code, const char *command, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The next option of getopt_long(): -1 at the end. --help and wrong options set *exit_code
 * and give 0. */
struct option;
int cli_option(int argc, char **argv, const char *shorts, const struct option *longs,
               const char *help, int *exit_code);
/* Settings and keyring of the environment; settings_free() them. */
enum err_code cli_settings(struct settings *s, struct err *e);
/* Writes a file of mode 0600 (or the one there, without rights for others) whole or not at
 * all, in place of what is there. A symbolic link stays; its target is replaced. */
enum err_code cli_write_file(const char *path, const struct buf *content, struct err *e);

/* cli_check_steps.c: the questions to Google. Each false when it failed. */
struct http_client;
struct dealer;
bool cli_check_account(struct http_client *http, const char *token, const char *quota_project,
                       const struct dealer *dealer);
bool cli_check_property(struct http_client *http, const char *token, const char *quota_project,
                        const char *property_id);
void cli_step(bool ok, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cli_remedy(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
