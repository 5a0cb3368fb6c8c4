/* The audit log's keeper: a thread that syncs, and does what must not delay a call. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/wait.h"

/* Syncs a copy of the descriptor, so that writers do not wait for the disk. The file is not
 * rotated meanwhile, so the outcome belongs to it. */
static void sync_once(struct audit *a)
{
  int fd = a->dirty && !a->sync_failed ? dup(a->fd) : -1;
  if (fd < 0)
    return;
  uint64_t upto = a->size;
  ino_t ino = a->ino;
  a->dirty = false;
  a->syncing = true;
  pthread_mutex_unlock(&a->lock);
  bool ok = fdatasync(fd) == 0;
  int error = errno;
  close(fd);
  pthread_mutex_lock(&a->lock);
  a->syncing = false;
  if (ok && ino == a->ino && upto <= a->size)
    a->synced = upto;
  if (ok)
    return;
  log_error("the audit log cannot be synced: calls are refused until it can",
            LOG_S("error", strerror(error)));
  a->failed = a->sync_failed = true;
}

static void *keeper_loop(void *arg)
{
  struct audit *a = arg;
  int64_t sync_ms = clock_mono_ms() + a->sync_every_ms;
  pthread_mutex_lock(&a->lock);
  while (!a->ending) {
    wait_until(&a->wake, &a->lock, sync_ms);
    bool due = clock_mono_ms() >= sync_ms; /* else a rotation woke us, and another may follow */
    if (due && a->path != NULL && a->fsync == AUDIT_FSYNC_SECOND)
      sync_once(a);
    if (due)
      sync_ms = clock_mono_ms() + a->sync_every_ms;
    audit_refusals_write(a, false);
    audit_space_look(a);
    audit_retain(a);
  }
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

bool audit_keeper_start(struct audit *a)
{
  audit_space_look(a); /* so that nobody asks before the first look */
  a->has_keeper = pthread_create(&a->keeper, NULL, keeper_loop, a) == 0;
  return a->has_keeper;
}

void audit_keeper_stop(struct audit *a)
{
  pthread_mutex_lock(&a->lock);
  a->ending = true;
  pthread_cond_signal(&a->wake);
  pthread_mutex_unlock(&a->lock);
  if (a->has_keeper)
    pthread_join(a->keeper, NULL);
}
