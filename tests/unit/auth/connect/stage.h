/* Consents before a Google of two fakes: its token endpoint, and its APIs. With
 * AMCP_TEST_DATABASE_URL (tests/unit/postgres.sh) the store is a PostgreSQL. */
#ifndef AMCP_TESTS_AUTH_CONNECT_STAGE_H
#define AMCP_TESTS_AUTH_CONNECT_STAGE_H

#include "auth-svc/connect/connect.h"
#include "auth-svc/secret/keyring.h"
#include "tests/unit/auth/support/fake_endpoint.h"

#define STAGE_KEY_1 "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define STAGE_KEY_2 "k2: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

struct stage {
  char *dir;
  struct keyring *ring;
  struct connect_store *store;
  struct http_client *http;
  struct fake_endpoint *token, *api;
  char *api_url;
  struct secret *client_secret;
  struct connect *connect;
  struct directory *directory; /* d01 to d03, properties 2000001 and up */
  struct snapshot *world;
  struct arena *arena;
  char answer[4096]; /* of the token endpoint */
};

struct keyring *stage_ring(const char *text);
/* The store's clock, seconds. */
void stage_set_clock(int64_t unix_s);
int64_t stage_clock_s(void);
void stage_open(struct stage *s);
/* A further replica over the PostgreSQL of the stage that was opened last. */
void stage_join(struct stage *s);
/* The PostgreSQL under test; NULL: there is none, the store is a folder. */
const char *stage_database(void);
/* Runs a statement there; the first column of its first row, free(). */
char *stage_sql(const char *sql);
/* "kill", "start", "pause" or "resume" that PostgreSQL. */
void stage_server(const char *what);
/* The options of the stage's store. */
struct connect_store_options stage_store(const struct stage *s);
/* As after a kill: everything but the folder is made again. */
void stage_reopen(struct stage *s);
void stage_close(struct stage *s);

/* A link for a dealer; the token, in the arena. NULL with *e. */
const char *stage_invite(struct stage *s, const char *dealer_id, bool renew, struct err *e);
/* Begins a consent: the session; *state and *nonce as Google got them. NULL with *e. */
const char *stage_start(struct stage *s, const char *token, const char *session, const char **state,
                        const char **nonce, struct err *e);
/* What Google answers to the code: with this refresh token (NULL: none), scope and nonce. */
void stage_answer(struct stage *s, const char *refresh_token, const char *scope, const char *nonce);
#define STAGE_SCOPES "openid https://www.googleapis.com/auth/analytics.readonly"
/* Google's redirect, waited for. */
enum err_code stage_receive(struct stage *s, const char *session, const char *state,
                            const char *code, const char *error, const char *issuer, struct err *e);
enum err_code stage_finish(struct stage *s, const char *session, const char *property,
                           struct err *e);
/* All of it, for a good person. */
enum err_code stage_connect(struct stage *s, const char *dealer_id, const char *property,
                            const char *refresh_token, struct err *e);
/* What lies on disk, all of it; free(). */
char *stage_file(const struct stage *s);
/* The connected dealers as the loader gets them; free(). */
char *stage_dealers(const struct stage *s);

#endif
