/* The configuration as one immutable snapshot behind a reference count: dealers and their
 * credentials, and everything that is trusted beside them.
 *
 * A request takes the current snapshot once and works on it to its end, so a reload can
 * put a new one in place at any time, and no request sees keys of one state and dealers of
 * another. */
#ifndef AMCP_AUTH_SNAPSHOT_H
#define AMCP_AUTH_SNAPSHOT_H

#include <stdatomic.h>

#include "auth-svc/config/trust.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/dealers/file.h"
#include "auth-svc/grant/peers.h"
#include "auth-svc/secret/key_use.h"

/* account_id of Application Default Credentials, where no dealers are configured. */
#define ADC_ACCOUNT_ID "application-default"

struct snapshot {
  atomic_size_t refs;
  struct directory *directory;
  struct credential **credentials; /* by dealer index */
  size_t *token_dealer;            /* by dealer index: the dealer under whom its token is kept */
  struct credential *adc;          /* without dealers; else NULL */
  struct key_use sealed_with;      /* keys of the dealers file's secrets */
  struct trust trust;              /* set by snapshot_trust(), like what follows */
  struct peers *peers;
  uint64_t connected_version; /* of the connected dealers in it (connect/store.h) */
  size_t n_unknown_names;     /* of policies and issuers, that the dealers file does not have */
  char *unknown_names;        /* the first of them, for people; NULL when there are none */
  uint64_t number;            /* in its slot, from 1; set by the slot */
};

/* Takes everything over; `credentials` has one entry per dealer of the directory. */
struct snapshot *snapshot_new(struct directory *directory, struct credential **credentials,
                              struct credential *adc);
/* A snapshot of a dealers file or, `name` standing for the file in messages, of its text; see
 * dealers_file_load() for errors. *out is NULL after one. */
enum err_code snapshot_load(struct snapshot **out, const char *path,
                            const struct dealers_options *options, struct err *e);
enum err_code snapshot_parse(struct snapshot **out, const char *name, const char *text, size_t len,
                             const struct dealers_options *options, struct err *e);
/* Takes references to what is trusted and makes the names of invisible peers with it. NULL
 * members: no keys, no policies; the sealer must be there. Call once, before others see the
 * snapshot. */
void snapshot_trust(struct snapshot *s, const struct trust *trust);
/* Marks its credentials as of this configuration (tokens_configure). Likewise. */
void snapshot_stamp(struct snapshot *s, uint64_t generation);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s);
static inline void snapshot_cleanup(struct snapshot **s)
{
  snapshot_unref(*s);
}
#define AUTO_SNAPSHOT __attribute__((cleanup(snapshot_cleanup)))

/* Accounts with a credential: the dealers', or the one of ADC. */
size_t snapshot_accounts(const struct snapshot *s);
/* The credential of an account, dealer's or ADC's; NULL when there is none. Borrowed. */
struct credential *snapshot_find_credential(const struct snapshot *s, const char *account_id);
/* The credential of a dealer. */
struct credential *snapshot_credential(const struct snapshot *s, const struct dealer *dealer);

/* Under which account the token of an account is kept: dealers with the same credential (one
 * service account for all, say) share one token, that of the first of them, so that it is asked
 * for once and a refresh token that is replaced is replaced for all. */
struct token_key {
  const char *account_id; /* lives as long as the snapshot */
  struct credential *credential;
};
/* For an account that has a credential. */
struct token_key snapshot_token_key(const struct snapshot *s, const char *account_id);
/* The credential of an account that tokens are kept under; NULL for any other. Borrowed. */
struct credential *snapshot_token_credential(const struct snapshot *s, const char *account_id);

/* Holds the current snapshot. Thread-safe. */
struct snapshot_slot;
struct snapshot_slot *snapshot_slot_new(struct snapshot *first);
void snapshot_slot_free(struct snapshot_slot *slot);
/* A reference to the current one. */
struct snapshot *snapshot_current(struct snapshot_slot *slot);
/* Puts a new one in place; takes the reference over. */
void snapshot_replace(struct snapshot_slot *slot, struct snapshot *s);

#endif
