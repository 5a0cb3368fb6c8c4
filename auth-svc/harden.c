/* No core dumps of a process that holds secrets. */
#include "auth-svc/harden.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/base/log.h"

void harden_process(void)
{
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    log_warn("core dumps cannot be limited", LOG_S("error", strerror(errno)));
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches to its own process */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    log_warn("process stays dumpable", LOG_S("error", strerror(errno)));
#endif
}
