/* Waits at the start for a file that is not there yet. */
#include "auth-svc/config/await.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/signals.h"

enum { LOOK_MS = 100 };

/* Whether the file holds something, and the same as when this was asked last. */
static bool is_settled(const char *path, struct stat *last)
{
  struct stat now = {0};
  bool there = stat(path, &now) == 0 && now.st_size > 0;
  bool same = now.st_ino == last->st_ino && now.st_size == last->st_size &&
              now.st_mtim.tv_sec == last->st_mtim.tv_sec &&
              now.st_mtim.tv_nsec == last->st_mtim.tv_nsec;
  *last = now;
  return there && same;
}

enum err_code await_file(const char *path, int64_t wait_s, struct err *e)
{
  struct stat seen;
  if (wait_s <= 0 || stat(path, &seen) == 0)
    return ERR_OK;
  log_info("waiting for a file that is not there yet", LOG_S("path", path),
           LOG_I("seconds", wait_s));
  int64_t until_ms = clock_mono_ms() + wait_s * 1000;
  seen = (struct stat){0};
  while (!is_settled(path, &seen) && clock_mono_ms() < until_ms)
    if (signals_wait_ms(LOOK_MS) != 0)
      return err_set(e, ERR_CANCELLED, "stopped", "asked to stop while waiting for %.200s", path);
  return ERR_OK;
}
