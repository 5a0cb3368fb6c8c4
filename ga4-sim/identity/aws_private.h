/* What aws.c and aws_caller.c share. */
#ifndef GA4_SIM_AWS_PRIVATE_H
#define GA4_SIM_AWS_PRIVATE_H

#include <pthread.h>

#include "ga4-sim/identity/aws.h"

enum { AWS_ROLES = 8, AWS_ROLE_LIFETIME_S = 6 * 3600 };

struct aws_role_state {
  uint64_t generation; /* 0: unused */
  int64_t issued_unix_s, expires_unix_s;
};

struct aws {
  pthread_mutex_t lock;
  unsigned char key[64];
  uint64_t generation;
  bool rotate; /* the next question makes new credentials */
  struct aws_role_state roles[AWS_ROLES];
};

/* The key pair with that id, whether still good or not. */
bool aws_find(struct aws *a, const char *access_key_id, struct aws_credentials *out);

#endif
