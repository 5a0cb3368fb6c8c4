/* A process that holds secrets leaves no core file, and keeps them on the secure heap. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth-svc/secret/secret.h"
#include "common/base/harden.h"
#include "tests/unit/harness.h"

enum { FINE = 0, CORE_LIMIT = 1, DUMPABLE = 2 };

/* What harden_process() left, as flags. Under AddressSanitizer the process stays dumpable for
 * the leak checker; the run under ThreadSanitizer checks it. */
static int judge(void)
{
  struct rlimit core;
  int faults = FINE;
  harden_process(false);
  if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
    faults |= CORE_LIMIT;
#ifndef __SANITIZE_ADDRESS__
  if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
    faults |= DUMPABLE;
#endif
  return faults;
}

/* Ends of a child that did what `fn` says. */
static int run_child(void (*fn)(void))
{
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    fn();
    _exit(99);
  }
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  return status;
}

static void judge_and_exit(void)
{
  _exit(judge());
}

static void core_limit_is_zero_and_the_process_is_not_dumpable(void)
{
  int status = run_child(judge_and_exit);
  CU_ASSERT_TRUE(WIFEXITED(status));
  CU_ASSERT_EQUAL(WEXITSTATUS(status), FINE);
}

static void harden_and_die(void)
{
  const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_CORE, &all);
  harden_process(false);
  signal(SIGSEGV, SIG_DFL); /* the sanitizers' handlers would exit instead */
  raise(SIGSEGV);
}

static void a_crash_leaves_no_core(void)
{
  int status = run_child(harden_and_die);
  CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
  CU_ASSERT_FALSE(WCOREDUMP(status));
}

static void secrets_lie_on_the_secure_heap(void)
{
  secrets_init();
  struct secret *s = secret_from("1//0gsecret");
  CU_ASSERT_EQUAL(CRYPTO_secure_allocated(secret_text(s)), 1);
  CU_ASSERT_STRING_EQUAL(secret_text(s), "1//0gsecret");
  secret_unref(s);
  CRYPTO_secure_malloc_done();
}

/* OpenSSL makes and uses private keys on the secure heap alone: were it full of our secrets, no
 * assertion could be signed, and each key in the dealers file would look broken. */
static void secrets_that_fill_the_heap_leave_room_for_private_keys(void)
{
  enum { N = 20000, SIZE = 900 };
  static struct secret *secrets[N];
  char text[SIZE];
  memset(text, 's', sizeof(text));
  secrets_init();
  CU_ASSERT_FALSE(secrets_heap_is_full());
  for (size_t i = 0; i < N; i++)
    secrets[i] = secret_new(text, sizeof(text));
  CU_ASSERT_TRUE(secrets_heap_is_full());
  CU_ASSERT_EQUAL(CRYPTO_secure_allocated(secrets[0]), 1);
  CU_ASSERT_EQUAL(CRYPTO_secure_allocated(secrets[N - 1]), 0);
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
  CU_ASSERT_PTR_NOT_NULL(key);
  EVP_PKEY_free(key);
  for (size_t i = 0; i < N; i++)
    secret_unref(secrets[i]);
  CU_ASSERT_TRUE(CRYPTO_secure_used() < 65536); /* the state of OpenSSL's random numbers */
}

TEST_MAIN("auth/hardening", TEST(core_limit_is_zero_and_the_process_is_not_dumpable),
          TEST(a_crash_leaves_no_core), TEST(secrets_lie_on_the_secure_heap),
          TEST(secrets_that_fill_the_heap_leave_room_for_private_keys))
