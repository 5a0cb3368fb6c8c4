/* The AWS side of workload identity federation: key pairs, the instance metadata service,
 * and what AWS STS would say to a signed GetCallerIdentity. */
#ifndef GA4_SIM_AWS_H
#define GA4_SIM_AWS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct aws;

struct aws *aws_new(uint64_t seed);
void aws_free(struct aws *a);

struct aws_credentials {
  char access_key_id[32], secret_access_key[64], session_token[160]; /* token may be "" */
  int64_t issued_unix_s, expires_unix_s;                             /* 0: never */
  char arn[128];
};

#define AWS_ACCOUNT "123456789012"
#define AWS_ROLE "auth-svc"
#define AWS_REGION_NAME "us-east-2"
#define AWS_ROLE_ARN "arn:aws:sts::" AWS_ACCOUNT ":assumed-role/" AWS_ROLE "/i-0123456789abcdef0"

/* The instance role's current credentials, new ones when these end within five minutes. */
void aws_role_credentials(struct aws *a, int64_t now_unix_s, struct aws_credentials *out);
/* The key pair of a user, for the environment; it does not end. */
void aws_user_credentials(struct aws *a, struct aws_credentials *out);
/* Gives the role new credentials; the older ones live on, or die at once. */
void aws_rotate(struct aws *a, bool kill_old);

/* Judges the serialized, signed GetCallerIdentity request (JSON {url, method, headers}) as
 * Google's STS does with the help of AWS: on success writes the caller's ARN, else what is
 * wrong. audience: what x-goog-cloud-target-resource has to say. */
bool aws_check_caller_identity(struct aws *a, const char *serialized, const char *audience,
                               int64_t now_unix_s, char *arn, size_t arn_size, struct err *why);

/* IMDSv2 session tokens: made for ttl seconds, and checked. */
void aws_imds_token(struct aws *a, uint32_t ttl_s, int64_t now_unix_s, char *out, size_t size);
bool aws_imds_token_is_good(struct aws *a, const char *token, int64_t now_unix_s);

#endif
