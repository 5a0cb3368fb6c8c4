/* Keeps the memory of a process that holds tokens from others. */
#ifndef AMCP_BASE_HARDEN_H
#define AMCP_BASE_HARDEN_H

#include <stdbool.h>

/* The setting that turns it off, and its help text: for a developer who wants a core or a
 * debugger. */
#define HARDEN_SETTING "AMCP_ALLOW_CORE_DUMPS"
#define HARDEN_HELP                                                                                \
  "true: crashes may leave cores and debuggers may attach; both show secrets; for development"

/* No core file and no core given to a collector, and neither ptrace nor /proc/PID/mem and
 * environ for other processes of the same user (root and CAP_SYS_PTRACE still may). Call it
 * after log_init() and before anything secret is read. What the system does not allow is
 * logged, not fatal. With allow_core_dumps nothing is changed, and the log warns of it. */
void harden_process(bool allow_core_dumps);

#endif
