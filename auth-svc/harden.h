/* Keeps the process's memory from others. */
#ifndef AMCP_AUTH_HARDEN_H
#define AMCP_AUTH_HARDEN_H

/* No core dumps, and no ptrace or /proc/PID/mem by others of the same user. What the
 * system does not allow is logged, not fatal. */
void harden_process(void);

#endif
