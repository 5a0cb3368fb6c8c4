/* Members of the store's objects: texts, numbers, sealed secrets. Not thread-safe. */
#ifndef AMCP_AUTH_CONNECT_VALUE_H
#define AMCP_AUTH_CONNECT_VALUE_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "auth-svc/secret/keyring.h"

enum {
  CONNECT_TOKEN_TEXT = 43
}; /* characters of a link's or session's token: 256 bits, base64url */

/* A text that nobody can guess, of CONNECT_TOKEN_TEXT characters. */
void connect_token_make(char out[CONNECT_TOKEN_TEXT + 1]);
/* The object of a list whose "hash" is this token's; NULL when there is none. */
cJSON *connect_find(const cJSON *list, const char *token);
cJSON *connect_find_text(const cJSON *list, const char *key, const char *text);

/* Sets a member, in place of what is there. NULL text removes it. */
void value_set_text(cJSON *object, const char *key, const char *text);
void value_set_number(cJSON *object, const char *key, int64_t n);
/* "" and 0 when absent. */
const char *value_text(const cJSON *object, const char *key);
int64_t value_number(const cJSON *object, const char *key);

/* Seals a secret into a member {"sealed": ...} of an object, bound to its place; and opens it. */
enum err_code value_seal(cJSON *object, const char *key, struct keyring *ring,
                         const struct keyring_record *place, const char *text, struct err *e);
enum err_code value_open(struct secret **out, const cJSON *object, const char *key,
                         const struct keyring *ring, const struct keyring_record *place,
                         struct err *e);

/* The places of secrets in the store. `session` is its object. */
struct keyring_record value_place_of_session(const cJSON *session, const char *key);
struct keyring_record value_place_of_dealer(const cJSON *dealer, const char *path);

/* Calls visit for every secret of the three lists with the object that holds it, its key and place,
 * until one fails. */
typedef enum err_code value_visit(void *user, cJSON *object, const char *key,
                                  const struct keyring_record *place, struct err *e);
enum err_code value_each_secret(cJSON *root, value_visit *visit, void *user, struct err *e);

#endif
