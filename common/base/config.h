/* Configuration from the environment, and the command line every program has. */
#ifndef AMCP_BASE_CONFIG_H
#define AMCP_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"

enum config_type {
  CONFIG_STRING,  /* out: const char ** (text lives as long as the process) */
  CONFIG_INT,     /* out: int64_t *, within [min, max] */
  CONFIG_BOOL,    /* out: bool *; true/false, 1/0, yes/no, on/off in any case */
  CONFIG_HOSTPORT /* out: const char **; host:port, [v6]:port or :port */
};

/* One environment variable. An empty value counts as unset. */
struct config_var {
  const char *name;
  enum config_type type;
  void *out;
  const char *fallback; /* default as text; NULL leaves *out untouched */
  int64_t min, max;     /* CONFIG_INT only */
  bool secret;          /* the value is never printed */
  const char *help;     /* one line */
};

/* Reads the variables. The first malformed one ends with ERR_INVALID_ARGUMENT and
 * a message that names the variable, what was found and what is expected. */
enum err_code config_load(const struct config_var *vars, size_t n, struct err *e);

/* A variable that is read by its name alone; NULL when it is unset or empty. Lives as long as the
 * process. */
const char *config_text(const char *name);
/* Overwrites a variable's value, which /proc/PID/environ shows, and unsets it: what was read of it
 * must have been copied. */
void config_wipe(const char *name);

/* The command line shared by all programs: --help (usage, variables with
 * defaults, exit codes), --version, nothing else. Returns true when the program
 * should go on; otherwise *exit_code says how to end. usage_extra (may be NULL) is
 * printed after the first line of --help. */
bool config_cli(int argc, char **argv, const char *program, const char *summary,
                const char *usage_extra, const struct config_var *vars, size_t n, int *exit_code);
/* Prints the variables as --help does. */
void config_print_help(FILE *f, const struct config_var *vars, size_t n);

/* Splits host:port, [v6]:port or :port (host becomes empty). host and port point
 * into out, at least 256 bytes. False when malformed or the port is not 0-65535. */
bool config_split_hostport(const char *s, char *host, size_t host_size, uint16_t *port);
/* Whether a host is a loopback address or "localhost". */
bool config_host_is_loopback(const char *host);

/* Exit codes of every program. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

#endif
