/* What the door and the split of a dimension share: looking releases up. */
#ifndef AMCP_AGGREGATE_DOOR_PRIVATE_H
#define AMCP_AGGREGATE_DOOR_PRIVATE_H

#include "aggregate-svc/disclosure/door.h"

/* The key of a figure over the door's cohort; texts are lent. */
struct release_key door_key(const struct door *d, const char *metric, const char *slice,
                            struct lattice_span period);
/* release_store_take() for the door's viewer; with NULL as the candidate it looks only.
 * RELEASE_NONE and *reached false when the store cannot be reached: then nothing is released.
 * Free *out with release_record_free(). */
enum release_outcome door_take(struct door *d, const struct release_key *key,
                               const struct release_record *candidate, struct release_record *out,
                               bool *reached);

/* The refusal that holds for a key: the one that is kept, else `now`, which is kept when it lasts.
 * DISCLOSURE_OPEN for `now` looks only; it is returned when there is none. */
enum disclosure_code door_refusal(struct door *d, const struct release_key *key,
                                  enum disclosure_code now);
/* What holds where nothing was decided and the dealers outside were not asked: marks the door
 * `missing`, unless there is a reason why they cannot be. */
enum disclosure_code door_unasked(struct door *d);

#endif
