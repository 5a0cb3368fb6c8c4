/* Errors: one code for everything, the same numbers as gRPC's status codes. */
#ifndef AMCP_BASE_ERROR_H
#define AMCP_BASE_ERROR_H

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

/* An error with its detail. A zeroed struct is "no error". Plain data: copy it
 * by assignment, nothing to free. Never holds a secret. */
struct err {
  enum err_code code;
  char reason[40];   /* machine-readable: lower_snake_case, may be empty */
  char message[600]; /* for people: what happened and what to do */
};

/* Fills *e (unless NULL) and returns code, so `return err_set(...)` reads well.
 * reason may be NULL. A longer message is cut at a UTF-8 character border. */
enum err_code err_set(struct err *e, enum err_code code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts text before the message of an error that is already set; keeps code and
 * reason. Returns e's code. */
enum err_code err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "INVALID_ARGUMENT"; "UNKNOWN" for a number that is not a code. Static text. */
const char *err_code_name(enum err_code code);

#endif
