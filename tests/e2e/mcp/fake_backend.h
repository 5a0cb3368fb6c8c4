/* Auth, report and aggregate services in one process, with behaviours chosen by the
 * request: what the gateway's tests talk to.
 *
 * Authenticate: "good-NAME" is accepted for subject NAME, "" only when allowed; "expired"
 * gives a grant that has ended; "forbidden" and "down" fail so; the rest is invalid.
 * Every tool refuses the grants that were given out before fake_backend_refuse_grants().
 * list_dealers by query: "hang" waits for its cancellation, "cancels" counts those seen in
 * total, "internal" fails, "refuse" takes no grant, "revoked" says so of it, "huge" is larger than
 * any client takes, "trace" gives the traceparent as a name. region "nowhere" is not found.
 * compare_dealer_sessions by region: "hang" waits after one progress message, "first hangs" does
 * when no call has waited before, "silent" ends
 * without a result, "slow" takes 12 s; others report progress three times. */
#ifndef AMCP_TESTS_FAKE_BACKEND_H
#define AMCP_TESTS_FAKE_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_backend;

/* port 0 takes a free one. NULL when it cannot start. */
struct fake_backend *fake_backend_start(uint16_t port, bool allow_empty_bearer);
uint16_t fake_backend_port(const struct fake_backend *f);
/* Calls that came to wait for their cancellation, and cancellations seen, in total. */
int fake_backend_hanging(const struct fake_backend *f);
int fake_backend_cancels(const struct fake_backend *f);
/* As auth-svc does when the key is gone that they were sealed with. */
void fake_backend_refuse_grants(struct fake_backend *f);
/* Times Authenticate was asked. */
int fake_backend_questions(const struct fake_backend *f);
/* The client that it was asked for last, as far as it fits. */
void fake_backend_client(struct fake_backend *f, char *out, size_t size);
void fake_backend_stop(struct fake_backend *f);

#endif
