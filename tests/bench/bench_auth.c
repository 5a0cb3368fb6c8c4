/* Load on a running auth-svc, and what that needs: dealers, tokens, a token endpoint. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/bench/bench_auth_parts.h"
#include "tests/bench/bench_auth_world.h"
#include "tests/bench/bench_load.h"
#include "tests/bench/bench_stats.h"
#include "tests/unit/auth/support/fake_endpoint.h"

#define SERVICE (&analytics__auth__v1__auth_service__descriptor)
typedef Analytics__Auth__V1__AuthenticateRequest AuthenticateRequest;
typedef Analytics__Auth__V1__AuthenticateResponse AuthenticateResponse;
typedef Analytics__Auth__V1__GetAccessTokenRequest GetAccessTokenRequest;
typedef Analytics__Auth__V1__GetAccessTokenResponse GetAccessTokenResponse;
typedef Analytics__Auth__V1__ResolveCohortRequest ResolveCohortRequest;
typedef Analytics__Auth__V1__ResolveCohortResponse ResolveCohortResponse;
typedef Analytics__Auth__V1__ListDealersRequest ListDealersRequest;
typedef Analytics__Auth__V1__ListDealersResponse ListDealersResponse;

enum { MAX_DEALERS = 10000, MAX_IN_FLIGHT = 1000, MAX_SECONDS = 60 };

static int usage(FILE *to)
{
  fprintf(to,
          "usage: bench_auth make DIR DEALERS...\n"
          "       bench_auth endpoint\n"
          "       bench_auth load HOST:PORT DIR DEALERS CASE IN_FLIGHT SECONDS\n"
          "       bench_auth grant HOST:PORT DIR DEALERS ROLE\n"
          "       bench_auth parts DIR DEALERS ROUNDS\n"
          "make writes dealers files, keys and bearer tokens into DIR.\n"
          "endpoint prints the URL of a token endpoint, and runs until standard input ends.\n"
          "load calls auth-svc, which runs with that, and prints calls/s, median and 99th\n"
          "percentile in microseconds. CASE: token, token-listed, account, cohort, list, or an\n"
          "algorithm: RS256, ES256, EdDSA, HS256 (one token); RS256-new ... (another each call).\n"
          "grant prints how many bytes the sealed grant of ROLE (admin, dealer, region, listed) "
          "has.\n"
          "parts times the steps of a call inside this process.\n");
  return to == stdout ? 0 : 2;
}

static int complain(const struct err *e)
{
  fprintf(stderr, "bench_auth: %s\n", e->message);
  return 1;
}

/* ----------------------------------------------------------------------- requests */

union request {
  ProtobufCMessage base;
  AuthenticateRequest authenticate;
  GetAccessTokenRequest token;
  ResolveCohortRequest cohort;
  ListDealersRequest list;
};

/* What a case asks with. */
struct asker {
  const char *dir;
  size_t n_dealers;
  union request *requests; /* of each flight */
  char (*ids)[WORLD_ID_SIZE];
  char *text, **tokens; /* of Authenticate */
  size_t n_tokens;
  atomic_size_t next;
};

static const ProtobufCMessage *ask_same(void *user, size_t flight)
{
  struct asker *a = user;
  return &a->requests[flight].base;
}

static const ProtobufCMessage *ask_authenticate(void *user, size_t flight)
{
  struct asker *a = user;
  AuthenticateRequest *r = &a->requests[flight].authenticate;
  r->bearer_token = a->tokens[atomic_fetch_add(&a->next, 1) % a->n_tokens];
  return &r->base;
}

static const ProtobufCMessage *ask_token(void *user, size_t flight)
{
  struct asker *a = user;
  GetAccessTokenRequest *r = &a->requests[flight].token;
  r->dealer_ref = a->ids[atomic_fetch_add(&a->next, 1) % a->n_dealers];
  return &r->base;
}

static void init_authenticate(union request *r)
{
  analytics__auth__v1__authenticate_request__init(&r->authenticate);
}

static void init_token(union request *r)
{
  analytics__auth__v1__get_access_token_request__init(&r->token);
  r->token.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r->token.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
}

static void init_cohort(union request *r)
{
  analytics__auth__v1__resolve_cohort_request__init(&r->cohort);
  r->cohort.subject_dealer_id = (char *)(uintptr_t) "d00001";
}

static void init_list(union request *r)
{
  analytics__auth__v1__list_dealers_request__init(&r->list);
}

static bool is_grant(const ProtobufCMessage *m)
{
  return ((const AuthenticateResponse *)m)->sealed.len > 0;
}

static bool is_token(const ProtobufCMessage *m)
{
  return ((const GetAccessTokenResponse *)m)->access_token[0] != '\0';
}

static bool is_cohort(const ProtobufCMessage *m)
{
  return ((const ResolveCohortResponse *)m)->n_members > 1;
}

static bool is_list(const ProtobufCMessage *m)
{
  return ((const ListDealersResponse *)m)->n_dealers > 1;
}

/* ------------------------------------------------------------------------- cases */

struct bench_case {
  const char *name;
  const char *method;
  const char *role; /* whose grant the calls carry; NULL for Authenticate */
  void (*init)(union request *r);
  const ProtobufCMessage *(*ask)(void *user, size_t flight);
  bool (*is_right)(const ProtobufCMessage *answer);
};

static const struct bench_case cases[] = {
    {"token", "GetAccessToken", "admin", init_token, ask_token, is_token},
    {"token-listed", "GetAccessToken", "listed", init_token, ask_token, is_token},
    {"cohort", "ResolveCohort", "dealer", init_cohort, ask_same, is_cohort},
    {"list", "ListDealers", "admin", init_list, ask_same, is_list},
    {"account", "Authenticate", NULL, init_authenticate, ask_authenticate, is_grant},
    {"RS256", "Authenticate", NULL, init_authenticate, ask_authenticate, is_grant},
    {"ES256", "Authenticate", NULL, init_authenticate, ask_authenticate, is_grant},
    {"EdDSA", "Authenticate", NULL, init_authenticate, ask_authenticate, is_grant},
    {"HS256", "Authenticate", NULL, init_authenticate, ask_authenticate, is_grant},
};

/* "RS256-new" is the case RS256 with another token each call. */
static const struct bench_case *find_case(const char *name, bool *other_each_call)
{
  size_t n = strlen(name);
  *other_each_call = n > 4 && strcmp(name + n - 4, "-new") == 0;
  n -= *other_each_call ? 4 : 0;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    if (strlen(cases[i].name) == n && strncmp(cases[i].name, name, n) == 0)
      return &cases[i];
  return NULL;
}

static void load_tokens(struct asker *a, const struct bench_case *c, bool other_each_call)
{
  if (strcmp(c->name, "account") == 0) {
    a->text = world_read(NULL, a->dir, "bearer-account");
    a->tokens = xcalloc(1, sizeof(*a->tokens));
    a->tokens[0] = a->text;
    a->n_tokens = 1;
  } else {
    a->text = world_read(NULL, a->dir, "tokens-%s", c->name);
    a->tokens = world_lines(&a->n_tokens, a->text);
    a->n_tokens = other_each_call ? a->n_tokens : 1;
  }
}

static void asker_init(struct asker *a, const struct bench_case *c, bool other_each_call,
                       size_t in_flight)
{
  a->requests = xcalloc(in_flight, sizeof(*a->requests));
  for (size_t i = 0; i < in_flight; i++)
    c->init(&a->requests[i]);
  a->ids = xcalloc(a->n_dealers, sizeof(*a->ids));
  for (size_t i = 0; i < a->n_dealers; i++)
    world_dealer_id(a->ids[i], i);
  if (c->role == NULL)
    load_tokens(a, c, other_each_call);
}

static void asker_clear(struct asker *a)
{
  free(a->requests);
  free(a->ids);
  free(a->tokens);
  free(a->text);
}

/* The sealed grant of a role. */
static enum err_code get_grant(ProtobufCMessage **out, struct rpc_channel *ch, const char *dir,
                               const char *role, size_t n_dealers, struct err *e)
{
  AuthenticateRequest r;
  analytics__auth__v1__authenticate_request__init(&r);
  AUTO_FREE char *bearer = world_read(NULL, dir, "bearer-%s-%zu", role, n_dealers);
  r.bearer_token = bearer;
  return rpc_client_call_sync(out, ch, SERVICE, "Authenticate", &r.base, NULL, e);
}

/* Every dealer's token once, so that the cache answers from then on. */
static enum err_code fill_cache(struct rpc_channel *ch, struct asker *a,
                                const struct rpc_client_options *o, struct err *e)
{
  for (size_t i = 0; i < a->n_dealers; i++) {
    ProtobufCMessage *answer = NULL;
    if (rpc_client_call_sync(&answer, ch, SERVICE, "GetAccessToken", ask_token(a, 0), o, e) !=
        ERR_OK)
      return e->code;
    protobuf_c_message_free_unpacked(answer, NULL);
  }
  return ERR_OK;
}

static enum err_code run_case(struct rpc_channel *ch, const struct bench_case *c, struct asker *a,
                              size_t in_flight, int seconds, struct err *e)
{
  ProtobufCMessage *grant = NULL;
  if (c->role != NULL && get_grant(&grant, ch, a->dir, c->role, a->n_dealers, e) != ERR_OK)
    return e->code;
  const AuthenticateResponse *g = (const AuthenticateResponse *)grant;
  const struct rpc_metadata metadata = {RPC_META_GRANT, g != NULL ? g->sealed.data : NULL,
                                        g != NULL ? g->sealed.len : 0};
  const struct rpc_client_options options = {.metadata = &metadata, .n_metadata = g != NULL};
  const struct bench_load load = {.channel = ch,
                                  .service = SERVICE,
                                  .method = c->method,
                                  .options = &options,
                                  .in_flight = in_flight,
                                  .seconds = seconds,
                                  .request = c->ask,
                                  .is_right = c->is_right,
                                  .user = a};
  enum err_code code = c->ask == ask_token ? fill_cache(ch, a, &options, e) : ERR_OK;
  if (code == ERR_OK)
    code = bench_load_run(&load, e);
  if (grant != NULL)
    protobuf_c_message_free_unpacked(grant, NULL);
  return code;
}

/* --------------------------------------------------------------------- commands */

static bool read_number(const char *s, size_t max, size_t *out)
{
  char *end;
  unsigned long n = strtoul(s, &end, 10);
  *out = n;
  return *s != '\0' && *end == '\0' && n >= 1 && n <= max;
}

static int run_make(int argc, char **argv)
{
  size_t sizes[8], n = 0;
  for (int i = 1; i < argc; i++)
    if (n == ARRAY_LEN(sizes) || !read_number(argv[i], 99999, &sizes[n++]))
      return usage(stderr);
  world_make(argv[0], sizes, n);
  return 0;
}

static int run_endpoint(void)
{
  /* As long as Google's. */
  static const char body[] =
      "{\"access_token\":\"ya29."
      "a0AbVbY6Nbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbench"
      "benchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbenchbench"
      "benchbenchbench0163\",\"expires_in\":3599,\"token_type\":\"Bearer\"}";
  struct fake_endpoint *f = fake_start();
  fake_set(f, &(struct fake_answer){.status = 200, .body = body});
  printf("%s\n", fake_url(f));
  fflush(stdout);
  bench_wait_for_end();
  fake_stop(f);
  return 0;
}

static int run_load(char **argv)
{
  struct err e = {0};
  struct asker a = {.dir = argv[1]};
  size_t in_flight, seconds;
  bool other_each_call;
  const struct bench_case *c = find_case(argv[3], &other_each_call);
  if (c == NULL || !read_number(argv[2], MAX_DEALERS, &a.n_dealers) ||
      !read_number(argv[4], MAX_IN_FLIGHT, &in_flight) ||
      !read_number(argv[5], MAX_SECONDS, &seconds))
    return usage(stderr);
  struct rpc_channel *ch = NULL;
  const struct rpc_channel_options options = {.target = argv[0], .name = "auth-svc"};
  asker_init(&a, c, other_each_call, in_flight);
  if (rpc_channel_new(&ch, &options, &e) == ERR_OK)
    run_case(ch, c, &a, in_flight, (int)seconds, &e);
  rpc_channel_free(ch);
  asker_clear(&a);
  return e.code == ERR_OK ? 0 : complain(&e);
}

static int run_grant(char **argv)
{
  struct err e = {0};
  size_t n_dealers;
  if (!read_number(argv[2], MAX_DEALERS, &n_dealers))
    return usage(stderr);
  struct rpc_channel *ch = NULL;
  ProtobufCMessage *grant = NULL;
  const struct rpc_channel_options options = {.target = argv[0], .name = "auth-svc"};
  if (rpc_channel_new(&ch, &options, &e) == ERR_OK &&
      get_grant(&grant, ch, argv[1], argv[3], n_dealers, &e) == ERR_OK) {
    const AuthenticateResponse *r = (const AuthenticateResponse *)grant;
    printf("%zu dealers %zu bytes\n", r->grant->n_dealer_ids, r->sealed.len);
    protobuf_c_message_free_unpacked(grant, NULL);
  }
  rpc_channel_free(ch);
  return e.code == ERR_OK ? 0 : complain(&e);
}

int main(int argc, char **argv)
{
  const char *command = argc > 1 ? argv[1] : "";
  int status;
  size_t n_dealers, rounds;
  if (strcmp(command, "--help") == 0)
    return usage(stdout);
  if (strcmp(command, "--version") == 0)
    return printf("%s\n", AMCP_VERSION) < 0;
  if (strcmp(command, "make") == 0 && argc > 3)
    return run_make(argc - 2, argv + 2);
  if (strcmp(command, "endpoint") == 0 && argc == 2)
    return run_endpoint();
  if (strcmp(command, "parts") == 0 && argc == 5 && read_number(argv[3], MAX_DEALERS, &n_dealers) &&
      read_number(argv[4], 9, &rounds))
    return parts_run(argv[2], n_dealers, rounds);
  bool load = strcmp(command, "load") == 0 && argc == 8;
  if (!load && (strcmp(command, "grant") != 0 || argc != 6))
    return usage(stderr);
  rpc_init();
  status = load ? run_load(argv + 2) : run_grant(argv + 2);
  rpc_shutdown();
  return status;
}
