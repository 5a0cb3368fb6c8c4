/* Checks the chain of audit files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/audit/audit.h"
#include "common/base/mem.h"

struct check {
  struct audit_findings *out;
  const struct keyring *ring;
  bool allow_unkeyed;
  bool keyed_seen;
  bool begun; /* a line was read, so the next has a predecessor */
  void (*found)(void *user, const char *path, size_t line, const char *what);
  void *user;
  const char *path;
  size_t line;
  const char *before;           /* the file before this one; NULL in the first */
  char due[KEYRING_ID_MAX + 1]; /* key the next line is due to be made with */
  enum audit_head head_found;   /* of the last file */
  struct audit_chain head;
};

__attribute__((format(printf, 2, 3))) static void find(struct check *c, const char *fmt, ...)
{
  char what[700];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(what, sizeof(what), fmt, ap);
  va_end(ap);
  c->out->n++;
  c->found(c->user, c->path, c->line, what);
}

/* Between two files a whole one may be missing, or the two were given the wrong way round. */
static void find_gap_of_files(struct check *c, uint64_t seq, uint64_t wanted)
{
  if (seq > wanted)
    find(c,
         "lines %" PRIu64 " to %" PRIu64 " are missing between %.200s and this file: give the file "
                                         "that holds them as well, unless it is gone",
         wanted, seq - 1, c->before);
  else
    find(c,
         "begins with line number %" PRIu64 ", although the file before it, %.200s, ends with "
         "number %" PRIu64 ": give the files of one log, each once and oldest first",
         seq, c->before, wanted - 1);
}

static void find_gap(struct check *c, uint64_t seq)
{
  uint64_t wanted = c->out->last.seq + 1;
  if (seq == wanted)
    find(c, "does not follow the line before it: one of the two was inserted");
  else if (c->line == 1 && c->before != NULL)
    find_gap_of_files(c, seq, wanted);
  else if (seq == wanted + 1)
    find(c, "line %" PRIu64 " is missing before it", wanted);
  else if (seq > wanted)
    find(c, "lines %" PRIu64 " to %" PRIu64 " are missing before it", wanted, seq - 1);
  else
    find(c, "has number %" PRIu64 " where %" PRIu64 " belongs: out of order or inserted", seq,
         wanted);
}

/* The first line of all: number 1 begins a chain, "continued" goes on from a file that was
 * not given. */
static void check_first(struct check *c, const struct audit_link *link)
{
  static const uint8_t zeros[SHA256_SIZE];
  if (link->seq == 1 && memcmp(link->prev, zeros, SHA256_SIZE) == 0)
    return;
  if (link->seq > 1 && strcmp(link->event, "continued") == 0)
    return;
  find(c, "is the first, but neither begins a chain nor continues a file: lines are missing "
          "before it");
}

static void check_place(struct check *c, const struct audit_link *link)
{
  if (!c->begun)
    check_first(c, link);
  else if (link->seq != c->out->last.seq + 1 ||
           memcmp(link->prev, c->out->last.hash, SHA256_SIZE) != 0)
    find_gap(c, link->seq);
}

/* Who cannot make keyed hashes could make plain ones. */
static void check_keyed(struct check *c, const struct audit_link *link)
{
  if (link->key_id[0] != '\0')
    c->keyed_seen = true;
  else if (c->keyed_seen)
    find(c, "has a plain hash after lines with keyed ones: inserted without the key");
  else if (c->ring != NULL && !c->allow_unkeyed)
    find(c, "has a plain hash though there is a keyring; --allow-unkeyed if the log is older "
            "than the keyring");
}

/* The key changes with a line that the former key made. Where that key had left the ring when
 * the service started, the new one says it alone; but only a key that is newer by its place on
 * the keyring, or whoever got hold of an old key could go on with it. */
static void check_key(struct check *c, const struct audit_link *link)
{
  bool change = strcmp(link->event, "key_changed") == 0;
  bool may_change = change || strcmp(link->event, "continued") == 0;
  if (c->begun && link->key_id[0] != '\0' && strcmp(link->key_id, c->due) != 0) {
    bool newer =
        c->due[0] == '\0' || keyring_find(c->ring, link->key_id) < keyring_find(c->ring, c->due);
    if (!may_change || !newer)
      find(c,
           "is made with key \"%s\" where \"%s\" is due: no line key_changed hands over, or it "
           "goes back to an older key of the keyring",
           link->key_id, c->due);
  }
  const char *due = change ? link->new_key : link->key_id;
  memcpy(c->due, due, strlen(due) + 1);
}

static void count_key(struct check *c, const struct audit_link *link, bool good)
{
  size_t i = keyring_find(c->ring, link->key_id);
  if (c->ring != NULL && i < keyring_size(c->ring))
    good ? c->out->good[i]++ : c->out->bad[i]++;
}

static enum err_code check_line(struct check *c, const char *line, size_t len, struct err *e)
{
  struct audit_link link = {0};
  struct err why = {0};
  c->line++;
  c->out->lines++;
  enum err_code code = audit_line_read(&link, line, len, c->ring, &why);
  if (code == ERR_FAILED_PRECONDITION) {
    *e = why;
    return err_prefix(e, "%s line %zu: ", c->path, c->line);
  }
  if (code != ERR_OK)
    find(c, "%s", why.message);
  if (code == ERR_INVALID_ARGUMENT)
    return ERR_OK; /* it has no number: the next line shows whether one is missing */
  count_key(c, &link, code == ERR_OK);
  check_place(c, &link);
  check_keyed(c, &link);
  check_key(c, &link);
  if (c->out->has_head && link.seq == c->head.seq &&
      memcmp(link.hash, c->head.hash, SHA256_SIZE) != 0)
    find(c, "is not the line that the .head file names");
  c->begun = true;
  if (c->out->first_seq == 0)
    c->out->first_seq = link.seq;
  if (code == ERR_OK && strcmp(link.event, "audit_deleted") == 0 &&
      link.through > c->out->deleted_to)
    c->out->deleted_to = link.through;
  c->out->last.seq = link.seq;
  memcpy(c->out->last.hash, link.hash, SHA256_SIZE);
  return ERR_OK;
}

static enum err_code check_stream(struct check *c, FILE *f, struct err *e)
{
  AUTO_FREE char *line = xmalloc(AUDIT_LINE_MAX + 2);
  enum err_code code = ERR_OK;
  while (code == ERR_OK && fgets(line, AUDIT_LINE_MAX + 2, f) != NULL) {
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == '\n') {
      code = check_line(c, line, len - 1, e);
    } else {
      c->line++;
      find(c, "%s",
           feof(f) ? "is cut off: its end is missing" : "holds a NUL character or is too long");
      c->line--;
      if (feof(f))
        break;
      code = check_line(c, line, len, e);
    }
  }
  if (code == ERR_OK && ferror(f))
    return err_set(e, ERR_UNAVAILABLE, "unreadable_file", "cannot read %s: %s", c->path,
                   strerror(errno));
  return code;
}

static enum err_code check_file(struct check *c, const char *path, struct err *e)
{
  uint64_t before = c->out->lines;
  c->before = c->path;
  c->path = path;
  c->line = 0;
  FILE *f = fopen(path, "re");
  if (f == NULL)
    return err_set(
        e, errno == ENOENT ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "unreadable_file",
        "cannot open %s: %s; name the files of one log, oldest first: FILE.<number>... FILE", path,
        strerror(errno));
  enum err_code code = check_stream(c, f, e);
  fclose(f);
  c->line += c->line == 0;
  if (code == ERR_OK && c->out->lines == before)
    find(c, "the file is empty: an audit log begins with a line; it was emptied, or is another "
            "file");
  return code;
}

static void check_end(struct check *c)
{
  if (c->head_found == AUDIT_HEAD_DAMAGED)
    find(c, "its .head file is damaged or cannot be read: lines cut off the end would not show");
  if (c->out->has_head && c->head.seq > c->out->last.seq)
    find(c,
         "lines after it were cut off: the .head file names line number %" PRIu64
         ", the last one here is %" PRIu64,
         c->head.seq, c->out->last.seq);
}

enum err_code audit_verify(struct audit_findings *out, const char *const *paths, size_t n,
                           const struct keyring *ring, bool allow_unkeyed,
                           void (*found)(void *user, const char *path, size_t line,
                                         const char *what),
                           void *user, struct err *e)
{
  struct check c = {
      .out = out, .ring = ring, .allow_unkeyed = allow_unkeyed, .found = found, .user = user};
  enum err_code code = ERR_OK;
  *out = (struct audit_findings){0};
  /* The head before the file: a service that writes meanwhile is ahead of it, never behind. */
  c.head_found = n > 0 ? audit_head_read(&c.head, paths[n - 1]) : AUDIT_HEAD_MISSING;
  out->has_head = c.head_found == AUDIT_HEAD_GOOD;
  for (size_t i = 0; i < n && code == ERR_OK; i++)
    code = check_file(&c, paths[i], e);
  if (code == ERR_OK)
    check_end(&c);
  return code;
}
