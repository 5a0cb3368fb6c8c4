/* The audit log: one hash-chained line per decision, written before the answer goes out.
 *
 * A file is appended to, synced in the background, and continued across restarts and
 * rotations; beside it `<file>.head` holds the number and hash of the last line, so that lines
 * cut off the end show. When a line cannot be written or synced, nothing may be answered; the
 * next call tries again. A file that somebody moves, deletes, replaces or changes is noticed with
 * the next line, and a line says so. Without a file the lines go to standard error, and each
 * process has a chain of its own.
 *
 * A stranger cannot fill the disk: refused calls are counted, a line a minute for each kind
 * (audit_write_refusal()); rotated files may be deleted by age and by size, the oldest first, and
 * a line says so; and what is left of the disk is watched. A thread of its own looks after that
 * about every second. Thread-safe. */
#ifndef AMCP_AUTH_AUDIT_H
#define AMCP_AUTH_AUDIT_H

#include "auth-svc/audit/line.h"

struct audit;

enum audit_fsync {
  AUDIT_FSYNC_SECOND, /* a thread syncs once a second: a power cut may cost the last second */
  AUDIT_FSYNC_ALWAYS, /* each line, before the answer: one disk sync per call */
  AUDIT_FSYNC_NEVER,  /* the kernel decides */
};
/* "always", "second", "never" */
bool audit_fsync_parse(const char *s, enum audit_fsync *out);

/* Where each line that was written goes, too. */
enum audit_sink_kind { AUDIT_SINK_NONE, AUDIT_SINK_STDOUT, AUDIT_SINK_SYSLOG };
/* "none", "stdout", "syslog" */
bool audit_sink_parse(const char *s, enum audit_sink_kind *out);

struct audit_options {
  const char *path;              /* NULL: standard error */
  const struct keyring *keyring; /* its first key makes the hashes; NULL: plain SHA-256 */
  enum audit_fsync fsync;
  uint64_t max_bytes; /* of a file before it is renamed to <file>.<number>; 0: never */
  /* Of rotated files, all together, and days since their last line; older ones are deleted. 0: no
   * limit. What was not rotated is never deleted. */
  uint64_t keep_bytes, keep_days;
  uint64_t warn_free_bytes; /* of the file's volume: less is a state to warn of; 0: none is */
  enum audit_sink_kind sink;
  uint32_t sync_every_ms;   /* of AUDIT_FSYNC_SECOND and of the thread's looks; 0 means 1,000 */
  int64_t (*unix_ms)(void); /* NULL means clock_unix_ms */
  int64_t (*mono_ms)(void); /* what minutes are counted by; NULL means clock_mono_ms */
};

/* Opens the log and goes on where its chain ends. The keyring is not needed afterwards. Lines
 * say what is noticed: a torn end that was dropped, a .head file that is gone, another first key
 * than the last line's.
 * FAILED_PRECONDITION: another process writes it, or its end was changed (`audit_tampered`);
 * UNAVAILABLE: it cannot be opened or written. */
enum err_code audit_open(struct audit **out, const struct audit_options *options, struct err *e);
/* Syncs and closes. NULL is fine. */
void audit_close(struct audit *a);

/* Appends one line. UNAVAILABLE `audit_unavailable`: it is not written, so the caller must
 * refuse. A NULL log takes everything (tests). Costs one write(2), and a sync with ALWAYS. */
enum err_code audit_write(struct audit *a, const struct audit_event *event, struct err *e);

enum {
  AUDIT_REFUSAL_KINDS_MAX = 256,
  AUDIT_REFUSAL_MS = 60 * 1000,
};
/* The same for a refused call, which a stranger can make as often as he likes. The first of its
 * kind (event, result, reason, subject, requested, detail, client, else peer without its port) is
 * written at once with count 1; those within a minute are counted, and one line with their number
 * follows when it is over, also at the end and with audit_flush_refusals(). So the counts of the
 * lines add up to the calls, and a process that is killed loses those of its last minute. Of more
 * than 256 kinds in a minute the others are counted as one. *counted: no line was written for it.
 */
enum err_code audit_write_refusal(struct audit *a, const struct audit_event *event, bool *counted,
                                  struct err *e);
/* Writes what was counted, in lines of its own. A NULL log is fine. */
void audit_flush_refusals(struct audit *a);

/* For what happened already and can be refused to nobody, such as a change of the configuration:
 * a line that cannot be written now stands before any other that can, with the time it is of.
 * `event` and `result` must be literals; of the rest, reason and detail are kept. */
void audit_write_or_owe(struct audit *a, const struct audit_event *event);

/* Lines are made with the first key of this ring from now on. A line "key_changed" that names
 * the old and the new key, made with the old one, stands before them: only who has the key in
 * use can hand over to another. Nothing when the key is the same; UNAVAILABLE when the line
 * cannot be written, and then nothing changes. A NULL log is fine. */
enum err_code audit_set_keyring(struct audit *a, const struct keyring *ring, struct err *e);
/* Id of the key in use; "" for plain SHA-256 or a NULL log. */
void audit_key_id(struct audit *a, char out[KEYRING_ID_MAX + 1]);

/* Whether lines can be written; tries again (with a line "audit_resumed") after a failure.
 * For readiness: without calls nobody else would try. */
bool audit_is_writable(struct audit *a);
/* Number of the last line. */
uint64_t audit_seq(struct audit *a);
/* Whether less than warn_free_bytes are free on the file's volume, as the thread saw it last;
 * *free_bytes are. */
bool audit_space_is_low(struct audit *a, uint64_t *free_bytes);

/* ------------------------------------------------------------------- checking */

struct audit_findings {
  size_t n;       /* faults found */
  uint64_t lines; /* lines read */
  struct audit_chain last;
  uint64_t first_seq;  /* number of the first line; 1 unless files before it are not given */
  uint64_t deleted_to; /* the last line that was deleted by age or size, by a good line that says
                          so; 0 for none */
  /* By key of the ring: lines whose hash fits, and lines whose hash does not. */
  uint64_t good[KEYRING_KEYS_MAX], bad[KEYRING_KEYS_MAX];
  bool has_head; /* of the last file */
};

/* Reads files of one chain in order and calls `found` for each fault with file and line
 * number: removed, changed, reordered, inserted and cut lines. With `allow_unkeyed`, lines
 * made before a keyring was set are fine. Files may be missing at the beginning: first_seq and
 * deleted_to show whether the log says that they were deleted. The last file's `.head` is checked
 * too. Errors: a file cannot be read, or the keyring lacks a key. */
enum err_code audit_verify(struct audit_findings *out, const char *const *paths, size_t n,
                           const struct keyring *ring, bool allow_unkeyed,
                           void (*found)(void *user, const char *path, size_t line,
                                         const char *what),
                           void *user, struct err *e);

/* The `.head` file of a log: where the chain stood at last. */
enum audit_head { AUDIT_HEAD_GOOD, AUDIT_HEAD_MISSING, AUDIT_HEAD_DAMAGED };
enum audit_head audit_head_read(struct audit_chain *out, const char *path);

#endif
