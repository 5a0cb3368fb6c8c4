/* Subject tokens from a file, such as the projected token of a Kubernetes service account.
 *
 * The file is read every time: the kubelet replaces it before its token ends. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/subject_token.h"
#include "common/base/mem.h"

struct file_source {
  struct subject_source base;
  char *path;
  char *json_field; /* NULL: the whole text */
};

/* A pipe or device could block the caller, which may be a poller. */
static int open_regular(const char *path)
{
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
    close(fd);
    errno = EINVAL;
    return -1;
  }
  return fd;
}

static bool read_all(struct buf *out, int fd)
{
  char *p = buf_reserve(out, SUBJECT_SOURCE_MAX);
  while (p != NULL && out->len < SUBJECT_SOURCE_MAX) {
    ssize_t n = read(fd, out->data + out->len, SUBJECT_SOURCE_MAX - out->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      out->data[out->len] = '\0';
      return n == 0;
    }
    out->len += (size_t)n;
  }
  errno = EFBIG;
  return false;
}

static void unreadable(const struct file_source *s, int why, struct token_reply *reply)
{
  const char *remedy = why == ENOENT   ? "is the volume of the projected token mounted?"
                       : why == EACCES ? "let auth-svc's user read it (fsGroup)"
                                       : "is it the token's file?";
  const char *text = why == EINVAL  ? "it is not a regular file"
                     : why == EFBIG ? "it is larger than 64 KiB"
                                    : strerror(why);
  answer_operator_fault(reply, "subject_token_unreadable",
                        "the token's file %s (credential_source.file) cannot be read: %s; %s",
                        s->path, text, remedy);
}

static void read_token(const struct file_source *s, struct token_reply *reply)
{
  AUTO_WIPED_BUF struct buf text = BUF_INIT(SUBJECT_SOURCE_MAX + 1);
  const char *why = NULL;
  int fd = open_regular(s->path);
  bool read = fd >= 0 && read_all(&text, fd);
  if (!read)
    unreadable(s, errno, reply);
  else if (!subject_extract(&reply->access_token, text.data, text.len, s->json_field, &why))
    answer_operator_fault(reply, "subject_token_unusable",
                          "the token's file %s (credential_source.file) %s", s->path, why);
  else
    reply->outcome = TOKEN_OBTAINED;
  if (fd >= 0)
    close(fd);
}

static enum err_code obtain(const struct subject_source *base, const struct token_env *env,
                            token_done *done, void *user, struct err *e)
{
  (void)env, (void)e;
  struct token_reply reply = {0};
  read_token((const void *)base, &reply);
  done(user, &reply);
  token_reply_clear(&reply);
  return ERR_OK;
}

static void destroy(struct subject_source *base)
{
  struct file_source *s = (void *)base;
  free(s->path);
  free(s->json_field);
  free(s);
}

static const struct subject_kind kind = {GRANT_STS_FILE, obtain, destroy};

struct subject_source *subject_from_file(const char *path, const struct subject_format *format)
{
  struct file_source *s = xcalloc(1, sizeof(*s));
  s->base.kind = &kind;
  s->path = xstrdup(path);
  s->json_field = xstrdup(format->json_field);
  credential_digest(s->base.fingerprint, (const char *const[]){"file", path, s->json_field}, 3);
  return &s->base;
}
