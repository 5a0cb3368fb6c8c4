/* Where a workload gets the token that proves who it is (its subject token), before Google's
 * STS exchanges it. One file per kind of source, as with credentials. */
#ifndef AMCP_AUTH_SUBJECT_TOKEN_H
#define AMCP_AUTH_SUBJECT_TOKEN_H

#include "auth-svc/credential/exchange.h"

enum {
  SUBJECT_TOKEN_MAX = 16 * 1024,  /* bytes of a subject token */
  SUBJECT_SOURCE_MAX = 64 * 1024, /* bytes read of a file or an answer */
  SUBJECT_MAX_HEADERS = 16,
};

struct subject_source;

struct subject_kind {
  /* How STS's refusals are worded. */
  enum grant_kind grant;
  /* As credential_kind.obtain; the reply's access_token is the subject token. `done` may run
   * before this returns, and may end the source's life. */
  enum err_code (*obtain)(const struct subject_source *s, const struct token_env *env,
                          token_done *done, void *user, struct err *e);
  void (*destroy)(struct subject_source *s);
};

/* First member of every kind's own struct. Immutable; lives as long as its credential. */
struct subject_source {
  const struct subject_kind *kind;
  uint8_t fingerprint[SHA256_SIZE];
};

/* A token is the whole text of a file or an answer, or (json_field not NULL) a member of an object
 * there. All texts are copied. */
struct subject_source *subject_from_file(const char *path, const char *json_field);
struct subject_source *subject_from_url(const char *url, const struct http_header *headers,
                                        size_t n_headers, const char *json_field);

struct subject_aws_options {
  const char *region_url;       /* may be NULL: AWS_REGION or AWS_DEFAULT_REGION must be set */
  const char *url;              /* may be NULL: the key must be in the environment */
  const char *imds_token_url;   /* IMDSv2; NULL: without */
  const char *verification_url; /* GetCallerIdentity, with {region} */
  const char *audience;         /* signed as x-goog-cloud-target-resource */
};
struct subject_source *subject_from_aws(const struct subject_aws_options *options);

void subject_free(struct subject_source *s);

/* Takes the token out of a text; wiped of outer blanks. False with *why (static) when there
 * is none. */
bool subject_extract(struct secret **out, const char *text, size_t len, const char *json_field,
                     const char **why);

#endif
