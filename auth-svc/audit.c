/* Writes the audit log. */
#include "auth-svc/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { HEAD_LEN = 20 + 1 + 2 * SHA256_SIZE + 1 };

struct audit {
  pthread_mutex_t lock;
  pthread_cond_t wake;
  pthread_t syncer;
  bool has_syncer, ending;
  char *path, *head_path; /* NULL for standard error */
  enum audit_fsync fsync;
  uint64_t max_bytes;
  struct audit_key key;
  int fd, head_fd;
  uint64_t size;
  struct audit_chain chain;
  struct buf line;
  bool dirty;       /* lines since the last sync */
  bool failed;      /* the last line could not be written */
  uint64_t refused; /* lines lost since then */
  struct metric *lines, *seq;
};

bool audit_fsync_parse(const char *s, enum audit_fsync *out)
{
  static const char *const names[] = {"second", "always", "never"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strcmp(s, names[i]) == 0) {
      *out = (enum audit_fsync)i;
      return true;
    }
  return false;
}

static enum err_code cannot(struct err *e, const char *what, const char *path)
{
  return err_set(e, ERR_UNAVAILABLE, "audit_unavailable", "AUTH_AUDIT_FILE: cannot %s %s: %s", what,
                 path, strerror(errno));
}

/* ----------------------------------------------------------------------- head */

/* "%020seq hash\n": always the same length, so that one pwrite replaces it. */
static void write_head(struct audit *a)
{
  AUTO_BUF struct buf text = BUF_INIT(HEAD_LEN + 1);
  if (a->head_fd < 0)
    return;
  buf_printf(&text, "%020" PRIu64 " ", a->chain.seq);
  hex_encode(&text, a->chain.hash, SHA256_SIZE);
  buf_putc(&text, '\n');
  if (pwrite(a->head_fd, buf_str(&text), text.len, 0) != (ssize_t)text.len)
    log_warn("the head of the audit log cannot be written", LOG_S("error", strerror(errno)));
}

static int hex_value(char c)
{
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool audit_head_read(struct audit_chain *out, const char *path)
{
  AUTO_FREE char *head = xasprintf("%s.head", path);
  char text[HEAD_LEN + 1] = "";
  int fd = open(head, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, text, HEAD_LEN) : -1;
  if (fd >= 0)
    close(fd);
  if (n != HEAD_LEN || text[20] != ' ' || text[HEAD_LEN - 1] != '\n')
    return false;
  *out = (struct audit_chain){0};
  for (size_t i = 0; i < 20; i++) {
    if (text[i] < '0' || text[i] > '9')
      return false;
    out->seq = out->seq * 10 + (uint64_t)(text[i] - '0');
  }
  for (size_t i = 0; i < SHA256_SIZE; i++) {
    int high = hex_value(text[21 + 2 * i]), low = hex_value(text[22 + 2 * i]);
    if (high < 0 || low < 0)
      return false;
    out->hash[i] = (uint8_t)(high * 16 + low);
  }
  return true;
}

/* -------------------------------------------------------------------- writing */

/* All or nothing: what was written of a line that failed is taken back. */
static bool append(struct audit *a, const char *data, size_t len)
{
  size_t done = 0;
  while (done < len) {
    ssize_t n = write(a->fd, data + done, len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += (size_t)n;
  }
  int error = errno;
  if (done == len && a->fsync == AUDIT_FSYNC_ALWAYS && a->path != NULL && fdatasync(a->fd) != 0) {
    error = errno;
    done = 0;
  }
  if (done == len) {
    a->size += len;
    a->dirty = true;
    return true;
  }
  if (a->path != NULL && ftruncate(a->fd, (off_t)a->size) != 0)
    log_error("a torn line stays in the audit log", LOG_S("error", strerror(errno)));
  errno = error;
  return false;
}

static bool write_line(struct audit *a, const struct audit_event *event)
{
  struct audit_chain next;
  buf_clear(&a->line);
  if (!audit_line_make(&a->line, &next, &a->chain, event, clock_unix_ms(), &a->key) ||
      !append(a, a->line.data, a->line.len))
    return false;
  a->chain = next;
  write_head(a);
  metric_set(a->seq, (double)a->chain.seq, NULL);
  return true;
}

static int open_file(const char *path, int more)
{
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | more, 0600);
  struct stat st;
  if (fd < 0)
    return -1;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    close(fd);
    errno = EINVAL;
    return -1;
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

static void take_file(struct audit *a, int fd)
{
  if (a->fd >= 0)
    close(a->fd);
  a->fd = fd;
  a->size = 0;
}

static bool begin_file(struct audit *a, const char *detail)
{
  const struct audit_event event = {.event = "continued", .result = "ok", .detail = detail};
  return write_line(a, &event);
}

/* The new file is there before the old one is renamed: a full disk changes nothing. */
static void rotate(struct audit *a)
{
  AUTO_FREE char *old = xasprintf("%s.%012" PRIu64, a->path, a->chain.seq);
  AUTO_FREE char *new = xasprintf("%s.new", a->path);
  unlink(new);
  int fd = open_file(new, O_EXCL);
  if (fd < 0 || fdatasync(a->fd) != 0 || rename(a->path, old) != 0 || rename(new, a->path) != 0) {
    log_error("the audit log cannot be rotated and goes on in the same file",
              LOG_S("error", strerror(errno)));
    if (fd >= 0)
      close(fd);
    unlink(new);
    return;
  }
  const char *slash = strrchr(old, '/');
  take_file(a, fd);
  begin_file(a, slash != NULL ? slash + 1 : old);
  log_info("audit log rotated", LOG_S("path", old));
}

/* Somebody deleted the file: lines written to it now would be lost. */
static bool reopen_if_deleted(struct audit *a)
{
  struct stat st;
  if (a->path == NULL || (fstat(a->fd, &st) == 0 && st.st_nlink > 0))
    return true;
  int fd = open_file(a->path, 0);
  if (fd < 0)
    return false;
  log_error("the audit log was deleted and is begun anew", LOG_S("path", a->path));
  take_file(a, fd);
  return begin_file(a, "the file before was deleted");
}

static bool resume(struct audit *a)
{
  char detail[64];
  if (!a->failed)
    return true;
  snprintf(detail, sizeof(detail), "%" PRIu64 " calls were refused", a->refused);
  const struct audit_event event = {.event = "audit_resumed", .result = "ok", .detail = detail};
  if (!write_line(a, &event))
    return false;
  log_info("the audit log can be written again", LOG_I("refused", a->refused));
  a->failed = false;
  a->refused = 0;
  return true;
}

static enum err_code refuse(struct audit *a, int error, struct err *e)
{
  if (!a->failed)
    log_error("the audit log cannot be written: calls are refused until it can",
              LOG_S("path", a->path != NULL ? a->path : "standard error"),
              LOG_S("error", strerror(error)));
  a->failed = true;
  a->refused++;
  return err_set(e, ERR_UNAVAILABLE, "audit_unavailable",
                 "the audit log cannot be written, so nothing is answered until it can; its "
                 "disk is full or gone");
}

enum err_code audit_write(struct audit *a, const struct audit_event *event, struct err *e)
{
  if (a == NULL)
    return ERR_OK;
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&a->lock);
  if (a->path != NULL && a->max_bytes > 0 && a->size >= a->max_bytes && !a->failed)
    rotate(a);
  if (!reopen_if_deleted(a) || !resume(a) || !write_line(a, event))
    code = refuse(a, errno, e);
  pthread_mutex_unlock(&a->lock);
  metric_add(a->lines, 1, METRIC_LABELS(code == ERR_OK ? "ok" : "failed"));
  return code;
}

bool audit_is_writable(struct audit *a)
{
  if (a == NULL)
    return true;
  pthread_mutex_lock(&a->lock);
  bool ok = reopen_if_deleted(a) && resume(a);
  pthread_mutex_unlock(&a->lock);
  return ok;
}

uint64_t audit_seq(struct audit *a)
{
  pthread_mutex_lock(&a->lock);
  uint64_t seq = a->chain.seq;
  pthread_mutex_unlock(&a->lock);
  return seq;
}

/* -------------------------------------------------------------------- syncing */

/* Syncs a copy of the descriptor, so that writers do not wait for the disk. */
static void sync_once(struct audit *a)
{
  int fd = a->dirty ? dup(a->fd) : -1;
  if (fd < 0)
    return;
  a->dirty = false;
  pthread_mutex_unlock(&a->lock);
  bool ok = fdatasync(fd) == 0;
  int error = errno;
  close(fd);
  pthread_mutex_lock(&a->lock);
  if (ok)
    return;
  log_error("the audit log cannot be synced: calls are refused until it can be written",
            LOG_S("error", strerror(error)));
  a->failed = true;
}

static void *sync_loop(void *arg)
{
  struct audit *a = arg;
  pthread_mutex_lock(&a->lock);
  while (!a->ending) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;
    pthread_cond_timedwait(&a->wake, &a->lock, &until);
    sync_once(a);
  }
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

/* -------------------------------------------------------------------- opening */

static enum err_code tampered(struct err *e, const char *path, const char *what)
{
  return err_set(e, ERR_FAILED_PRECONDITION, "audit_tampered",
                 "AUTH_AUDIT_FILE: %s: %s. Move it and %s.head away as evidence; a new log "
                 "begins then. auth-svc audit verify tells more",
                 path, what, path);
}

/* The last whole line; what follows it was never acknowledged and goes. */
static enum err_code read_end(struct audit *a, struct buf *line, struct err *e)
{
  size_t room = 2 * AUDIT_LINE_MAX;
  size_t want = a->size < room ? (size_t)a->size : room;
  char *p = buf_reserve(line, want + 1);
  if (p == NULL || pread(a->fd, p, want, (off_t)(a->size - want)) != (ssize_t)want)
    return cannot(e, "read", a->path);
  size_t end = want;
  while (end > 0 && p[end - 1] != '\n')
    end--;
  if (end < want) {
    if (end == 0 && a->size > want)
      return tampered(e, a->path, "its end is no line of the audit log");
    log_warn("the audit log ended in a torn line, which was never acknowledged; it is dropped",
             LOG_I("bytes", want - end));
    a->size -= want - end;
    if (ftruncate(a->fd, (off_t)a->size) != 0)
      return cannot(e, "truncate", a->path);
  }
  size_t start = end > 0 ? end - 1 : 0;
  while (start > 0 && p[start - 1] != '\n')
    start--;
  line->len = end > 0 ? end - 1 - start : 0;
  memmove(p, p + start, line->len);
  return ERR_OK;
}

/* Where the file's chain ends; seq 0 for an empty file. */
static enum err_code find_end(struct audit *a, const struct keyring *ring, struct err *e)
{
  AUTO_BUF struct buf line = BUF_INIT(2 * AUDIT_LINE_MAX + 1);
  struct audit_link link;
  struct err why = {0};
  enum err_code code = read_end(a, &line, e);
  if (code != ERR_OK || line.len == 0)
    return code;
  code = audit_line_read(&link, line.data, line.len, ring, &why);
  /* A key that left the ring is no tampering: the chain goes on from the hash it names. */
  if (code != ERR_OK && code != ERR_FAILED_PRECONDITION)
    return tampered(e, a->path, "its last line was changed");
  a->chain.seq = link.seq;
  memcpy(a->chain.hash, link.hash, SHA256_SIZE);
  return ERR_OK;
}

/* The head knows of lines that are gone: the chain goes on behind them, so the gap shows. */
static enum err_code compare_head(struct audit *a, bool *begins, struct err *e)
{
  struct audit_chain head;
  *begins = false;
  if (!audit_head_read(&head, a->path) || head.seq < a->chain.seq)
    return ERR_OK;
  if (head.seq == a->chain.seq)
    return memcmp(head.hash, a->chain.hash, SHA256_SIZE) == 0
               ? ERR_OK
               : tampered(e, a->path, "its last line is not the one its .head names");
  if (a->chain.seq == 0)
    *begins = true; /* moved away by an operator, or deleted */
  else
    log_error("lines are missing at the end of the audit log", LOG_I("first", a->chain.seq + 1),
              LOG_I("last", head.seq));
  a->chain = head;
  return ERR_OK;
}

static enum err_code open_log(struct audit *a, const struct keyring *ring, struct err *e)
{
  struct stat st;
  bool begins = false;
  a->fd = open_file(a->path, 0);
  if (a->fd < 0 && errno == EWOULDBLOCK)
    return err_set(e, ERR_FAILED_PRECONDITION, "audit_locked",
                   "AUTH_AUDIT_FILE: another process writes %s; each needs a file of its own",
                   a->path);
  if (a->fd < 0)
    return cannot(e, errno == EINVAL ? "write (must be a regular file)" : "open", a->path);
  if (fstat(a->fd, &st) != 0)
    return cannot(e, "open", a->path);
  if ((st.st_mode & 077) != 0)
    log_warn("the audit log is open to others; chmod 600 it", LOG_S("path", a->path));
  a->size = (uint64_t)st.st_size;
  enum err_code code = find_end(a, ring, e);
  if (code == ERR_OK)
    code = compare_head(a, &begins, e);
  if (code != ERR_OK)
    return code;
  a->head_fd = open(a->head_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (a->head_fd < 0)
    return cannot(e, "open", a->head_path);
  if (begins && !begin_file(a, "the file before was moved away"))
    return cannot(e, "write", a->path);
  return ERR_OK;
}

enum err_code audit_open(struct audit **out, const struct audit_options *options, struct err *e)
{
  struct audit *a = xcalloc(1, sizeof(*a));
  pthread_mutex_init(&a->lock, NULL);
  pthread_cond_init(&a->wake, NULL);
  a->fsync = options->fsync;
  a->max_bytes = options->max_bytes;
  a->head_fd = -1;
  a->fd = STDERR_FILENO;
  buf_init(&a->line, AUDIT_LINE_MAX);
  audit_key_of(&a->key, options->keyring, 0);
  a->lines = metrics_counter("auth_audit_lines_total", "Audit lines, by whether they were written.",
                             "result", NULL);
  a->seq = metrics_gauge("auth_audit_seq", "Number of the last audit line.", NULL);
  enum err_code code = ERR_OK;
  if (options->path != NULL) {
    a->path = xstrdup(options->path);
    a->head_path = xasprintf("%s.head", options->path);
    code = open_log(a, options->keyring, e);
  }
  if (code == ERR_OK && a->path != NULL && a->fsync == AUDIT_FSYNC_SECOND)
    a->has_syncer = pthread_create(&a->syncer, NULL, sync_loop, a) == 0;
  if (code != ERR_OK)
    audit_close(TAKE_PTR(a));
  *out = a;
  return code;
}

void audit_close(struct audit *a)
{
  if (a == NULL)
    return;
  pthread_mutex_lock(&a->lock);
  a->ending = true;
  pthread_cond_signal(&a->wake);
  pthread_mutex_unlock(&a->lock);
  if (a->has_syncer)
    pthread_join(a->syncer, NULL);
  if (a->path != NULL && a->fd >= 0) {
    if (a->fsync != AUDIT_FSYNC_NEVER && fdatasync(a->fd) != 0)
      log_error("the audit log cannot be synced", LOG_S("error", strerror(errno)));
    close(a->fd);
  }
  if (a->head_fd >= 0)
    close(a->head_fd);
  mem_wipe(&a->key, sizeof(a->key));
  pthread_mutex_destroy(&a->lock);
  pthread_cond_destroy(&a->wake);
  buf_free(&a->line);
  free(a->path);
  free(a->head_path);
  free(a);
}
