/* Admission to Google: at most so many requests at once per property, and in all. Waiters of
 * one property are served in order, but guests only while few of them are at it; properties in
 * turn. Thread-safe. */
#ifndef AMCP_REPORT_GOVERNOR_H
#define AMCP_REPORT_GOVERNOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct governor_options {
  size_t per_key;        /* requests under way per key; Google allows 10 per property */
  size_t total;          /* requests under way in all */
  size_t waiting_max;    /* waiters in all; more are ERR_RESOURCE_EXHAUSTED */
  size_t per_key_guests; /* of per_key, what guests may hold; 0 means all */
};

struct governor;
struct governor_key;

struct governor *governor_new(const struct governor_options *options);
/* Nobody may hold or wait for a place. */
void governor_free(struct governor *g);

/* One request's place; zeroed before first use, owned by the caller. */
struct governor_ticket {
  void (*on_admitted)(void *user, const struct err *e);
  /* Runs before the ticket gets in line, within governor_acquire(); NULL for nothing. */
  void (*on_wait)(void *user);
  void *user;
  int64_t deadline_ms; /* clock_mono_ms() */
  bool guest;          /* asks on behalf of somebody else than the key's owner */
  struct governor_key *key;
  uint64_t turn;
  struct governor_ticket *prev, *next;
  bool queued;
};

/* Asks for a place. on_admitted runs once, perhaps before this returns, on the thread that
 * made room: with ERR_OK (the place is held until governor_release()), with
 * ERR_RESOURCE_EXHAUSTED (`busy`) or with ERR_DEADLINE_EXCEEDED (`timeout`). */
void governor_acquire(struct governor *g, struct governor_ticket *ticket, const char *key);
/* Takes back a ticket that waits: true means on_admitted will not run; false that it ran or
 * is about to. */
bool governor_cancel(struct governor *g, struct governor_ticket *ticket);
void governor_release(struct governor *g, struct governor_ticket *ticket);
/* Ends waiters whose deadline has passed; call now and then while there are any. */
void governor_expire(struct governor *g, int64_t now_ms);
/* The error of a waiter whose deadline has passed: ERR_DEADLINE_EXCEEDED (`timeout`). */
enum err_code governor_too_late(const struct governor *g, struct err *e);
size_t governor_waiting(struct governor *g);
size_t governor_active(struct governor *g);

#endif
