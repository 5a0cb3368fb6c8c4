/* Errors: one code for everything, the same numbers as gRPC's status codes. */
#ifndef AMCP_BASE_ERROR_H
#define AMCP_BASE_ERROR_H

#include <stddef.h>

/* Canonical codes (google.rpc.Code). Functions return one; ERR_OK is 0. */
enum err_code {
  ERR_OK = 0,
  ERR_CANCELLED = 1,
  ERR_UNKNOWN = 2,
  ERR_INVALID_ARGUMENT = 3,
  ERR_DEADLINE_EXCEEDED = 4,
  ERR_NOT_FOUND = 5,
  ERR_ALREADY_EXISTS = 6,
  ERR_PERMISSION_DENIED = 7,
  ERR_RESOURCE_EXHAUSTED = 8,
  ERR_FAILED_PRECONDITION = 9,
  ERR_ABORTED = 10,
  ERR_OUT_OF_RANGE = 11,
  ERR_UNIMPLEMENTED = 12,
  ERR_INTERNAL = 13,
  ERR_UNAVAILABLE = 14,
  ERR_DATA_LOSS = 15,
  ERR_UNAUTHENTICATED = 16,
};

enum { ERR_DETAILS_MAX = 512 };

/* An error with its detail. A zeroed struct is "no error". Plain data: copy it
 * by assignment, nothing to free. Never holds a secret. */
struct err {
  enum err_code code;
  char reason[40];   /* machine-readable: lower_snake_case, may be empty */
  char message[600]; /* for people: what happened and what to do */
  /* For programs: a serialized message whose type the reason implies (proto/analytics/error). */
  unsigned short details_len; /* 0: none */
  unsigned char details[ERR_DETAILS_MAX];
};

/* Fills *e (unless NULL) and returns code, so `return err_set(...)` reads well.
 * reason may be NULL. There are no details then. A longer message is cut at a UTF-8 character
 * border. */
enum err_code err_set(struct err *e, enum err_code code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds details to an error that is set; more than ERR_DETAILS_MAX bytes are left out as a whole. */
void err_set_details(struct err *e, const void *details, size_t len);

/* Gives an error that is already set another message; keeps the rest. Returns e's code. */
enum err_code err_reword(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts text before the message of an error that is already set; keeps the rest. Returns e's
 * code. */
enum err_code err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "INVALID_ARGUMENT"; "UNKNOWN" for a number that is not a code. Static text. */
const char *err_code_name(enum err_code code);

#endif
