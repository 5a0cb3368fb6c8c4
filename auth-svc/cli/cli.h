/* The subcommands of auth-svc. */
#ifndef AMCP_AUTH_CLI_H
#define AMCP_AUTH_CLI_H

#include "auth-svc/cli/common.h"

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
int cli_invite(int argc, char **argv, const char *help);
int cli_connections(int argc, char **argv, const char *help);
int cli_disconnect(int argc, char **argv, const char *help);
int cli_export(int argc, char **argv, const char *help);
int cli_import(int argc, char **argv, const char *help);
int cli_healthcheck(int argc, char **argv, const char *help);

/* inspect.c: argv begins with "token", "inspect". */
int cli_inspect(int argc, char **argv, const char *help);

/* check_steps.c: the questions to Google. Each false when it failed. */
struct http_client;
bool cli_check_account(struct http_client *http, const char *token, const char *quota_project,
                       const struct dealer *dealer);
bool cli_check_property(struct http_client *http, const char *token, const char *quota_project,
                        const char *property_id);
void cli_step(bool ok, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void cli_remedy(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
