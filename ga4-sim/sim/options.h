/* The command line of ga4-sim. */
#ifndef GA4_SIM_OPTIONS_H
#define GA4_SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/sim/certificate.h"
#include "ga4-sim/world/plan.h"

/* What the dealers of the written dealers.json sign in with. */
enum credential_kinds {
  CREDENTIALS_OAUTH,
  CREDENTIALS_SERVICE_ACCOUNT,
  CREDENTIALS_EXTERNAL_ACCOUNT,
  CREDENTIALS_IMPERSONATED,
  CREDENTIALS_MIXED /* one after the other */
};

/* A listener over TLS, beside the plain one. */
struct tls_listen {
  enum certificate_kind certificate;
  char host[256];
  uint16_t port;
};
enum { TLS_LISTEN_MAX = 4 };

enum { STUB_ROWS = 7 }; /* of a report, unless another number is given */

struct options {
  char host[256];
  uint16_t port;
  struct tls_listen tls[TLS_LISTEN_MAX];
  size_t n_tls;
  const char *write_ca; /* NULL: none */
  struct world_params world;
  bool fixed_today;
  const char *db;            /* NULL: anonymous temporary file, or memory */
  const char *write_dealers; /* NULL: none */
  const char *write_service_account;
  const char *write_service_accounts; /* directory */
  const char *public_url;             /* NULL: the address listened on */
  enum credential_kinds credential_kinds;
  bool generate_only;
  bool stub; /* fixed answers in the place of a world */
  uint32_t stub_rows;
  uint32_t latency_ms;
  uint32_t token_lifetime_s;
};

/* Parses argv. False: stop with *exit_code, messages are printed already. */
bool options_parse(struct options *o, int argc, char **argv, int *exit_code);

#endif
