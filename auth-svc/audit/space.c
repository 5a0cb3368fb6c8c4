/* Free bytes of the audit log's volume: a state to warn of before calls are refused. */
#include <sys/statvfs.h>

#include "auth-svc/audit/internal.h"
#include "common/base/log.h"

enum { LOOK_MS = 5000, WARN_MS = 60 * 1000 };

static void set_low(struct audit *a, bool low, int64_t now)
{
  if (low && now >= a->space_warn_at_ms) {
    log_warn("little space is left for the audit log; once it is used up, calls are refused",
             LOG_S("path", a->path), LOG_I("free_bytes", a->free_bytes),
             LOG_I("warn_below", a->warn_free_bytes));
    a->space_warn_at_ms = now + WARN_MS;
  }
  if (a->space_low && !low)
    log_info("there is space for the audit log again", LOG_I("free_bytes", a->free_bytes));
  a->space_low = low;
  metric_set(a->low_gauge, low, NULL);
}

void audit_space_look(struct audit *a)
{
  struct statvfs v;
  const int64_t now = a->mono_ms();
  if (a->path == NULL || now < a->space_at_ms)
    return;
  a->space_at_ms = now + LOOK_MS;
  if (fstatvfs(a->fd, &v) != 0)
    return; /* what was seen last stands */
  a->free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
  metric_set(a->free_gauge, (double)a->free_bytes, NULL);
  set_low(a, a->free_bytes < a->warn_free_bytes, now);
}

bool audit_space_is_low(struct audit *a, uint64_t *free_bytes)
{
  *free_bytes = 0;
  if (a == NULL)
    return false;
  pthread_mutex_lock(&a->lock);
  *free_bytes = a->free_bytes;
  bool low = a->space_low;
  pthread_mutex_unlock(&a->lock);
  return low;
}
