/* Subject tokens from a file, such as the projected token of a Kubernetes service account.
 *
 * The file is read every time: the kubelet replaces it before its token ends. */
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/subject_token.h"
#include "common/base/file.h"
#include "common/base/mem.h"

struct file_source {
  struct subject_source base;
  char *path;
  char *json_field; /* NULL: the whole text */
};

static void unreadable(const struct file_source *s, const struct err *e, struct token_reply *reply)
{
  const char *remedy = e->code == ERR_NOT_FOUND ? "is the volume of the projected token mounted?"
                       : access(s->path, R_OK) != 0 ? "let auth-svc's user read it (fsGroup)"
                                                    : "is it the token's file?";
  answer_operator_fault(reply, "subject_token_unreadable", "%s; %s", e->message, remedy);
}

/* A pipe or device could block the caller, which may be a poller. */
static enum err_code read_regular(struct buf *out, const char *path, struct err *e)
{
  static const char what[] = "credential_source.file";
  struct stat st;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
    return err_set(e, ERR_INVALID_ARGUMENT, "subject_token_unreadable",
                   "%s: %s is not a regular file", what, path);
  return file_read(out, what, path, SUBJECT_SOURCE_MAX, false, e);
}

static void read_token(const struct file_source *s, struct token_reply *reply)
{
  AUTO_BUF struct buf text = {0};
  struct err e = {0};
  const char *why = NULL;
  if (read_regular(&text, s->path, &e) != ERR_OK)
    unreadable(s, &e, reply);
  else if (!subject_extract(&reply->access_token, text.data, text.len, s->json_field, &why))
    answer_operator_fault(reply, "subject_token_unusable",
                          "the token's file %s (credential_source.file) %s", s->path, why);
  else
    reply->outcome = TOKEN_OBTAINED;
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

struct subject_source *subject_from_file(const char *path, const char *json_field)
{
  struct file_source *s = xcalloc(1, sizeof(*s));
  s->base.kind = &kind;
  s->path = xstrdup(path);
  s->json_field = xstrdup(json_field);
  credential_digest(s->base.fingerprint, (const char *const[]){"file", path, s->json_field}, 3);
  return &s->base;
}
