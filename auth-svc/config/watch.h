/* Watches files of the configuration and says when one has changed.
 *
 * Sees atomic renames, symbolic links that are swapped (Kubernetes' ..data) and files written
 * in place: by inotify on their folders, and by looking from time to time where inotify reports
 * nothing (network file systems, a link into another folder). A change counts when the
 * content differs and has stayed as it is for a moment, so that a file in the middle of being
 * written is not read. */
#ifndef AMCP_AUTH_CONFIG_WATCH_H
#define AMCP_AUTH_CONFIG_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/read_files.h"
#include "common/base/error.h"

enum { CONFIG_WATCH_MAX_FILES = 16 };

struct config_watch;

struct config_watch_options {
  const char *paths[CONFIG_WATCH_MAX_FILES]; /* NULLs are skipped; copied */
  uint32_t check_ms;                         /* between looks; 0 means 10,000 */
  uint32_t settle_ms; /* how long a content must stay as it is; 0 means 100 */
  /* Runs on the watcher's thread, one at a time; may block. */
  void (*on_change)(void *user);
  void *user;
};

/* What the files hold now counts as known: make it before they are read. Files that do not
 * exist are waited for. */
struct config_watch *config_watch_new(const struct config_watch_options *options);
/* Watches these too, in place of those it was given before; what they held when they were read
 * counts as known. Thread-safe. */
void config_watch_follow(struct config_watch *w, const struct table *files);
/* Starts the thread; a change since it was made is not missed. ERR_UNAVAILABLE without one. */
enum err_code config_watch_start(struct config_watch *w, struct err *e);
/* Lets on_change run once, whether something changed or not (SIGHUP). Thread-safe. */
void config_watch_poke(struct config_watch *w);
/* Waits for a running on_change, and frees, whether it was started or not. NULL is fine. */
void config_watch_stop(struct config_watch *w);

#endif
