/* The audit log: what is done to a line shows, and what cannot be written is refused. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/audit/audit.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

#define KEYS                                                                                       \
  "a: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"                          \
  "b: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char folder[64];
static char path[96];
static struct keyring *ring;

static void clean(void)
{
  AUTO_FREE char *command = xasprintf("rm -rf %s", folder);
  if (folder[0] != '\0' && system(command) != 0)
    perror(command);
  keyring_unref(ring);
}

/* An empty folder for each test. */
static void set_up(void)
{
  if (folder[0] == '\0') {
    snprintf(folder, sizeof(folder), "/tmp/auth-audit-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/audit.log", folder);
    CU_ASSERT_EQUAL_FATAL(keyring_parse(&ring, "RING", KEYS, strlen(KEYS), NULL), ERR_OK);
    atexit(clean);
  }
  AUTO_FREE char *command = xasprintf("rm -f %s/*", folder);
  CU_ASSERT_EQUAL(system(command), 0);
}

/* No two lines are of the same time. */
static int64_t test_clock(void)
{
  static atomic_llong now_ms = 1764460800000;
  return atomic_fetch_add(&now_ms, 1);
}

static struct audit *open_with(const struct keyring *keys, uint64_t max_bytes)
{
  const struct audit_options options = {.path = path,
                                        .keyring = keys,
                                        .fsync = AUDIT_FSYNC_NEVER,
                                        .max_bytes = max_bytes,
                                        .unix_ms = test_clock};
  struct audit *a = NULL;
  struct err e = {0};
  if (audit_open(&a, &options, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  return a;
}

static enum err_code write_one(struct audit *a, const char *subject)
{
  const struct audit_event event = {
      .event = "authenticate", .result = "ok", .subject = subject, .role = "admin"};
  struct err e = {0};
  return audit_write(a, &event, &e);
}

static void write_lines(const struct keyring *keys, int n)
{
  struct audit *a = open_with(keys, 0);
  for (int i = 0; i < n; i++)
    CU_ASSERT_EQUAL(write_one(a, "ann"), ERR_OK);
  audit_close(a);
}

static char *slurp(const char *file, size_t *len)
{
  static char text[1 << 20];
  FILE *f = fopen(file, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  *len = fread(text, 1, sizeof(text) - 1, f);
  fclose(f);
  return xstrndup(text, *len);
}

static void spill(const char *file, const char *text, size_t len)
{
  FILE *f = fopen(file, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  CU_ASSERT_EQUAL(fwrite(text, 1, len, f), len);
  fclose(f);
}

struct first {
  size_t line;
  char what[256];
};

static void note_first(void *user, const char *file, size_t line, const char *what)
{
  struct first *f = user;
  (void)file;
  if (f->line != 0)
    return;
  f->line = line;
  snprintf(f->what, sizeof(f->what), "%s", what);
}

/* Number of faults; -1 when it cannot be checked. */
static int verify_files(const char *const *files, size_t n, const struct keyring *keys,
                        bool allow_unkeyed, struct first *first)
{
  struct audit_findings findings;
  struct err e = {0};
  *first = (struct first){0};
  enum err_code code =
      audit_verify(&findings, files, n, keys, allow_unkeyed, note_first, first, &e);
  return code == ERR_OK ? (int)findings.n : -1;
}

static int verify(const struct keyring *keys, struct first *first)
{
  const char *file = path;
  return verify_files(&file, 1, keys, false, first);
}

static void an_untouched_log_has_no_fault_with_and_without_keys(void)
{
  struct first first;
  set_up();
  write_lines(ring, 20);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
  CU_ASSERT_EQUAL(verify(NULL, &first), -1); /* keyed lines need the keys */
  set_up();
  write_lines(NULL, 20);
  CU_ASSERT_EQUAL(verify(NULL, &first), 0);
}

static void a_change_of_any_byte_names_its_line(void)
{
  struct first first;
  size_t len, line = 1;
  set_up();
  write_lines(ring, 4);
  AUTO_FREE char *text = slurp(path, &len);
  for (size_t i = 0; i < len; i++) {
    size_t at = line;
    line += text[i] == '\n';
    text[i] ^= 1;
    spill(path, text, len);
    text[i] ^= 1;
    int n = verify(ring, &first);
    /* A change inside "key" may name a key that is not there: that is an error of its own. */
    CU_ASSERT_TRUE(n != 0);
    if (n > 0 && first.line != at)
      printf("\n  byte %zu: line %zu named in place of %zu: %s\n", i, first.line, at, first.what);
    CU_ASSERT_TRUE(n < 0 || first.line == at);
  }
}

static const char *line_at(const char *text, int n, size_t *len)
{
  for (; n > 1; n--)
    text = strchr(text, '\n') + 1;
  *len = (size_t)(strchr(text, '\n') + 1 - text);
  return text;
}

/* Writes the lines with these numbers in this order. */
static void compose(const char *text, const int *numbers, size_t n)
{
  struct buf out = BUF_INIT(1 << 20);
  for (size_t i = 0; i < n; i++) {
    size_t len;
    const char *line = line_at(text, numbers[i], &len);
    buf_append(&out, line, len);
  }
  spill(path, buf_str(&out), out.len);
  buf_free(&out);
}

static void removed_reordered_and_repeated_lines_are_named(void)
{
  static const struct {
    int order[6];
    size_t n, line;
    const char *what;
  } table[] = {
      {{1, 2, 4, 5}, 4, 3, "line 3 is missing before it"},
      {{1, 2, 5}, 3, 3, "lines 3 to 4 are missing before it"},
      {{2, 3, 4, 5}, 4, 1, "lines are missing before it"},
      {{1, 3, 2, 4, 5}, 5, 2, "line 2 is missing before it"},
      {{1, 2, 3, 3, 4, 5}, 6, 4, "out of order or inserted"},
      {{1, 2, 3, 4}, 4, 4, "lines after it were cut off"},
      {{1}, 1, 1, "lines after it were cut off"},
  };
  size_t len;
  set_up();
  write_lines(ring, 5);
  AUTO_FREE char *text = slurp(path, &len);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct first first;
    compose(text, table[i].order, table[i].n);
    CU_ASSERT_TRUE(verify(ring, &first) > 0);
    CU_ASSERT_EQUAL(first.line, table[i].line);
    CU_ASSERT_PTR_NOT_NULL(strstr(first.what, table[i].what));
  }
}

static void a_line_of_another_log_does_not_fit_in(void)
{
  struct first first;
  size_t len, other_len;
  set_up();
  write_lines(ring, 3);
  AUTO_FREE char *other = slurp(path, &other_len);
  set_up();
  write_lines(ring, 3);
  AUTO_FREE char *text = slurp(path, &len);
  size_t one, two;
  const char *a = line_at(text, 1, &one), *b = line_at(other, 2, &two);
  AUTO_FREE char *mixed = xasprintf("%.*s%.*s%s", (int)one, a, (int)two, b, line_at(text, 3, &one));
  spill(path, mixed, strlen(mixed));
  CU_ASSERT_TRUE(verify(ring, &first) > 0);
  CU_ASSERT_EQUAL(first.line, 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(first.what, "does not follow the line before it"));
}

/* Whoever has no key can still compute SHA-256. */
static void a_chain_made_without_the_key_does_not_pass(void)
{
  struct first first;
  set_up();
  write_lines(NULL, 3);
  CU_ASSERT_EQUAL(verify(NULL, &first), 0);
  CU_ASSERT_EQUAL(verify(ring, &first), 3);
  CU_ASSERT_PTR_NOT_NULL(strstr(first.what, "has a plain hash though there is a keyring"));
  const char *file = path;
  CU_ASSERT_EQUAL(verify_files(&file, 1, ring, true, &first), 0);
  write_lines(ring, 1);
  write_lines(NULL, 1);
  CU_ASSERT_EQUAL(verify_files(&file, 1, ring, true, &first), 2); /* with the change of key */
  CU_ASSERT_EQUAL(first.line, 6);
  CU_ASSERT_PTR_NOT_NULL(strstr(first.what, "inserted without the key"));
}

static void the_chain_goes_on_after_a_restart_and_a_change_of_key(void)
{
  struct keyring *swapped = NULL;
  struct first first;
  static const char keys[] = "b: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
                             "a: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  set_up();
  write_lines(ring, 3);
  write_lines(ring, 2);
  keyring_parse(&swapped, "RING", keys, strlen(keys), NULL);
  struct audit *a = open_with(swapped, 0);
  CU_ASSERT_EQUAL(audit_seq(a), 6); /* a line tells of the key */
  CU_ASSERT_EQUAL(write_one(a, "bob"), ERR_OK);
  audit_close(a);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
  keyring_unref(swapped);
}

static void a_torn_line_is_dropped_and_a_changed_end_refuses_the_start(void)
{
  struct first first;
  struct audit *a = NULL;
  struct err e = {0};
  size_t len;
  set_up();
  write_lines(ring, 3);
  AUTO_FREE char *text = slurp(path, &len);
  AUTO_FREE char *torn = xasprintf("%s{\"audit\":1,\"se", text);
  spill(path, torn, strlen(torn));
  CU_ASSERT_EQUAL(verify(ring, &first), 1);
  CU_ASSERT_EQUAL(first.line, 4);
  CU_ASSERT_STRING_EQUAL(first.what, "is cut off: its end is missing");
  write_lines(ring, 1);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
  text[len - 100] ^= 1;
  spill(path, text, len);
  const struct audit_options options = {.path = path, .keyring = ring};
  CU_ASSERT_EQUAL(audit_open(&a, &options, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "audit_tampered");
  CU_ASSERT_PTR_NULL(a);
}

static void a_file_of_another_kind_is_left_as_it_is(void)
{
  static const char *const others[] = {"k1: a2V5\n", "k1: a2V5\nk0: b2xk", "{\"dealers\": []}\n\n",
                                       "no line at all", "\n"};
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    struct audit *a = NULL;
    struct err e = {0};
    size_t len;
    set_up();
    spill(path, others[i], strlen(others[i]));
    const struct audit_options options = {.path = path, .keyring = ring};
    CU_ASSERT_EQUAL(audit_open(&a, &options, &e), ERR_FAILED_PRECONDITION);
    CU_ASSERT_STRING_EQUAL(e.reason, "no_audit_log");
    AUTO_FREE char *text = slurp(path, &len);
    CU_ASSERT_STRING_EQUAL(text, others[i]);
  }
}

static void lines_cut_off_before_a_restart_leave_a_gap(void)
{
  static const int kept[] = {1, 2};
  struct first first;
  size_t len;
  set_up();
  write_lines(ring, 4);
  AUTO_FREE char *text = slurp(path, &len);
  compose(text, kept, 2);
  write_lines(ring, 1);
  CU_ASSERT_EQUAL(verify(ring, &first), 1);
  CU_ASSERT_EQUAL(first.line, 3);
  CU_ASSERT_PTR_NOT_NULL(strstr(first.what, "lines 3 to 4 are missing"));
}

static void a_large_file_is_renamed_and_the_chain_goes_on(void)
{
  struct first first;
  struct audit *a;
  set_up();
  a = open_with(ring, 2000);
  for (int i = 0; i < 20; i++)
    CU_ASSERT_EQUAL(write_one(a, "ann"), ERR_OK);
  uint64_t seq = audit_seq(a);
  audit_close(a);
  char *files[8] = {NULL};
  size_t n = 0;
  for (uint64_t i = 1; i <= seq && n < 7; i++) {
    AUTO_FREE char *name = xasprintf("%s.%012llu", path, (unsigned long long)i);
    if (access(name, F_OK) == 0)
      files[n++] = TAKE_PTR(name);
  }
  CU_ASSERT_TRUE(n >= 2);
  files[n] = path;
  CU_ASSERT_EQUAL(verify_files((const char *const *)files, n + 1, ring, false, &first), 0);
  CU_ASSERT_EQUAL(verify(ring, &first), 0); /* "continued" begins the newest */
  const char *gap[] = {files[0], path};
  CU_ASSERT_TRUE(verify_files(gap, 2, ring, false, &first) > 0);
  for (size_t i = 0; i < n; i++)
    free(files[i]);
}

static void limit_file_size(rlim_t bytes)
{
  struct rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
  CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_refuses_and_leaves_no_torn_line(void)
{
  struct first first;
  struct stat before, full;
  signal(SIGXFSZ, SIG_IGN);
  set_up();
  struct audit *a = open_with(ring, 0);
  write_one(a, "ann");
  CU_ASSERT_EQUAL(stat(path, &before), 0);
  limit_file_size((rlim_t)before.st_size + 100); /* half a line fits */
  CU_ASSERT_EQUAL(write_one(a, "bob"), ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(write_one(a, "bob"), ERR_UNAVAILABLE);
  CU_ASSERT_FALSE(audit_is_writable(a));
  CU_ASSERT_EQUAL(stat(path, &full), 0);
  CU_ASSERT_EQUAL(full.st_size, before.st_size);
  limit_file_size(0);
  CU_ASSERT_TRUE(audit_is_writable(a));
  CU_ASSERT_EQUAL(write_one(a, "cid"), ERR_OK);
  CU_ASSERT_EQUAL(audit_seq(a), 3); /* ann, audit_resumed, cid */
  audit_close(a);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
  size_t len;
  AUTO_FREE char *text = slurp(path, &len);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"audit_resumed\",\"result\":\"ok\",\"detail\":\"2 calls "
                                      "were refused\""));
  CU_ASSERT_PTR_NULL(strstr(text, "bob"));
}

static void a_deleted_file_is_noticed(void)
{
  size_t len;
  set_up();
  struct audit *a = open_with(ring, 0);
  write_one(a, "ann");
  unlink(path);
  CU_ASSERT_EQUAL(write_one(a, "bob"), ERR_OK);
  audit_close(a);
  AUTO_FREE char *text = slurp(path, &len);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"seq\":2,"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "the file before was moved or deleted"));
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "bob"));
}

static void only_one_process_writes_a_file(void)
{
  struct audit *second = NULL;
  struct err e = {0};
  set_up();
  struct audit *a = open_with(ring, 0);
  const struct audit_options options = {.path = path, .keyring = ring};
  CU_ASSERT_EQUAL(audit_open(&second, &options, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "audit_locked");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_AUDIT_FILE: another process writes /"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "each needs a file of its own"));
  audit_close(a);
  AUTO_FREE char *missing = xasprintf("%s/missing/audit.log", folder);
  const struct audit_options nowhere = {.path = missing};
  CU_ASSERT_EQUAL(audit_open(&second, &nowhere, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_AUDIT_FILE: cannot open /"));
}

static void long_and_strange_texts_stay_one_line(void)
{
  char name[1000];
  struct first first;
  set_up();
  memset(name, 'x', sizeof(name));
  name[sizeof(name) - 1] = '\0';
  struct audit *a = open_with(ring, 0);
  CU_ASSERT_EQUAL(write_one(a, name), ERR_OK);
  CU_ASSERT_EQUAL(write_one(a, "a\nb\",\"role\":\"admin\\"), ERR_OK);
  CU_ASSERT_EQUAL(write_one(a, "\xff\xfe"), ERR_OK);
  audit_close(a);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
  struct stat st;
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_TRUE(st.st_size < 2000);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
}

/* A log of before there were grant ids: an unkeyed line written by hand. */
static void lines_of_before_there_were_grants_still_verify(void)
{
  static const char old[] =
      "{\"audit\":1,\"seq\":1,\"time\":\"2026-11-01T00:00:00.000Z\",\"event\":\"authenticate\","
      "\"result\":\"ok\",\"subject\":\"ann\",\"role\":\"admin\",\"peer\":\"gateway\",\"trace_id\":"
      "\"4bf92f3577b34da6a3ce929d0e0e4736\",\"detail\":\"jwt\",\"prev\":"
      "\"00000000000000000000000000"
      "00000000000000000000000000000000000000\"";
  uint8_t hash[SHA256_SIZE];
  set_up();
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  sha256_of(old, sizeof(old) - 1, hash);
  fprintf(f, "%s,\"hash\":\"", old);
  for (size_t i = 0; i < sizeof(hash); i++)
    fprintf(f, "%02x", hash[i]);
  fputs("\"}\n", f);
  fclose(f);
  struct audit *a = open_with(NULL, 0);
  const struct audit_event event = {.event = "list_dealers", .result = "ok", .grant_id = "g-1"};
  CU_ASSERT_EQUAL(audit_write(a, &event, NULL), ERR_OK);
  audit_close(a);
  size_t len;
  AUTO_FREE char *text = slurp(path, &len);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"grant\":\"g-1\""));
  struct first first;
  CU_ASSERT_EQUAL(verify(NULL, &first), 0);
}

static void *write_many(void *arg)
{
  for (int i = 0; i < 200; i++)
    write_one(arg, "thread");
  return NULL;
}

static void lines_of_many_threads_make_one_chain(void)
{
  pthread_t threads[8];
  struct first first;
  set_up();
  const struct audit_options options = {
      .path = path, .keyring = ring, .fsync = AUDIT_FSYNC_SECOND, .max_bytes = 100000};
  struct audit *a = NULL;
  CU_ASSERT_EQUAL_FATAL(audit_open(&a, &options, NULL), ERR_OK);
  int64_t start = clock_mono_ns();
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_create(&threads[i], NULL, write_many, a);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  printf(" (%.1f us per line) ", (double)(clock_mono_ns() - start) / 1600 / 1000);
  CU_ASSERT_TRUE(audit_seq(a) >= 1600);
  audit_close(a);
  CU_ASSERT_EQUAL(verify(ring, &first), 0);
}

TEST_MAIN("auth audit", TEST(an_untouched_log_has_no_fault_with_and_without_keys),
          TEST(a_change_of_any_byte_names_its_line),
          TEST(removed_reordered_and_repeated_lines_are_named),
          TEST(a_line_of_another_log_does_not_fit_in),
          TEST(a_chain_made_without_the_key_does_not_pass),
          TEST(the_chain_goes_on_after_a_restart_and_a_change_of_key),
          TEST(a_torn_line_is_dropped_and_a_changed_end_refuses_the_start),
          TEST(a_file_of_another_kind_is_left_as_it_is),
          TEST(lines_cut_off_before_a_restart_leave_a_gap),
          TEST(a_large_file_is_renamed_and_the_chain_goes_on),
          TEST(a_full_disk_refuses_and_leaves_no_torn_line), TEST(a_deleted_file_is_noticed),
          TEST(only_one_process_writes_a_file), TEST(long_and_strange_texts_stay_one_line),
          TEST(lines_of_before_there_were_grants_still_verify),
          TEST(lines_of_many_threads_make_one_chain))
