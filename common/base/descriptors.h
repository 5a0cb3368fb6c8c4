/* File descriptors of the process. */
#ifndef AMCP_BASE_DESCRIPTORS_H
#define AMCP_BASE_DESCRIPTORS_H

#include <stddef.h>

/* For everything but the connections that a program counts: files, gRPC, listeners. */
enum { DESCRIPTORS_OTHERS = 256 };

/* Room for so many connections besides DESCRIPTORS_OTHERS: raises the process's own limit
 * (RLIMIT_NOFILE) as far as it may. Returns how many fit, at least 1 and at most `connections`;
 * where those are fewer, logs a warning that names the setting. Call before other threads count on
 * the limit. */
size_t descriptors_reserve(size_t connections, const char *setting);

#endif
