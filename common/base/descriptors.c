/* Raises the limit of open files, and says when that does not do. */
#include "common/base/descriptors.h"

#include <sys/resource.h>

#include "common/base/log.h"

size_t descriptors_reserve(size_t connections, const char *setting)
{
  struct rlimit limit;
  rlim_t needed = (rlim_t)connections + DESCRIPTORS_OTHERS;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
    return connections;
  limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed)
    return connections;
  size_t fitting =
      limit.rlim_cur > DESCRIPTORS_OTHERS ? (size_t)(limit.rlim_cur - DESCRIPTORS_OTHERS) : 1;
  log_warn("too few file descriptors: fewer connections are made; raise the limit (ulimit -n, "
           "LimitNOFILE) or lower the setting",
           LOG_S("setting", setting), LOG_I("wanted", (int64_t)connections),
           LOG_I("taken", (int64_t)fitting), LOG_I("descriptors", (int64_t)limit.rlim_cur));
  return fitting;
}
