/* One call to Google as a chain of phases:
 *
 *     NEW -> TOKEN -> (FIND) -> PLACE -> TRANSFER -> DONE
 *              ^                  ^         |
 *              |                  +- WAIT <-+  500, 502, 503, 504, a cut connection, too many at
 * once
 *              +----------------------------+  401, once: another token
 *
 * FIND is for a dealer whose property is not configured (find.h).
 *
 * No phase blocks a thread. Each starts something that calls back when it has ended (an rpc to
 * auth-svc, a ticket of the governor, a transfer, a timer), and the callback starts the next. So at
 * any time one thread drives the chain, though not always the same one, and the fields of the call
 * need no lock. The exception is google_call_cancel(), which any thread may call at any time: the
 * lock guards what it reads (phase, rpc, transfer) and `cancelled`, which it sets.
 *
 * Whoever moves the chain on checks `cancelled` under the lock before it starts something, and
 * stores the handle under the same lock. A cancel therefore finds either the handle of what is
 * under way, and ends that, or a chain that will see the flag. finish() runs the owner's on_done
 * once, whoever comes first, and without the lock, as all callbacks to the owner.
 *
 * The place at the governor is given back before every wait, so a call that backs off holds up
 * nobody, and its owner, who may hold something, too, hears of it (on_wait). The chain holds one
 * reference from start to finish; a timer holds one of its own. */
#include <string.h>

#include "common/base/clock.h"
#include "report-svc/google/call_impl.h"

enum { MAX_BACKOFF_MS = 8000 };

/* ------------------------------------------------------------------ life */

struct google_call *google_call_new(struct google *g, const struct google_call_options *options)
{
  struct google_call *c = xcalloc(1, sizeof(*c));
  c->magic = CALL_MAGIC;
  atomic_init(&c->refs, 1);
  c->google = g;
  c->options = *options;
  c->subject_id = xstrdup(options->subject_id);
  c->token = token_ref(options->token);
  c->backoff = (struct backoff){g->options.backoff_ms, MAX_BACKOFF_MS, 0};
  pthread_mutex_init(&c->lock, NULL);
  return c;
}

struct google_call *google_call_ref(struct google_call *c)
{
  atomic_fetch_add(&c->refs, 1);
  return c;
}

void google_call_unref(struct google_call *c)
{
  if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
    return;
  token_unref(c->token);
  free(c->target.url);
  free(c->subject_id);
  pthread_mutex_destroy(&c->lock);
  c->magic = 0;
  free(c);
}

struct token *google_call_token(struct google_call *c)
{
  return token_ref(c->token);
}

/* What auth-svc refuses over the caller's grant says nothing of the dealer it names. */
static bool is_refusal(const struct err *e)
{
  return e->code == ERR_NOT_FOUND || e->code == ERR_PERMISSION_DENIED ||
         e->code == ERR_UNAUTHENTICATED;
}

/* Remembers for operators how the call ended. Of dealers outside the caller's view only the
 * property is known, and what is refused there is mostly the share of benchmarks. */
static void note_end(struct google_call *c, const struct err *e)
{
  const char *property = strstr(c->target.key, "properties/");
  struct ended_subject subject = {"", ""};
  if (property != NULL)
    subject.property_id = property + strlen("properties/");
  if (c->token != NULL && !c->token->opaque)
    subject.dealer_id = c->token->dealer_ref;
  else if (c->token == NULL && c->options.purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT &&
           c->options.subject == GOOGLE_DEALER)
    subject.dealer_id = c->subject_id;
  bool theirs =
      c->token == NULL ? is_refusal(e) : c->token->opaque && e->code == ERR_RESOURCE_EXHAUSTED;
  if (!theirs)
    ended_note(c->google->ended, &subject, e, clock_unix_ms() / 1000);
}

/* Ends the call and drops the reference of the chain. */
void call_finish(struct google_call *c, const struct err *e)
{
  pthread_mutex_lock(&c->lock);
  bool first = c->phase != PHASE_DONE;
  c->phase = PHASE_DONE;
  pthread_mutex_unlock(&c->lock);
  if (!first)
    return;
  note_end(c, e);
  c->options.ops->on_done(c->options.user, e);
  google_call_unref(c);
}

void call_finish_cancelled(struct google_call *c)
{
  struct err e;
  err_set(&e, ERR_CANCELLED, "cancelled", "the request was cancelled");
  call_finish(c, &e);
}

/* Moves on to a phase; false when the call was cancelled meanwhile. */
bool call_enter(struct google_call *c, enum phase phase)
{
  pthread_mutex_lock(&c->lock);
  bool go = !c->cancelled && c->phase != PHASE_DONE;
  if (go)
    c->phase = phase;
  pthread_mutex_unlock(&c->lock);
  return go;
}

void call_waits(void *call)
{
  const struct google_call *c = call;
  if (c->options.ops->on_wait != NULL)
    c->options.ops->on_wait(c->options.user);
}

uint32_t call_remaining_ms(const struct google_call *c, uint32_t at_most)
{
  int64_t left = c->options.deadline_ms - clock_mono_ms();
  if (left < 1)
    left = 1;
  return left < (int64_t)at_most ? (uint32_t)left : at_most;
}

/* ------------------------------------------------------------------ public */

void google_call_start(struct google_call *c)
{
  google_call_ref(c); /* the chain's */
  if (c->token != NULL) {
    call_use_token(c);
    return;
  }
  c->token = call_leased_token(c);
  if (c->token == NULL)
    call_seek_token(c);
  else if (call_enter(c, PHASE_TOKEN))
    call_use_token(c);
  else
    call_finish_cancelled(c);
}

void google_call_cancel(struct google_call *c)
{
  if (c == NULL)
    return;
  MAGIC_CHECK(c, CALL_MAGIC);
  google_call_ref(c);
  pthread_mutex_lock(&c->lock);
  enum phase phase = c->cancelled ? PHASE_DONE : c->phase;
  c->cancelled = true;
  if (phase == PHASE_TOKEN && c->rpc != NULL)
    rpc_client_cancel(c->rpc);
  if (phase == PHASE_TRANSFER && c->transfer != NULL)
    http_transfer_cancel(c->transfer);
  struct find *find = phase == PHASE_FIND && c->find != NULL ? find_ref(c->find) : NULL;
  pthread_mutex_unlock(&c->lock);
  if (phase == PHASE_PLACE)
    call_leave_queue(c);
  else if (phase == PHASE_WAIT)
    call_finish_cancelled(c);
  else if (find != NULL)
    find_cancel(find);
  find_unref(find);
  google_call_unref(c);
}

void google_call_resume(struct google_call *c)
{
  pthread_mutex_lock(&c->lock);
  if (c->phase == PHASE_TRANSFER && c->transfer != NULL)
    http_transfer_resume(c->transfer);
  pthread_mutex_unlock(&c->lock);
}
