/* No core dumps of a process that holds secrets, and no debugger. */
#include "common/base/harden.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/base/log.h"

/* Two ways, because neither is enough: the limit does not hold for a core_pattern that pipes
 * to a program (core(5)), and a process that is not dumpable gives no core to either, but
 * AddressSanitizer's builds must stay dumpable. */
void harden_process(bool allow_core_dumps)
{
  const struct rlimit none = {0, 0};
  if (allow_core_dumps) {
    log_warn(HARDEN_SETTING "=true: a core dump or a debugger shows the secrets of this process");
    return;
  }
  if (setrlimit(RLIMIT_CORE, &none) != 0)
    log_warn("core dumps cannot be limited", LOG_S("error", strerror(errno)));
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches to its own process */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    log_warn("process stays dumpable", LOG_S("error", strerror(errno)));
#endif
}
