/* The check in front of unpacking: what it refuses, and that what it accepts unpacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/guard.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

#define TREE (&amcp__test__v1__tree__descriptor)

/* Code for bytes given as a string literal, and the message in e. */
#define CHECK(bytes, e) guard_check(TREE, (const uint8_t *)(bytes), sizeof(bytes) - 1, (e))

static bool refused(enum err_code code, const struct err *e, const char *text)
{
  bool right = code == ERR_INVALID_ARGUMENT && strstr(e->message, text) != NULL;
  if (!right)
    printf("\n    got %d: %s\n", code, e->message);
  return right;
}

/* Writes the length of a tree nested `levels` deep in front of it, inside out. */
static size_t nested(uint8_t *out, size_t size, int levels)
{
  uint8_t *at = out + size;
  for (int i = 0; i < levels; i++) {
    size_t len = (size_t)(out + size - at);
    uint8_t head[6];
    size_t n = 0;
    head[n++] = 0x12; /* branches */
    for (; len > 0x7f; len >>= 7)
      head[n++] = (uint8_t)(len | 0x80);
    head[n++] = (uint8_t)len;
    at -= n;
    memcpy(at, head, n);
  }
  size_t total = (size_t)(out + size - at);
  memmove(out, at, total);
  return total;
}

static void nesting_is_limited_and_the_path_is_named(void)
{
  uint8_t bytes[1024];
  struct err e = {0};
  size_t n = nested(bytes, sizeof(bytes), GUARD_MAX_DEPTH);
  CU_ASSERT_EQUAL(guard_check(TREE, bytes, n, &e), ERR_OK);
  n = nested(bytes, sizeof(bytes), GUARD_MAX_DEPTH + 1);
  CU_ASSERT_TRUE(refused(guard_check(TREE, bytes, n, &e), &e, "nested deeper than 32"));
  CU_ASSERT_EQUAL(strncmp(e.message, "branches.branches.", 18), 0);
}

static void a_megabyte_of_nesting_is_refused_not_crashed(void)
{
  enum { SIZE = 1024 * 1024 };
  AUTO_FREE uint8_t *bytes = xmalloc(SIZE);
  struct err e = {0};
  size_t n = nested(bytes, SIZE, 200000);
  CU_ASSERT_EQUAL(guard_check(TREE, bytes, n, &e), ERR_INVALID_ARGUMENT);
}

static void broken_text_is_refused(void)
{
  struct err e = {0};
  CU_ASSERT_EQUAL(CHECK("\x0a\x06Käfer", &e), ERR_OK);
  CU_ASSERT_EQUAL(CHECK("\x0a\x04\xf0\x9f\x9a\x97", &e), ERR_OK); /* a car */
  CU_ASSERT_EQUAL(CHECK("\x0a\x00", &e), ERR_OK);
  CU_ASSERT_TRUE(refused(CHECK("\x0a\x03"
                               "a\0b",
                               &e),
                         &e, "name: holds a NUL character"));
  static const char *const broken[] = {"\xff",         "\xc3",         "\xc0\xaf",
                                       "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xe2\x82",     "12345678\x80", "\xf8\x88\x80\x80\x80"};
  for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
    uint8_t bytes[32] = {0x12, 0, 0x0a, 0}; /* branches { name } */
    size_t n = strlen(broken[i]);
    bytes[1] = (uint8_t)(n + 2);
    bytes[3] = (uint8_t)n;
    memcpy(bytes + 4, broken[i], n);
    CU_ASSERT_TRUE(
        refused(guard_check(TREE, bytes, n + 4, &e), &e, "branches.name: is not valid UTF-8"));
  }
  CU_ASSERT_EQUAL(CHECK("\x3a\x02\xff\x00", &e), ERR_OK); /* bytes may hold anything */
}

static void cut_off_messages_are_refused(void)
{
  struct err e = {0};
  CU_ASSERT_TRUE(refused(CHECK("\x0a\x05"
                               "abc",
                               &e),
                         &e, "name: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x0a", &e), &e, "name: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x30\x80", &e), &e, "years: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x5d\x01\x02\x03", &e), &e, "id32: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x61\x01\x02\x03\x04", &e), &e, "id64: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x12\x03\x0a\x05x", &e), &e, "branches.name: is cut off"));
  CU_ASSERT_TRUE(refused(CHECK("\x0a\xff\xff\xff\xff\x7f", &e), &e, "name"));
  CU_ASSERT_TRUE(refused(CHECK("\x80", &e), &e, "malformed field tag"));
}

static void malformed_fields_are_refused(void)
{
  struct err e = {0};
  CU_ASSERT_TRUE(refused(CHECK("\x08\x01", &e), &e, "name: has the wrong wire type"));
  CU_ASSERT_TRUE(refused(CHECK("\x32\x01\x01", &e), &e, "years: has the wrong wire type"));
  CU_ASSERT_TRUE(refused(CHECK("\x22\x03\x01\x02\x03", &e), &e, "heights: its packed values"));
  CU_ASSERT_TRUE(refused(CHECK("\x1a\x02\x01\x80", &e), &e, "rings: its packed values"));
  CU_ASSERT_TRUE(refused(CHECK("\xa3\x06\xa4\x06", &e), &e, "groups"));
  CU_ASSERT_TRUE(refused(CHECK("\x00\x00", &e), &e, "malformed field tag"));
  CU_ASSERT_TRUE(refused(CHECK("\xa7\x06", &e), &e, "groups"));       /* wire type 7 */
  CU_ASSERT_EQUAL(CHECK("\xa0\x06\x01", &e), ERR_OK);                 /* unknown, well-formed */
  CU_ASSERT_EQUAL(CHECK("\x1a\x03\x01\x80\x01\x18\x05", &e), ERR_OK); /* packed and not */
  CU_ASSERT_EQUAL(guard_check(TREE, NULL, 0, &e), ERR_OK);
}

/* xorshift64*: the same mutations in every run. */
static uint64_t state = 88172645463325252u;

static uint32_t random_to(uint32_t bound)
{
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (uint32_t)((state * 2685821657736338717u) >> 33) % bound;
}

/* A message with every kind of field. */
static size_t rich_tree(uint8_t *out)
{
  Tree leaf = AMCP__TEST__V1__TREE__INIT, branch = AMCP__TEST__V1__TREE__INIT;
  Tree root = AMCP__TEST__V1__TREE__INIT;
  Amcp__Test__V1__Tree__CountsEntry entry = AMCP__TEST__V1__TREE__COUNTS_ENTRY__INIT;
  entry.key = TEXT("acorns");
  entry.value = -7;
  Amcp__Test__V1__Tree__CountsEntry *entries[] = {&entry};
  int32_t rings[] = {1, 300, -5, 70000};
  double heights[] = {1.5, -2.25, 1e300};
  char *labels[] = {TEXT("grün"), TEXT(""), TEXT("a rather long label of more than a word")};
  protobuf_c_boolean flags[] = {1, 0, 1};
  uint32_t marks[] = {1, 0xffffffff};
  Amcp__Test__V1__Tree__Kind kinds[] = {AMCP__TEST__V1__TREE__KIND__KIND_OAK};
  Tree *leaves[] = {&leaf, &leaf}, *branches[] = {&branch, &leaf};
  leaf.name = TEXT("leaf");
  leaf.age_case = AMCP__TEST__V1__TREE__AGE_YEARS;
  leaf.years = -1;
  branch.branches = leaves;
  branch.n_branches = 2;
  branch.counts = entries;
  branch.n_counts = 1;
  branch.kinds = kinds;
  branch.n_kinds = 1;
  branch.evergreen = 1;
  root.name = TEXT("root");
  root.branches = branches;
  root.n_branches = 2;
  root.rings = rings;
  root.n_rings = 4;
  root.heights = heights;
  root.n_heights = 3;
  root.labels = labels;
  root.n_labels = 3;
  root.flags = flags;
  root.n_flags = 3;
  root.marks = marks;
  root.n_marks = 2;
  root.age_case = AMCP__TEST__V1__TREE__AGE_PARENT;
  root.parent = &branch;
  root.id32 = 7;
  root.id64 = -7;
  root.width = 0.5f;
  root.delta = -12345;
  root.kind = AMCP__TEST__V1__TREE__KIND__KIND_OAK;
  return protobuf_c_message_pack(&root.base, out);
}

/* One change: flip, set, insert, delete, cut, copy a part. */
static size_t mutate(uint8_t *b, size_t n, size_t max)
{
  size_t at = n > 0 ? random_to((uint32_t)n) : 0;
  switch (random_to(6)) {
  case 0:
    b[at] ^= (uint8_t)(1u << random_to(8));
    return n;
  case 1:
    b[at] = (uint8_t)random_to(256);
    return n;
  case 2:
    if (n == max)
      return n;
    memmove(b + at + 1, b + at, n - at);
    b[at] = (uint8_t)random_to(256);
    return n + 1;
  case 3:
    if (n < 2)
      return n;
    memmove(b + at, b + at + 1, n - at - 1);
    return n - 1;
  case 4:
    return random_to(8) == 0 ? at : n;
  default: {
    size_t len = 1 + random_to(24), to = random_to((uint32_t)n);
    if (at + len > n || to + len > n)
      return n;
    memmove(b + to, b + at, len);
    return n;
  }
  }
}

static void what_the_guard_accepts_unpacks(void)
{
  enum { ROUNDS = 150000, MAX = 1024 };
  uint8_t original[MAX], bytes[MAX];
  size_t size = rich_tree(original);
  struct err e = {0};
  CU_ASSERT_EQUAL(guard_check(TREE, original, size, &e), ERR_OK);
  int accepted = 0, rejected = 0, broken = 0;
  for (int i = 0; i < ROUNDS; i++) {
    memcpy(bytes, original, size);
    size_t n = size;
    for (uint32_t k = random_to(6); n > 0; k--) {
      n = mutate(bytes, n, MAX);
      if (k == 0)
        break;
    }
    /* An exact heap copy, so that reading past the end is seen. */
    AUTO_FREE uint8_t *copy = xmalloc(n + (n == 0));
    memcpy(copy, bytes, n);
    if (guard_check(TREE, copy, n, &e) != ERR_OK) {
      rejected++;
      continue;
    }
    accepted++;
    Tree *t = amcp__test__v1__tree__unpack(NULL, n, copy);
    if (t == NULL)
      broken++;
    else
      protobuf_c_message_free_unpacked(&t->base, NULL);
  }
  CU_ASSERT_EQUAL(broken, 0);
  CU_ASSERT_TRUE(accepted > ROUNDS / 20);
  CU_ASSERT_TRUE(rejected > ROUNDS / 20);
}

static void both_sides_refuse_what_the_guard_refuses(void)
{
  static struct echo echo;
  rpc_init();
  struct rpc_server *server = echo_start(&echo, NULL);
  struct rpc_channel *channel = echo_connect(server);
  Tree trees[40];
  Tree *links[40];
  for (size_t i = 0; i < 40; i++) {
    trees[i] = (Tree)AMCP__TEST__V1__TREE__INIT;
    links[i] = &trees[i];
    if (i > 0) {
      trees[i - 1].branches = &links[i];
      trees[i - 1].n_branches = 1;
    }
  }
  ProtobufCMessage *response;
  struct err e = {0};
  CU_ASSERT_EQUAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Plant", &trees[0].base, NULL, &e),
      ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "nested deeper than 32"));
  CU_ASSERT_EQUAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Plant", &trees[10].base, NULL, &e),
      ERR_OK);
  CU_ASSERT_STRING_EQUAL(((SayResponse *)response)->text, "30");
  protobuf_c_message_free_unpacked(response, NULL);
  /* The server sends what it was given, so the client must find the fault. */
  FailRequest fail = AMCP__TEST__V1__FAIL_REQUEST__INIT;
  fail.message = TEXT("\xff");
  CU_ASSERT_EQUAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Fail", &fail.base, NULL, &e),
      ERR_INVALID_ARGUMENT);
  SayRequest raw = SAY_REQUEST;
  raw.text = TEXT("broken");
  CU_ASSERT_EQUAL(
      rpc_client_call_sync(&response, channel, ECHO_SERVICE, "Broken", &raw.base, NULL, &e),
      ERR_INTERNAL);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "text: is not valid UTF-8"));
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
}

TEST_MAIN("guard", TEST(nesting_is_limited_and_the_path_is_named),
          TEST(a_megabyte_of_nesting_is_refused_not_crashed), TEST(broken_text_is_refused),
          TEST(cut_off_messages_are_refused), TEST(malformed_fields_are_refused),
          TEST(what_the_guard_accepts_unpacks), TEST(both_sides_refuse_what_the_guard_refuses))
