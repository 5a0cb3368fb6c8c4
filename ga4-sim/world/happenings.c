/* Makes the visits of a property's days on a thread of their own and writes them on the caller's.
 *
 * Making takes an eighth of the time, the rest is SQLite's. Two sets of rows go back and forth
 * between them: one is filled while the other is written. The maker alone moves the chances and the
 * next numbers, so the world is the same whoever of the two is faster; the writer alone uses the
 * database. What rows point at belongs to the property's writer, which the caller keeps until both
 * are done. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/world/calendar.h"
#include "ga4-sim/world/generate_private.h"

enum { SETS = 2 };

struct belt {
  struct generator *g;
  struct property_writer *w;
  int64_t first; /* day */
  struct visit visit;
  struct rows *sets[SETS];
  struct rows *open; /* the one that the maker fills; NULL: none */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  uint64_t made, written; /* sets; guarded by the lock, as all that follows */
  bool ended;             /* no more will be made */
  bool stopped;           /* no more will be written */
};

/* ------------------------------------------------------------------ the maker */

/* False: nobody wants them any more. */
static bool open_rows(struct belt *b, const char *date)
{
  pthread_mutex_lock(&b->lock);
  while (b->made - b->written == SETS && !b->stopped)
    pthread_cond_wait(&b->changed, &b->lock);
  b->open = b->stopped ? NULL : b->sets[b->made % SETS];
  pthread_mutex_unlock(&b->lock);
  if (b->open != NULL)
    rows_begin(b->open, date);
  return b->open != NULL;
}

static void hand_over(struct belt *b)
{
  rows_sort(b->open);
  pthread_mutex_lock(&b->lock);
  b->made++;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
}

static bool add_visit(struct belt *b, const char *date)
{
  if (!rows_fit(b->open)) {
    hand_over(b);
    if (!open_rows(b, date))
      return false;
  }
  rows_add(b->open, &b->w->inventory, &b->visit, &b->g->next_session, &b->g->next_event);
  return true;
}

/* Visits of one day: base x trend x weekday x season x chance. */
static uint32_t visits_of_day(struct prng *p, const struct plan_dealer *d,
                              const struct calendar_day *day, uint32_t index)
{
  static const uint32_t weekday_pm[7] = {760, 1060, 1070, 1050, 1060, 1090, 980};
  static const uint32_t month_pm[12] = {930,  950,  1060, 1040, 1060, 1030,
                                        1040, 1060, 1010, 980,  950,  960};
  uint64_t milli = d->base_milli;
  int64_t trend = 1000 + (int64_t)d->drift_pm * (int64_t)index / 400;
  milli = milli * (uint64_t)(trend < 200 ? 200 : trend) / 1000;
  milli = milli * weekday_pm[day->weekday] / 1000;
  milli = milli * month_pm[day->month_number - 1] / 1000;
  milli = milli * prng_between(p, 800, 1200) / 1000;
  return (uint32_t)(milli / 1000) + (prng_below(p, 1000) < milli % 1000 ? 1 : 0);
}

/* index: from the world's first day, for what changes over time. */
static bool make_day(struct belt *b, int64_t number, uint32_t index)
{
  struct property_writer *w = b->w;
  const struct plan_dealer *d = &w->dealer;
  struct calendar_day day;
  int64_t ago = b->g->made_for - number;
  calendar_fill(&day, number);
  if (!open_rows(b, day.date))
    return false;
  visit_context_day(&w->visits, index);
  bool lost = (d->tracking_gap && ago <= PLAN_GAP_FIRST && ago >= PLAN_GAP_LAST) ||
              plants_lose_day(&w->plants, number);
  uint32_t n = visits_of_day(&w->visits.prng, d, &day, index);
  for (uint32_t k = 0; k < n; k++) {
    visit_make(&w->visits, &b->visit, day.weekday);
    if (!lost && plants_change(&w->plants, &b->visit, number) && !add_visit(b, day.date))
      return false;
  }
  for (uint32_t bots = lost ? 0 : plants_bots(&w->plants, number); bots > 0; bots--) {
    plants_bot(&w->plants, &b->visit);
    if (!add_visit(b, day.date))
      return false;
  }
  hand_over(b);
  return true;
}

static void *make_days(void *arg)
{
  struct belt *b = arg;
  int64_t start = b->g->made_for - (int64_t)b->g->params->days + 1;
  for (int64_t day = b->first; day <= b->g->params->today; day++)
    if (!make_day(b, day, (uint32_t)(day - start)))
      break;
  pthread_mutex_lock(&b->lock);
  b->ended = true;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
  return NULL;
}

/* ------------------------------------------------------------------ the writer */

/* Waits for rows; NULL: there are no more. */
static const struct rows *next_rows(struct belt *b)
{
  pthread_mutex_lock(&b->lock);
  while (b->made == b->written && !b->ended)
    pthread_cond_wait(&b->changed, &b->lock);
  const struct rows *r = b->made == b->written ? NULL : b->sets[b->written % SETS];
  pthread_mutex_unlock(&b->lock);
  return r;
}

static void give_back(struct belt *b, bool stop)
{
  pthread_mutex_lock(&b->lock);
  b->written++;
  b->stopped = stop;
  pthread_cond_broadcast(&b->changed);
  pthread_mutex_unlock(&b->lock);
}

static enum err_code write_days(struct belt *b)
{
  int64_t property = generate_property_number(&b->w->dealer);
  enum err_code code = ERR_OK;
  for (const struct rows *r; code == ERR_OK && (r = next_rows(b)) != NULL;) {
    if (rows_write(&b->g->rows, r, property) != SQLITE_OK)
      code = generate_error(b->g, "sessions and events");
    give_back(b, code != ERR_OK);
  }
  return code;
}

static enum err_code save_state(struct generator *g, const struct property_writer *w)
{
  struct saved_state state = {.visits = w->visits.prng,
                              .plants = w->plants.prng,
                              .next_user = w->visits.next_user,
                              .users_seen = w->visits.users_seen,
                              .next_bot = w->plants.next_bot};
  memcpy(state.recent, w->visits.recent, sizeof(state.recent));
  sqlite3_stmt *s = NULL;
  int rc =
      sqlite3_prepare_v2(g->db, "INSERT OR REPLACE INTO generator_state VALUES(?,?)", -1, &s, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(s, 1, generate_property_number(&w->dealer));
    sqlite3_bind_blob(s, 2, &state, sizeof(state), SQLITE_STATIC);
    rc = sqlite3_step(s);
  }
  sqlite3_finalize(s);
  return rc == SQLITE_DONE ? ERR_OK : generate_error(g, "generator_state");
}

static enum err_code run_both(struct belt *b)
{
  pthread_t maker;
  if (pthread_create(&maker, NULL, make_days, b) != 0)
    return err_set(b->g->e, ERR_UNAVAILABLE, "thread",
                   "no thread can be started to make the world: raise the limit of processes");
  enum err_code code = write_days(b);
  pthread_join(maker, NULL);
  return code == ERR_OK ? save_state(b->g, b->w) : code;
}

enum err_code generate_visits(struct generator *g, struct property_writer *w, int64_t first)
{
  AUTO_FREE struct belt *b = xcalloc(1, sizeof(*b));
  *b = (struct belt){.g = g, .w = w, .first = first};
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->changed, NULL);
  for (size_t i = 0; i < SETS; i++)
    b->sets[i] = xmalloc(sizeof(*b->sets[i]));
  enum err_code code = run_both(b);
  for (size_t i = 0; i < SETS; i++)
    free(b->sets[i]);
  pthread_mutex_destroy(&b->lock);
  pthread_cond_destroy(&b->changed);
  return code;
}
