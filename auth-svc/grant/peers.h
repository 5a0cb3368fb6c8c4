/* Names for dealers and owners that only auth-svc can resolve.
 *
 * A peer that the caller may not see travels as "~" and 16 hexadecimal digits: a keyed
 * digest of its id. New names are made with the sealer's first key; those made with its
 * other keys resolve too, so that a comparison under way survives a change of keys. Made
 * once per snapshot, immutable, thread-safe. */
#ifndef AMCP_AUTH_PEERS_H
#define AMCP_AUTH_PEERS_H

#include "auth-svc/dealers/directory.h"
#include "auth-svc/grant/seal.h"

enum { PEER_REF_SIZE = 1 + 2 * PEER_TAG_BYTES + 1 };

struct peers;

/* The directory must outlive it. */
struct peers *peers_new(const struct directory *directory, const struct sealer *sealer);
void peers_free(struct peers *p);

/* The dealer's tag as a member of a cohort, 8 bytes, by the sealer's key number `key`: 0 for
 * a new name, and what `struct unsealed` says to look into a benchmark grant. Visible members
 * have another tag than opaque members, so that a benchmark grant also says which may be
 * named. */
const uint8_t *peers_tag(const struct peers *p, size_t key, const struct dealer *dealer,
                         bool visible);
/* Equal for dealers of one owner; a dealer without owner has one of its own. */
const uint8_t *peers_owner_tag(const struct peers *p, const struct dealer *dealer);
/* Version of a cohort of the directory: "v7" as configured, else "v" and six hexadecimal
 * digits of a keyed digest of its members, so that it changes when they do and tells an
 * outsider nothing of them. It is made with the first seal key: configure the version where
 * it must outlast the keys. */
const char *peers_cohort_version(const struct peers *p, const struct catalogued *c);
/* Whether a text is that version, or the same by another of the sealer's keys. */
bool peers_is_cohort_version(const struct peers *p, const struct catalogued *c, const char *text);
/* Writes "~…" of an opaque tag. */
void peers_write_ref(const uint8_t tag[PEER_TAG_BYTES], char out[PEER_REF_SIZE]);
/* The dealer behind "~…"; NULL when the text is none or names nobody. */
const struct dealer *peers_resolve(const struct peers *p, const char *ref);

#endif
