/* The parts of the audit log that its files share. Nobody else includes it. */
#ifndef AMCP_AUTH_AUDIT_INTERNAL_H
#define AMCP_AUTH_AUDIT_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "auth-svc/audit/audit.h"
#include "auth-svc/audit/sink.h"
#include "common/base/map.h"
#include "common/base/metrics.h"

enum { AUDIT_OWED_MAX = 16, AUDIT_REFUSAL_TEXTS = 8 };

/* A line that must stand before any other: what happened to the file or the configuration. */
struct audit_owed {
  const char *event, *result;
  char *reason, *detail;
  uint64_t through;
};

/* Refused calls of one kind, counted since the line before. */
struct audit_refusal {
  struct map_node in_map;
  uint8_t key[SHA256_SIZE];
  char *texts[AUDIT_REFUSAL_TEXTS]; /* what the calls have in common */
  int64_t until_ms;                 /* when its minute is over, monotonic */
  uint64_t count;
};

struct audit {
  char *path, *head_path; /* NULL for standard error */
  enum audit_fsync fsync;
  uint64_t max_bytes;
  uint32_t sync_every_ms;
  int64_t (*unix_ms)(void), (*mono_ms)(void);
  uint64_t keep_bytes, keep_days, warn_free_bytes;
  struct audit_sink *sink; /* NULL for none */
  struct metric *lines, *seq, *refusals_counted, *free_gauge, *low_gauge;
  pthread_t keeper;
  bool has_keeper;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  /* Guarded by lock: */
  bool ending;
  uint64_t rotate_at; /* max_bytes; more when a rotation failed */
  struct audit_key key;
  int fd, head_fd;
  dev_t dev; /* of the file behind fd */
  ino_t ino;
  uint64_t size;   /* of the file, as we left it */
  uint64_t synced; /* so much of it is on disk for certain */
  struct audit_chain chain;
  struct buf line;
  char *continued; /* detail of the line that must be the first of this file */
  struct audit_owed owed[AUDIT_OWED_MAX];
  size_t n_owed;
  bool torn;        /* part of a line that failed could not be taken back yet */
  bool dirty;       /* lines since the last sync */
  bool syncing;     /* the thread syncs, without the lock */
  bool sync_failed; /* what was written since the last good sync may be lost */
  bool failed;      /* the last line could not be written, or a sync failed */
  bool head_failed;
  uint64_t refused;              /* lines lost since then */
  int64_t retry_ms;              /* when a failed sync may be tried again, monotonic */
  struct map refusals;           /* of struct audit_refusal */
  struct audit_refusal overflow; /* what found no room among them */
  uint64_t free_bytes;           /* of the volume */
  bool space_low;
  int64_t space_at_ms, space_warn_at_ms, retain_at_ms; /* when to look, warn, delete again */
};

/* ------------------------------------------------------------------------ audit.c */

/* Makes and appends one line; errno on failure. */
bool audit_put(struct audit *a, const struct audit_event *event);
/* Lets a line be written before any other: "continued" first of all, to begin a file with. */
void audit_owe(struct audit *a, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for an event with its own result, marked with the time it is of; of more than fit, the
 * last ones say what is in use now. */
void audit_owe_event(struct audit *a, const struct audit_event *event);
/* Writes what is owed. */
bool audit_pay(struct audit *a);
/* Whether the next line may be written: the file is ours, and what had to be said before is. */
bool audit_make_ready(struct audit *a);
/* A line could not be written, with errno. */
enum err_code audit_refuse(struct audit *a, int error, struct err *e);

/* ------------------------------------------------------------------------ keeper.c */

/* Syncs, and looks after everything else that takes time; the lock is held but while syncing. */
bool audit_keeper_start(struct audit *a);
void audit_keeper_stop(struct audit *a);

/* ----------------------------------------------------------------------- refusals.c */

/* Writes the counts of minutes that are over, or all. */
void audit_refusals_write(struct audit *a, bool all);
void audit_refusals_free(struct audit *a);

/* ------------------------------------------------------------------ space.c, retain.c */

/* Looks at the free bytes of the volume, now and then. */
void audit_space_look(struct audit *a);
/* Deletes rotated files that are too old or too many, now and then, and soon after a rotation. */
void audit_retain(struct audit *a);

/* ------------------------------------------------------------------- file.c */

/* Opens and locks; -1 with errno, EINVAL when it is not a regular file, EWOULDBLOCK when another
 * process has it. */
int audit_file_open(const char *path, int more_flags);
/* Goes on in this file, closing the one before. False when it cannot be looked at. */
bool audit_file_take(struct audit *a, int fd);
/* All of the line or nothing, with errno. */
bool audit_file_append(struct audit *a, const char *data, size_t len);
/* Looks whether the file is still ours and as we left it; goes on in a new one when it was
 * moved, deleted or replaced. False with errno when lines cannot be written. */
bool audit_file_settle(struct audit *a);
/* Renames the file to <file>.<number> and begins a new one, or goes on in the same one. */
void audit_file_rotate(struct audit *a);
/* After a failed sync: writes again what may be lost, and syncs it. */
bool audit_file_sync_again(struct audit *a);

/* ------------------------------------------------------------------- head.c */

/* Opens <file>.head, made when there is none. */
bool audit_head_open(struct audit *a);
void audit_head_write(struct audit *a);

/* ------------------------------------------------------------------- open.c */

/* Opens the file and finds where its chain ends. */
enum err_code audit_open_file(struct audit *a, const struct keyring *ring, struct err *e);

#endif
