/* The audit log's .head file: number and hash of the last line, so that a cut end shows. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { HEAD_LEN = 20 + 1 + 2 * SHA256_SIZE + 1 };

/* "%020seq hash\n": always the same length, so that one pwrite replaces it. */
void audit_head_write(struct audit *a)
{
  AUTO_BUF struct buf text = BUF_INIT(HEAD_LEN + 1);
  if (a->head_fd < 0)
    return;
  buf_printf(&text, "%020" PRIu64 " ", a->chain.seq);
  hex_encode(&text, a->chain.hash, SHA256_SIZE);
  buf_putc(&text, '\n');
  bool ok = pwrite(a->head_fd, buf_str(&text), text.len, 0) == (ssize_t)text.len;
  if (!ok && !a->head_failed)
    log_error("the head of the audit log cannot be written: lines cut off its end would not show",
              LOG_S("path", a->head_path), LOG_S("error", strerror(errno)));
  a->head_failed = !ok;
}

bool audit_head_open(struct audit *a)
{
  a->head_fd = open(a->head_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  return a->head_fd >= 0;
}

/* -------------------------------------------------------------------- reading */

static bool parse(struct audit_chain *out, const char *text)
{
  *out = (struct audit_chain){0};
  for (size_t i = 0; i < 20; i++) {
    if (text[i] < '0' || text[i] > '9')
      return false;
    out->seq = out->seq * 10 + (uint64_t)(text[i] - '0');
  }
  return text[20] == ' ' && hex_read(out->hash, SHA256_SIZE, text + 21, 2 * SHA256_SIZE) &&
         text[HEAD_LEN - 1] == '\n';
}

enum audit_head audit_head_read(struct audit_chain *out, const char *path)
{
  AUTO_FREE char *head = xasprintf("%s.head", path);
  char text[HEAD_LEN + 2] = "";
  int fd = open(head, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return errno == ENOENT ? AUDIT_HEAD_MISSING : AUDIT_HEAD_DAMAGED;
  ssize_t n = read(fd, text, HEAD_LEN + 1);
  close(fd);
  return n == HEAD_LEN && parse(out, text) ? AUDIT_HEAD_GOOD : AUDIT_HEAD_DAMAGED;
}
