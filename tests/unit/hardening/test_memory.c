/* What is left of a secret in the process's memory when it is no longer needed: nothing, as far
 * as it goes through our own code. Under AddressSanitizer freed memory keeps its bytes for a
 * while, so that memory given back without being overwritten is found. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/rpc/echo_service.h"

/* What gives memory back may use its first bytes: looked for is the rest. */
enum { SECRET_LEN = 400, LOST = 64, SOUGHT = SECRET_LEN - LOST, WINDOW = 1 << 20 };

#ifdef __SANITIZE_ADDRESS__
/* Or it would overwrite freed memory itself. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
  return "max_free_fill_size=0";
}
#endif

/* The secret at `i`, worked out, so that looking for it leaves no copy. */
static char secret_at(size_t i)
{
  return (char)('a' + (i * 7919 + i / 26 * 31 + 5) % 26);
}

static bool is_secret(const char *p)
{
  for (size_t i = 0; i < SOUGHT; i++)
    if (p[i] != secret_at(LOST + i))
      return false;
  return true;
}

static size_t count_in(const char *p, size_t len)
{
  const char *end = p + len;
  size_t n = 0;
  while (end - p >= SOUGHT &&
         (p = memchr(p, secret_at(LOST), (size_t)(end - p) - SOUGHT + 1)) != NULL)
    n += is_secret(p++);
  return n;
}

/* Reads a region in windows that overlap; regions that are reserved and not there are skipped. */
static size_t count_in_region(int fd, uintptr_t from, uintptr_t to, char *window)
{
  size_t n = 0;
  for (uintptr_t at = from; at < to; at += WINDOW - SOUGHT + 1) {
    size_t want = to - at < WINDOW ? to - at : WINDOW;
    ssize_t got = pread(fd, window, want, (off_t)at);
    if (got <= 0)
      break;
    n += count_in(window, (size_t)got);
  }
  return n;
}

/* All of a region but the window itself, which holds copies of what was read. It lies on the heap,
 * between what is sought, once the allocator has seen a block of its size. */
static size_t count_beside_window(int fd, uintptr_t from, uintptr_t to, char *window)
{
  uintptr_t start = (uintptr_t)window, end = start + WINDOW;
  if (end <= from || start >= to)
    return count_in_region(fd, from, to, window);
  size_t before = start > from ? count_in_region(fd, from, start, window) : 0;
  return before + (end < to ? count_in_region(fd, end, to, window) : 0);
}

/* Copies of the secret in writable memory. */
static size_t copies_in_memory(void)
{
  enum { LARGEST = 1 << 30 }; /* the sanitizers' own tables are larger, and hold no data */
  size_t n = 0;
  char line[512];
  char *window = xmalloc(WINDOW);
  FILE *maps = fopen("/proc/self/maps", "re");
  int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  CU_ASSERT_FATAL(maps != NULL && fd >= 0);
  while (fgets(line, sizeof(line), maps) != NULL) {
    uintptr_t from, to;
    char rights[5];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, rights) == 3 &&
        rights[1] == 'w' && to - from <= LARGEST)
      n += count_beside_window(fd, from, to, window);
  }
  fclose(maps);
  close(fd);
  mem_wipe(window, WINDOW);
  free(window);
  return n;
}

static void put_secret(char *out)
{
  for (size_t i = 0; i < SECRET_LEN; i++)
    out[i] = secret_at(i);
  out[SECRET_LEN] = '\0';
}

static void a_secret_kept_is_found(void)
{
  char *kept = xmalloc(SECRET_LEN + 1);
  CU_ASSERT_EQUAL(copies_in_memory(), 0);
  put_secret(kept);
  CU_ASSERT_EQUAL(copies_in_memory(), 1);
  mem_wipe(kept, SECRET_LEN);
  CU_ASSERT_EQUAL(copies_in_memory(), 0);
  free(kept);
}

static void a_secret_buffer_leaves_nothing_when_it_grows_and_ends(void)
{
  struct buf b = BUF_SECRET(1 << 16);
  for (size_t i = 0; i < SECRET_LEN; i++)
    buf_putc(&b, secret_at(i));
  for (int i = 0; i < 5000; i++) /* moves several times */
    buf_putc(&b, '.');
  CU_ASSERT_EQUAL(copies_in_memory(), 1);
  buf_free(&b);
  CU_ASSERT_EQUAL(copies_in_memory(), 0);
}

static void a_wiped_arena_leaves_nothing(void)
{
  struct arena *a = arena_new(1 << 16);
  for (int i = 0; i < 20; i++) /* over several blocks */
    put_secret(arena_alloc(a, SECRET_LEN + 1));
  CU_ASSERT_EQUAL(copies_in_memory(), 20);
  arena_wipe(a);
  arena_free(a);
  CU_ASSERT_EQUAL(copies_in_memory(), 0);
}

/* The secret goes to the server and comes back. */
static void a_message_is_overwritten_when_its_call_is_over(void)
{
  static struct echo echo;
  rpc_init();
  struct rpc_server *server = echo_start(&echo, NULL);
  struct rpc_channel *channel = echo_connect(server);
  struct outcome o = OUTCOME_INIT;
  SayRequest request = SAY_REQUEST;
  char *text = xmalloc(SECRET_LEN + 1);
  put_secret(text);
  request.text = text;
  CU_ASSERT_EQUAL(rpc_client_start(NULL, channel, ECHO_SERVICE, "Say", RPC_UNARY, &request.base,
                                   NULL, &outcome_callbacks, &o, NULL),
                  ERR_OK);
  mem_wipe(text, SECRET_LEN);
  free(text);
  CU_ASSERT_TRUE(outcome_wait(&o));
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  rpc_channel_free(channel);
  rpc_server_stop(server);
  rpc_shutdown();
  CU_ASSERT_EQUAL(copies_in_memory(), 0);
}

TEST_MAIN("hardening/memory", TEST(a_secret_kept_is_found),
          TEST(a_secret_buffer_leaves_nothing_when_it_grows_and_ends),
          TEST(a_wiped_arena_leaves_nothing), TEST(a_message_is_overwritten_when_its_call_is_over))
