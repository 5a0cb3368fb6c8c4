/* Watches files: inotify on their folders, a look from time to time, contents by digest. */
#include "auth-svc/config/watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum {
  /* A writer that never pauses is read in the middle after so long. */
  SETTLE_AT_MOST_MS = 5000,
  FILE_READ_MAX = 64 << 20,
};

/* What a file looked like. */
struct look {
  bool exists;
  struct stat outside;
  uint8_t digest[SHA256_SIZE];
};

struct watched {
  char *path;
  struct look look; /* the last one taken */
};

struct config_watch {
  struct config_watch_options options;
  int inotify; /* -1 when there is none */
  int wake;
  pthread_t thread;
  bool started;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct watched *files; /* of the options, then those that are followed */
  size_t n, n_own;
  uint8_t known[SHA256_SIZE]; /* of all contents, as on_change saw them last */
  bool poked, stopping;
};

/* --------------------------------------------------------------------------- looking */

static bool digest_file(const char *path, uint8_t out[SHA256_SIZE])
{
  AUTO_BUF struct buf text = {0};
  bool ok = file_read(&text, "watched file", path, FILE_READ_MAX, false, NULL) == ERR_OK;
  if (ok)
    sha256_of(text.data, text.len, out);
  return ok;
}

static bool same_outside(const struct look *a, const struct look *b)
{
  const struct stat *x = &a->outside, *y = &b->outside;
  return a->exists == b->exists && x->st_dev == y->st_dev && x->st_ino == y->st_ino &&
         x->st_size == y->st_size && memcmp(&x->st_mtim, &y->st_mtim, sizeof(x->st_mtim)) == 0 &&
         memcmp(&x->st_ctim, &y->st_ctim, sizeof(x->st_ctim)) == 0;
}

/* Reads the content only when the file's outside changed, or `thorough`. A file that cannot
 * be read looks like none. */
static void take_look(struct watched *f, bool thorough)
{
  struct look now = {0};
  struct stat st;
  if (stat(f->path, &st) == 0 && S_ISREG(st.st_mode)) {
    now.exists = true;
    now.outside = st;
    memcpy(now.digest, f->look.digest, SHA256_SIZE);
    if ((thorough || !same_outside(&now, &f->look)) && !digest_file(f->path, now.digest))
      now = (struct look){0};
  }
  f->look = now;
}

/* One digest of all contents, as they were looked at last. */
static void digest_of_all(const struct config_watch *w, uint8_t out[SHA256_SIZE])
{
  enum { EACH = 1 + SHA256_SIZE };
  AUTO_FREE uint8_t *all = xcalloc(w->n + 1, EACH);
  for (size_t i = 0; i < w->n; i++) {
    all[i * EACH] = w->files[i].look.exists;
    memcpy(all + i * EACH + 1, w->files[i].look.digest, SHA256_SIZE);
  }
  sha256_of(all, w->n * EACH, out);
}

/* The lock is held. */
static void look_at_all(struct config_watch *w, bool thorough, uint8_t out[SHA256_SIZE])
{
  for (size_t i = 0; i < w->n; i++)
    take_look(&w->files[i], thorough);
  digest_of_all(w, out);
}

static bool is_known(const struct config_watch *w, const uint8_t now[SHA256_SIZE])
{
  return memcmp(now, w->known, SHA256_SIZE) == 0;
}

/* -------------------------------------------------------------------------- inotify */

static void watch_folder_of(struct config_watch *w, const char *path)
{
  static const uint32_t mask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR;
  AUTO_FREE char *folder = file_folder(path);
  if (w->inotify >= 0 && inotify_add_watch(w->inotify, folder, mask) < 0)
    log_debug("the folder cannot be watched; it is polled instead", LOG_S("path", folder));
}

/* Adding a watch again is free, and a folder may have been replaced. The lock is held. */
static void watch_folders(struct config_watch *w)
{
  for (size_t i = 0; i < w->n; i++) {
    char real[PATH_MAX];
    watch_folder_of(w, w->files[i].path);
    if (realpath(w->files[i].path, real) != NULL)
      watch_folder_of(w, real);
  }
}

/* The events say only that something may have changed. */
static void drain(int fd)
{
  _Alignas(struct inotify_event) char events[4096];
  while (fd >= 0 && read(fd, events, sizeof(events)) > 0)
    ;
}

/* ----------------------------------------------------------------------- the thread */

/* Waits for an event, a poke or the time, without the lock, which is held otherwise. True when
 * inotify had something to say. */
static bool wait_for_event(struct config_watch *w, int64_t ms)
{
  struct pollfd fds[2] = {{.fd = w->wake, .events = POLLIN}, {.fd = w->inotify, .events = POLLIN}};
  uint64_t count;
  pthread_mutex_unlock(&w->lock);
  int n = poll(fds, 2, (int)ms);
  pthread_mutex_lock(&w->lock);
  if (n > 0 && (fds[0].revents & POLLIN) != 0 && read(w->wake, &count, sizeof(count)) < 0)
    log_debug("eventfd", LOG_S("error", strerror(errno)));
  bool event = n > 0 && (fds[1].revents & POLLIN) != 0;
  if (event)
    drain(w->inotify);
  return event;
}

/* Until the content has stayed the same for settle_ms. */
static void settle(struct config_watch *w, uint8_t now[SHA256_SIZE])
{
  int64_t end = clock_mono_ms() + SETTLE_AT_MOST_MS;
  bool same = false;
  while (!same && clock_mono_ms() < end && !w->stopping) {
    uint8_t before[SHA256_SIZE];
    int64_t quiet_at = clock_mono_ms() + w->options.settle_ms;
    for (int64_t left; (left = quiet_at - clock_mono_ms()) > 0 && !w->stopping;)
      wait_for_event(w, left);
    memcpy(before, now, SHA256_SIZE);
    look_at_all(w, true, now);
    same = memcmp(now, before, SHA256_SIZE) == 0;
  }
}

static void look_once(struct config_watch *w, bool event)
{
  uint8_t now[SHA256_SIZE];
  look_at_all(w, event, now);
  bool poked = w->poked;
  w->poked = false;
  if (!poked && !is_known(w, now))
    settle(w, now);
  if ((!poked && is_known(w, now)) || w->stopping)
    return;
  /* Before they are read: what changes from here on is another change. */
  memcpy(w->known, now, SHA256_SIZE);
  pthread_mutex_unlock(&w->lock);
  w->options.on_change(w->options.user);
  pthread_mutex_lock(&w->lock);
}

static void *run(void *arg)
{
  struct config_watch *w = arg;
  pthread_mutex_lock(&w->lock);
  look_once(w, true); /* at what came between new and start */
  while (!w->stopping) {
    bool event = !w->poked && wait_for_event(w, w->options.check_ms);
    watch_folders(w);
    if (!w->stopping)
      look_once(w, event);
  }
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

/* -------------------------------------------------------------------------- callers */

static void watch_free(struct config_watch *w)
{
  for (size_t i = 0; i < w->n; i++)
    free(w->files[i].path);
  free(w->files);
  if (w->inotify >= 0)
    close(w->inotify);
  if (w->wake >= 0)
    close(w->wake);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

struct config_watch *config_watch_new(const struct config_watch_options *options)
{
  struct config_watch *w = xcalloc(1, sizeof(*w));
  pthread_mutex_init(&w->lock, NULL);
  w->options = *options;
  w->options.check_ms = options->check_ms != 0 ? options->check_ms : 10000;
  w->options.settle_ms = options->settle_ms != 0 ? options->settle_ms : 100;
  w->files = xcalloc(CONFIG_WATCH_MAX_FILES, sizeof(*w->files));
  for (size_t i = 0; i < CONFIG_WATCH_MAX_FILES; i++)
    if (options->paths[i] != NULL)
      w->files[w->n++].path = xstrdup(options->paths[i]);
  w->n_own = w->n;
  w->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (w->inotify < 0)
    log_warn("no inotify: the configuration is polled instead", LOG_S("error", strerror(errno)),
             LOG_I("every_ms", w->options.check_ms));
  w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  watch_folders(w);
  look_at_all(w, true, w->known);
  return w;
}

void config_watch_follow(struct config_watch *w, const struct table *files)
{
  pthread_mutex_lock(&w->lock);
  for (size_t i = w->n_own; i < w->n; i++)
    free(w->files[i].path);
  w->n = w->n_own;
  w->files = xrealloc(w->files, (w->n + files->order.n + 1) * sizeof(*w->files));
  for (const struct read_file *from = table_newest(files); from != NULL; from = table_older(from)) {
    struct watched *to = &w->files[w->n++];
    *to = (struct watched){.path = xstrdup(table_key(from)), .look = {.exists = from->readable}};
    memcpy(to->look.digest, from->digest, SHA256_SIZE);
    if (!from->readable) /* too large, perhaps: it is there for us, and no change */
      take_look(to, true);
  }
  watch_folders(w);
  digest_of_all(w, w->known);
  pthread_mutex_unlock(&w->lock);
}

enum err_code config_watch_start(struct config_watch *w, struct err *e)
{
  if (w->wake < 0 || pthread_create(&w->thread, NULL, run, w) != 0)
    return err_set(e, ERR_UNAVAILABLE, "no_thread",
                   "cannot start the thread that watches the configuration");
  w->started = true;
  return ERR_OK;
}

static void tell(struct config_watch *w, bool *what)
{
  const uint64_t one = 1;
  pthread_mutex_lock(&w->lock);
  *what = true;
  pthread_mutex_unlock(&w->lock);
  if (write(w->wake, &one, sizeof(one)) < 0)
    log_debug("eventfd", LOG_S("error", strerror(errno)));
}

void config_watch_poke(struct config_watch *w)
{
  tell(w, &w->poked);
}

void config_watch_stop(struct config_watch *w)
{
  if (w == NULL)
    return;
  tell(w, &w->stopping);
  if (w->started)
    pthread_join(w->thread, NULL);
  watch_free(w);
}
