/* Lists of names, and roles, in files of who may read what: policies and issuers. */
#ifndef AMCP_AUTH_NAMES_H
#define AMCP_AUTH_NAMES_H

#include "auth-svc/credential/field.h"
#include "auth-svc/identity/claims.h"

enum { NAME_BYTES_MAX = 256 };

/* A list (field_list()) of texts of 1 to NAME_BYTES_MAX bytes, copied into the arena, which must
 * have room. */
enum err_code names_read(const struct field_at *p, const cJSON *object, const char *key, int max,
                         struct arena *arena, struct claim_list *out);
/* Reads "role", and checks that the numbers of items in its lists make sense with it. */
enum err_code names_role(const struct field_at *p, const cJSON *object, size_t n_dealers,
                         size_t n_regions, size_t n_groups, Analytics__Auth__V1__Role *out);

/* Names that the dealers file does not have, for people. */
struct unknown_names {
  const struct directory *directory;
  struct buf *out; /* gets the first few */
  size_t n;
};
/* Looks up the names that `where` ("policies[0]") gives to a role. */
void names_look_up(struct unknown_names *u, const char *where, const struct claims *c);
/* Ends the list: "... and 3 more". How many there are. */
size_t names_unknown(struct unknown_names *u);

#endif
