/* The stage of the audit log's tests: a folder with a log, and system calls that fail where a test
 * says so (they stand in for the C library's in the test's program). */
#ifndef AMCP_TESTS_AUTH_AUDIT_STAGE_H
#define AMCP_TESTS_AUTH_AUDIT_STAGE_H

#include <stdatomic.h>

#include "auth-svc/audit/audit.h"

/* What write() to a file, fdatasync() and renameat2() fail with; 0: they work. */
extern atomic_int write_errno, sync_errno, rename_errno;
/* How often fdatasync() and renameat2() were called, and what pwrite() wrote but to heads. */
extern atomic_int syncs, rewritten_bytes, renames;
extern atomic_llong clock_behind_s; /* of the wall clock */
extern atomic_llong free_bytes;     /* of every volume; below 0: as it is */

/* Waits until fdatasync() was called more than `before` times; false after 20 s. */
bool wait_for_sync(int before);
/* Puts the clock forward by which a failed sync is tried again. */
void let_pass_ms(int64_t ms);

#define KEY_A "a: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_B "b: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define FALSE_A "a: 200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

extern char *dir, *path, *head; /* the folder, the log and its head */
extern struct keyring *ring;    /* KEY_A, unless the test puts another here */
extern uint32_t sync_every_ms;  /* of AUDIT_FSYNC_SECOND; 0, a second, unless the test says so */
extern uint64_t keep_bytes, keep_days, warn_free_bytes; /* 0, unless the test says so */

struct keyring *ring_of(const char *text);
void stage(void);
void strike(void);
struct audit *open_log(enum audit_fsync fsync, uint64_t max_bytes);
/* Waits until the log has so many lines; false after 20 s. */
bool wait_for_lines(size_t n);
/* Lines of the log that hold this text. */
size_t lines_with(const char *shown);
enum err_code put(struct audit *a, const char *subject);
/* A file's text; valid until the next call. */
char *slurp(const char *file);
void expect_in(const char *file, const char *shown);
void append_text(const char *text);

struct found {
  size_t n, line;
  char what[700];
};

struct err verify_files(const char *const *files, size_t n, const struct keyring *keys,
                        struct found *f, struct audit_findings *findings);
/* That verifying the log finds n faults, the first in this line. */
void expect_faults(size_t n, size_t line, const char *what);

#endif
