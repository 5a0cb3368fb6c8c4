/* A process that is killed between the arrival of a new refresh token and its use.
 *
 * The token endpoint here voids a refresh token in the moment it gives the next one, so a
 * token that is lost means a dealer who must consent again. The broker runs as a child
 * process that is killed with SIGKILL and started again, as Kubernetes would. A nursery forks the
 * brokers: a process without threads, so that what all need is loaded and bound once. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth-svc/token/tokens.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

/* ----------------------------------------------------------------------- the nursery */

/* What a broker does until it is killed; otherwise its exit code. */
typedef int broker_run(const char *dir, int number);

struct nursery {
  pid_t pid;
  int orders; /* numbers of brokers to start, and answers */
  int out;    /* what the brokers say */
};

static bool receive(int fd, int *word)
{
  return recv(fd, word, sizeof(*word), 0) == sizeof(*word);
}

static void answer_word(int fd, int word)
{
  if (send(fd, &word, sizeof(word), MSG_NOSIGNAL) != sizeof(word))
    _exit(3);
}

/* Starts a broker when it gets a number, kills it with the next word, and so on until the other
 * side is closed: then no broker is left either. */
static void tend(int orders, broker_run *run, const char *dir)
{
  int word, status;
  log_init("child", LOG_LEVEL_OFF);
  while (receive(orders, &word)) {
    pid_t pid = fork();
    if (pid == 0)
      _exit(run(dir, word));
    answer_word(orders, pid);
    bool goes_on = receive(orders, &word);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    if (!goes_on)
      break;
    answer_word(orders, status);
  }
  _exit(0);
}

/* Before the case has threads. `unused` is closed there; -1 for none. */
static struct nursery nursery_open(broker_run *run, const char *dir, int unused)
{
  struct nursery n = {0};
  int sockets[2], pipes[2];
  CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
  CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
  n.pid = fork();
  if (n.pid == 0) {
    close(unused);
    close(sockets[0]);
    close(pipes[0]);
    dup2(pipes[1], STDOUT_FILENO);
    tend(sockets[1], run, dir);
  }
  close(sockets[1]);
  close(pipes[1]);
  n.orders = sockets[0];
  n.out = pipes[0];
  return n;
}

static void nursery_close(struct nursery *n)
{
  int status = -1;
  close(n->orders);
  waitpid(n->pid, &status, 0);
  CU_ASSERT_EQUAL(status, 0);
  close(n->out);
}

/* What the kernel was given survives a kill, synced or not: so a sync is a disk's pause here, and
 * takes no longer on one that is busy. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
  (void)fd;
  return usleep(200 + (useconds_t)random_below(800));
}

/* ------------------------------------------------------------------------- the child */

static atomic_llong ahead_ms;

static int64_t hours_fly(void)
{
  return clock_mono_ms() + atomic_load(&ahead_ms);
}

struct wait {
  struct wait_once end;
  struct err error;
};

static void on_ready(void *user, const struct token_result *r)
{
  struct wait *w = user;
  w->error = r->error;
  wait_once_over(&w->end);
}

/* 'u' for a token that was used, 'x' for consent that is needed. */
static void say(char c)
{
  if (write(STDOUT_FILENO, &c, 1) != 1)
    _exit(4);
}

static void use_one_token(struct tokens *t, struct credential *c)
{
  struct wait w = {.end = WAIT_ONCE_INIT};
  tokens_get(t, "acc", c, NULL, tokens_wait_id(t), on_ready, &w);
  wait_once(&w.end);
  if (w.error.code == ERR_OK)
    say('u');
  else if (strcmp(w.error.reason, "invalid_grant") == 0)
    say('x');
  else
    usleep(500);
  atomic_fetch_add(&ahead_ms, 3600 * 1000); /* it has expired: the next one is needed */
}

/* ---------------------------------------------------------------------- the endpoint */

static struct endpoint {
  int listener;
  pthread_t thread;
  char url[64];
  bool grace;            /* the last token but one is good until the last one is used */
  atomic_int given;      /* number of the newest refresh token */
  atomic_int give_up_to; /* asked for more than that, it does not answer */
  atomic_int refused;
} endpoint;

static int broker(const char *dir, int number)
{
  struct token_store *store = NULL;
  struct http_client *http = NULL;
  const struct http_client_options client = {.user_agent = "test"};
  const struct token_store_options disk = {.dir = dir};
  (void)number;
  if (token_store_open(&store, &disk, NULL) != ERR_OK ||
      http_client_new(&http, &client, NULL) != ERR_OK)
    return 5;
  const struct tokens_options options = {
      .env.http = http, .store = store, .backoff_base_ms = 1, .mono_ms = hours_fly};
  struct tokens *t = tokens_new(&options);
  struct credential *c =
      credential_new_refresh_token("id", "secret", "refresh-0.", endpoint.url, NULL, false);
  for (;;)
    use_one_token(t, c);
}

static int read_form(int fd, char *buf, size_t size)
{
  size_t len = 0;
  while (len + 1 < size) {
    ssize_t n = read(fd, buf + len, size - 1 - len);
    if (n <= 0)
      return -1;
    len += (size_t)n;
    buf[len] = '\0';
    const char *token = strstr(buf, "refresh_token=refresh-");
    if (token != NULL && strstr(token, "grant_type=refresh_token") != NULL)
      return (int)strtol(token + 22, NULL, 10);
  }
  return -1;
}

static void reply(int fd, int status, const char *body)
{
  AUTO_FREE char *text = xasprintf("HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n"
                                   "Content-Type: application/json\r\n\r\n%s",
                                   status, strlen(body), body);
  if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
    return;
}

static void answer(int fd, int number)
{
  int newest = atomic_load(&endpoint.given);
  if (number < 0 || newest >= atomic_load(&endpoint.give_up_to))
    return;
  if (number != newest && !(endpoint.grace && number == newest - 1)) {
    atomic_fetch_add(&endpoint.refused, 1);
    reply(fd, 400, "{\"error\":\"invalid_grant\"}");
    return;
  }
  int next = number + 1;
  atomic_store(&endpoint.given, next);
  AUTO_FREE char *body = xasprintf("{\"access_token\":\"access-%d\",\"expires_in\":3600,"
                                   "\"refresh_token\":\"refresh-%d.\"}",
                                   next, next);
  reply(fd, 200, body);
}

static void *serve(void *arg)
{
  (void)arg;
  int fd;
  char request[8192];
  while ((fd = accept(endpoint.listener, NULL, NULL)) >= 0) {
    answer(fd, read_form(fd, request, sizeof(request)));
    close(fd);
  }
  return NULL;
}

/* The address alone: nobody answers before endpoint_start(). */
static void endpoint_listen(bool grace)
{
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(addr);
  endpoint.grace = grace;
  atomic_store(&endpoint.given, 0);
  atomic_store(&endpoint.refused, 0);
  endpoint.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(bind(endpoint.listener, (struct sockaddr *)&addr, len), 0);
  CU_ASSERT_EQUAL_FATAL(listen(endpoint.listener, 16), 0);
  getsockname(endpoint.listener, (struct sockaddr *)&addr, &len);
  snprintf(endpoint.url, sizeof(endpoint.url), "http://127.0.0.1:%d/token", ntohs(addr.sin_port));
}

static void endpoint_start(void)
{
  CU_ASSERT_EQUAL_FATAL(pthread_create(&endpoint.thread, NULL, serve, NULL), 0);
}

/* Waits until the connections made so far are dealt with: what a killed broker still asked
 * must not be answered when the next one runs. */
static void endpoint_settle(void)
{
  struct sockaddr_in addr;
  socklen_t len = sizeof(addr);
  char c;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  getsockname(endpoint.listener, (struct sockaddr *)&addr, &len);
  CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&addr, len), 0);
  shutdown(fd, SHUT_WR);
  while (read(fd, &c, 1) > 0)
    ;
  close(fd);
}

static void endpoint_stop(void)
{
  shutdown(endpoint.listener, SHUT_RDWR);
  pthread_join(endpoint.thread, NULL);
  close(endpoint.listener);
}

/* ------------------------------------------------------------------------- the parent */

/* Kills of a case; 200, or as many as AMCP_STORE_KILLS says. */
static int kills(void)
{
  const char *text = getenv("AMCP_STORE_KILLS");
  int n = text != NULL ? (int)strtol(text, NULL, 10) : 0;
  return n > 0 ? n : 200;
}

struct broker {
  pid_t pid;
  int used, refused, resealed;
};

static struct broker broker_start(const struct nursery *n, int number)
{
  struct broker b = {0};
  CU_ASSERT_EQUAL_FATAL(send(n->orders, &number, sizeof(number), MSG_NOSIGNAL), sizeof(number));
  CU_ASSERT_TRUE_FATAL(receive(n->orders, &b.pid));
  return b;
}

/* All that it said is in the pipe once it is gone. */
static void broker_kill(const struct nursery *n, struct broker *b)
{
  struct pollfd said = {.fd = n->out, .events = POLLIN};
  int status = 0;
  char c;
  CU_ASSERT_EQUAL_FATAL(send(n->orders, &status, sizeof(status), MSG_NOSIGNAL), sizeof(status));
  CU_ASSERT_TRUE_FATAL(receive(n->orders, &status));
  CU_ASSERT_TRUE(WIFSIGNALED(status));
  while (poll(&said, 1, 0) == 1 && read(n->out, &c, 1) == 1) {
    b->used += c == 'u';
    b->refused += c == 'x';
    b->resealed += c == 'r';
  }
}

/* Whether the file holds the refresh token of this number; it is kept unsealed here. */
static bool on_disk(const char *dir, int number)
{
  static char text[1 << 16];
  char token[32];
  AUTO_FREE char *path = xasprintf("%s/refresh-tokens", dir);
  snprintf(token, sizeof(token), "refresh-%d.", number);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
  if (fd >= 0)
    close(fd);
  return n > 0 && memmem(text, (size_t)n, token, strlen(token)) != NULL;
}

static bool wait_until_on_disk(const char *dir, int number)
{
  int64_t end = clock_mono_ms() + 20000;
  while (clock_mono_ms() < end) {
    if (on_disk(dir, number))
      return true;
    usleep(50);
  }
  return false;
}

/* From the moment the token has been taken out of the process's hands, at a random point of
 * sync, rename, use and what follows. */
static void killed_between_arrival_and_use_nothing_is_lost(void)
{
  AUTO_FREE char *dir = folder_make();
  int before_use = 0, refused = 0;
  const int all = kills();
  atomic_store(&endpoint.give_up_to, 0);
  endpoint_listen(false);
  struct nursery n = nursery_open(broker, dir, endpoint.listener);
  endpoint_start();
  for (int i = 0; i < all; i++) {
    int last = atomic_load(&endpoint.given) + 1 + (int)random_below(4), first = last;
    first = atomic_load(&endpoint.given);
    atomic_store(&endpoint.give_up_to, last);
    struct broker b = broker_start(&n, 0);
    bool arrived = wait_until_on_disk(dir, last);
    CU_ASSERT_TRUE(arrived);
    usleep((useconds_t)random_below(6000));
    broker_kill(&n, &b);
    endpoint_settle();
    before_use += b.used < last - first;
    refused += b.refused;
    if (!arrived)
      break;
  }
  printf("%d of %d kills before the use ", before_use, all);
  CU_ASSERT_EQUAL(refused, 0);
  CU_ASSERT_EQUAL(atomic_load(&endpoint.refused), 0);
  CU_ASSERT_TRUE(before_use > 0 && before_use < all);
  /* And the last survivor works too. */
  int last = atomic_load(&endpoint.given) + 1;
  atomic_store(&endpoint.give_up_to, last);
  struct broker b = broker_start(&n, 0);
  CU_ASSERT_TRUE(wait_until_on_disk(dir, last));
  broker_kill(&n, &b);
  endpoint_settle();
  CU_ASSERT_EQUAL(atomic_load(&endpoint.refused), 0);
  nursery_close(&n);
  endpoint_stop();
  folder_remove(dir);
}

/* At any time at all, with an endpoint that forgives a token that got lost on its way. */
static void killed_at_any_time_an_endpoint_with_grace_loses_nothing(void)
{
  AUTO_FREE char *dir = folder_make();
  endpoint_listen(true);
  struct nursery n = nursery_open(broker, dir, endpoint.listener);
  endpoint_start();
  for (int i = 0; i < kills() / 4; i++) {
    int first = atomic_load(&endpoint.given);
    atomic_store(&endpoint.give_up_to, 1 << 30);
    struct broker b = broker_start(&n, 0);
    for (int k = 0; k < 20000 && atomic_load(&endpoint.given) <= first + 1; k++)
      usleep(500);
    usleep((useconds_t)random_below(8000));
    broker_kill(&n, &b);
    endpoint_settle();
    CU_ASSERT_EQUAL(b.refused, 0);
  }
  CU_ASSERT_EQUAL(atomic_load(&endpoint.refused), 0);
  nursery_close(&n);
  endpoint_stop();
  folder_remove(dir);
}

/* -------------------------------------------------------------- kills in a re-seal */

#define KEY_1 "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_2 "k2: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
enum { TOKENS = 100 };

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  if (keyring_parse(&k, "RING", text, strlen(text), NULL) != ERR_OK)
    abort();
  return k;
}

static void on_kept(void *user, const struct err *error, bool final)
{
  if (final && error->code != ERR_OK)
    _exit(6);
  if (final)
    wait_once_over(user);
}

/* Changes the key to and fro without end, and keeps a token each time; 'r' for each file that
 * was sealed again. Odd numbers begin with the other key. */
static int resealing_broker(const char *dir, int number)
{
  static const uint8_t fingerprint[SHA256_SIZE] = {7};
  static const char *const rings[] = {KEY_1 KEY_2, KEY_2 KEY_1};
  struct token_store *store = NULL;
  struct key_use use;
  struct keyring *ring = ring_of(rings[number % 2]);
  const struct token_store_options disk = {.dir = dir, .keyring = ring};
  if (token_store_open(&store, &disk, NULL) != ERR_OK)
    return 5;
  for (;;) {
    struct keyring *next = ring_of(rings[++number % 2]);
    struct wait_once kept = WAIT_ONCE_INIT;
    token_store_set_keyring(store, next);
    AUTO_SECRET struct secret *token = secret_from("a new token");
    token_store_put(store, "moving", fingerprint, token, on_kept, &kept);
    wait_once(&kept); /* in a file that the new key sealed */
    token_store_key_use(store, &use);
    if (key_use_has_other(&use, keyring_id(next, 0)))
      return 7;
    say('r');
    keyring_unref(next);
  }
}

static void count_stored(void *user, const struct err *error, bool final)
{
  if (final && error->code == ERR_OK)
    atomic_fetch_add((atomic_int *)user, 1);
}

/* A credential of its own for each account. */
static void own_fingerprint(const char *account, uint8_t out[SHA256_SIZE])
{
  sha256_of(account, strlen(account), out);
}

static void fill_store(const char *dir, struct keyring *ring)
{
  const struct token_store_options disk = {.dir = dir, .keyring = ring};
  struct token_store *store = NULL;
  atomic_int stored = 0;
  CU_ASSERT_EQUAL_FATAL(token_store_open(&store, &disk, NULL), ERR_OK);
  for (int i = 0; i < TOKENS; i++) {
    char account[16], text[32];
    snprintf(account, sizeof(account), "a%03d", i);
    snprintf(text, sizeof(text), "token-%d", i);
    uint8_t fingerprint[SHA256_SIZE];
    own_fingerprint(account, fingerprint);
    AUTO_SECRET struct secret *token = secret_from(text);
    token_store_put(store, account, fingerprint, token, count_stored, &stored);
  }
  token_store_close(store);
  CU_ASSERT_EQUAL(atomic_load(&stored), TOKENS);
}

/* Tokens that are missing or wrong; -1 when the store does not open. */
static int count_lost(const char *dir, struct keyring *ring)
{
  const struct token_store_options disk = {.dir = dir, .keyring = ring};
  struct token_store *store = NULL;
  struct err e = {0};
  int lost = 0;
  if (token_store_open(&store, &disk, &e) != ERR_OK) {
    printf("\n  %s\n", e.message);
    return -1;
  }
  for (int i = 0; i < TOKENS; i++) {
    char account[16], text[32];
    snprintf(account, sizeof(account), "a%03d", i);
    snprintf(text, sizeof(text), "token-%d", i);
    uint8_t fingerprint[SHA256_SIZE];
    own_fingerprint(account, fingerprint);
    AUTO_SECRET struct secret *token = token_store_get(store, account, fingerprint);
    lost += token == NULL || strcmp(secret_text(token), text) != 0;
  }
  token_store_close(store);
  return lost;
}

static bool is_being_written(const char *dir)
{
  AUTO_FREE char *path = xasprintf("%s/refresh-tokens.new", dir);
  return access(path, F_OK) == 0;
}

/* At a random point of writing, syncing and renaming the file under the new key. */
static void killed_while_the_store_is_sealed_again_nothing_is_lost(void)
{
  AUTO_FREE char *dir = folder_make();
  AUTO_KEYRING struct keyring *ring = ring_of(KEY_1 KEY_2);
  int in_the_middle = 0, resealed = 0;
  const int all = kills();
  struct nursery n = nursery_open(resealing_broker, dir, -1);
  fill_store(dir, ring);
  for (int i = 0; i < all; i++) {
    char c;
    struct broker b = broker_start(&n, i);
    CU_ASSERT_EQUAL(read(n.out, &c, 1), 1); /* it is at it */
    for (int k = 0; k < 20000 && !is_being_written(dir); k++)
      usleep(50);
    usleep((useconds_t)random_below(i % 2 == 0 ? 500 : 8000));
    kill(b.pid, SIGSTOP); /* so that what is looked at is what the kill meets */
    in_the_middle += is_being_written(dir);
    broker_kill(&n, &b);
    resealed += b.resealed + 1;
    int lost = count_lost(dir, ring);
    CU_ASSERT_EQUAL(lost, 0);
    if (lost != 0)
      break;
  }
  printf("%d of %d kills while the new file was written, %d times sealed again ", in_the_middle,
         all, resealed);
  CU_ASSERT_TRUE(in_the_middle > all / 10);
  nursery_close(&n);
  folder_remove(dir);
}

TEST_MAIN("auth token crash", TEST(killed_between_arrival_and_use_nothing_is_lost),
          TEST(killed_at_any_time_an_endpoint_with_grace_loses_nothing),
          TEST(killed_while_the_store_is_sealed_again_nothing_is_lost))
