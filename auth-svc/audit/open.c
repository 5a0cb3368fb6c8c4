/* Opens the audit log and finds where its chain ends. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/log.h"
#include "common/base/mem.h"

static enum err_code cannot(struct err *e, const char *what, const char *path)
{
  return err_set(e, ERR_UNAVAILABLE, "audit_unavailable", "AUTH_AUDIT_FILE: cannot %s %s: %s", what,
                 path, strerror(errno));
}

static enum err_code tampered(struct err *e, const char *path, const char *what)
{
  return err_set(e, ERR_FAILED_PRECONDITION, "audit_tampered",
                 "AUTH_AUDIT_FILE: %s: %s. Move it and %s.head away as evidence; a new log "
                 "begins then. auth-svc audit verify shows more",
                 path, what, path);
}

/* Without a .head it is a file of another kind, named by mistake: nothing of it is touched. */
static enum err_code no_line(struct err *e, const char *path)
{
  struct audit_chain head;
  if (audit_head_read(&head, path) != AUDIT_HEAD_MISSING)
    return tampered(e, path, "its end is not a line of the audit log");
  return err_set(e, ERR_FAILED_PRECONDITION, "no_audit_log",
                 "AUTH_AUDIT_FILE: %s is not an audit log, and is left as it is; name another file",
                 path);
}

/* How each line begins. */
static bool begins_like_a_line(const char *p, size_t n)
{
  static const char begin[] = "{\"audit\":";
  return memcmp(p, begin, n < sizeof(begin) - 1 ? n : sizeof(begin) - 1) == 0;
}

/* The end of the file: its last whole line, and what follows it. */
struct file_end {
  char *line, *tail;
  size_t line_len, tail_len;
};

static enum err_code read_end(struct audit *a, struct buf *b, struct file_end *f, struct err *e)
{
  size_t room = 2 * AUDIT_LINE_MAX;
  size_t want = a->size < room ? (size_t)a->size : room;
  char *p = buf_reserve(b, want + 1);
  if (p == NULL || pread(a->fd, p, want, (off_t)(a->size - want)) != (ssize_t)want)
    return cannot(e, "read", a->path);
  size_t end = want;
  while (end > 0 && p[end - 1] != '\n')
    end--;
  size_t start = end > 0 ? end - 1 : 0;
  while (start > 0 && p[start - 1] != '\n')
    start--;
  *f = (struct file_end){p + start, p + end, end > 0 ? end - 1 - start : 0, want - end};
  if (end > 0 ? f->line_len == 0 || !begins_like_a_line(f->line, f->line_len)
              : want > 0 && (a->size > want || !begins_like_a_line(f->tail, f->tail_len)))
    return no_line(e, a->path);
  return ERR_OK;
}

/* What follows the last whole line was never acknowledged and goes. */
static enum err_code drop_torn(struct audit *a, size_t n, struct err *e)
{
  if (ftruncate(a->fd, (off_t)(a->size - n)) != 0)
    return cannot(e, "truncate", a->path);
  log_warn("the audit log ended in a torn line, which was never acknowledged; it is dropped",
           LOG_I("bytes", n));
  audit_owe(a, "torn_line", "%zu bytes at the end were not a whole line and are dropped", n);
  a->size = a->synced = a->size - n;
  return ERR_OK;
}

/* Where the file's chain ends; seq 0 for an empty file. Nothing is changed before the last line
 * is known for one of ours. */
static enum err_code find_end(struct audit *a, const struct keyring *ring, struct audit_link *link,
                              struct err *e)
{
  AUTO_BUF struct buf b = BUF_INIT(2 * AUDIT_LINE_MAX + 1);
  struct file_end end = {0};
  struct err why = {0};
  enum err_code code = read_end(a, &b, &end, e);
  if (code != ERR_OK)
    return code;
  if (end.line_len > 0) {
    code = audit_line_read(link, end.line, end.line_len, ring, &why);
    /* A key that left the ring is not tampering: the chain goes on from the hash it names. */
    if (code != ERR_OK && code != ERR_FAILED_PRECONDITION)
      return tampered(e, a->path,
                      "its last line was changed, or the keyring holds another key by its id");
    a->chain.seq = link->seq;
    memcpy(a->chain.hash, link->hash, SHA256_SIZE);
  }
  return end.tail_len > 0 ? drop_torn(a, end.tail_len, e) : ERR_OK;
}

/* The head knows of lines that are gone: the chain goes on behind them, so the gap shows. */
static enum err_code compare_head(struct audit *a, struct err *e)
{
  struct audit_chain head;
  enum audit_head found = audit_head_read(&head, a->path);
  if (found != AUDIT_HEAD_GOOD) {
    if (a->chain.seq > 0 || found == AUDIT_HEAD_DAMAGED)
      audit_owe(a, "audit_damaged", "the .head file was %s: lines cut off the end would not show",
                found == AUDIT_HEAD_MISSING ? "missing" : "damaged");
    return ERR_OK;
  }
  if (head.seq < a->chain.seq)
    return ERR_OK;
  if (head.seq == a->chain.seq)
    return memcmp(head.hash, a->chain.hash, SHA256_SIZE) == 0
               ? ERR_OK
               : tampered(e, a->path, "its last line is not the one its .head names");
  if (a->chain.seq == 0)
    audit_owe(a, "continued", "the file before was moved away"); /* by an operator, or deleted */
  else
    log_error("lines are missing at the end of the audit log", LOG_I("first", a->chain.seq + 1),
              LOG_I("last", head.seq));
  a->chain = head;
  return ERR_OK;
}

static enum err_code lock_file(struct audit *a, struct err *e)
{
  struct stat st;
  int fd = audit_file_open(a->path, 0);
  if (fd < 0 && errno == EWOULDBLOCK)
    return err_set(e, ERR_FAILED_PRECONDITION, "audit_locked",
                   "AUTH_AUDIT_FILE: another process writes %s; each needs a file of its own",
                   a->path);
  if (fd < 0)
    return cannot(e, errno == EINVAL ? "write (must be a regular file)" : "open", a->path);
  if (!audit_file_take(a, fd) || fstat(fd, &st) != 0)
    return cannot(e, "open", a->path);
  if ((st.st_mode & 077) != 0)
    log_warn("the audit log is open to others; chmod 600 it", LOG_S("path", a->path));
  return ERR_OK;
}

/* The key that the next line is due to be made with, when it is another one: the change is
 * said with it, as at runtime, or with the new one where it has left the ring. */
static bool change_key(struct audit *a, const struct keyring *ring, const struct audit_link *last)
{
  const char *due = strcmp(last->event, "key_changed") == 0 ? last->new_key : last->key_id;
  const struct audit_key first = a->key;
  if (last->seq == 0 || strcmp(due, first.id) == 0)
    return true;
  const struct audit_event event = {
      .event = "key_changed", .result = "ok", .old_key = due, .new_key = first.id};
  size_t i = keyring_find(ring, due);
  if (ring != NULL && i < keyring_size(ring))
    audit_key_of(&a->key, ring, i);
  bool ok = audit_put(a, &event);
  a->key = first;
  return ok;
}

enum err_code audit_open_file(struct audit *a, const struct keyring *ring, struct err *e)
{
  struct audit_link last = {0};
  enum err_code code = lock_file(a, e);
  if (code == ERR_OK)
    code = find_end(a, ring, &last, e);
  if (code == ERR_OK)
    code = compare_head(a, e);
  if (code != ERR_OK)
    return code;
  if (!audit_head_open(a))
    return cannot(e, "open", a->head_path);
  if (!change_key(a, ring, &last) || !audit_pay(a))
    return cannot(e, "write", a->path);
  return ERR_OK;
}
