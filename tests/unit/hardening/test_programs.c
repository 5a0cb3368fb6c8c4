/* Every program that holds tokens: a crash leaves no core, nobody of its user may look into it,
 * and its environment shows no secret. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { SOMEBODY = 65534, MAX_ENV = 16, SHORT_CORE = 65536 };

/* The sanitizers would catch the crash and forbid the core themselves. */
#define AS_BUILT                                                                                   \
  "ASAN_OPTIONS=disable_coredump=0:handle_segv=0:handle_abort=0",                                  \
      "TSAN_OPTIONS=disable_coredump=0:handle_segv=0:handle_abort=0",                              \
      "UBSAN_OPTIONS=handle_segv=0:handle_abort=0"
#define SEAL_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define DEALERS                                                                                    \
  "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],\"oauth\":"       \
  "{\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r\"}}]"

/* What a program is started with, beside ADMIN_LISTEN=off. */
static const struct subject {
  const char *path;
  const char *env[5];
} subjects[] = {
    {AUTH_SVC,
     {"GRPC_LISTEN=127.0.0.1:0", "AUTH_SEAL_KEY=" SEAL_KEY, "GA_CREDENTIALS_JSON=" DEALERS}},
    {REPORT_SVC, {"GRPC_LISTEN=127.0.0.1:0", "AUTH_SVC_ADDR=127.0.0.1:1"}},
    {AGGREGATE_SVC,
     {"GRPC_LISTEN=127.0.0.1:0", "AUTH_SVC_ADDR=127.0.0.1:1", "REPORT_SVC_ADDR=127.0.0.1:1"}},
    {GATEWAY,
     {"ANALYTICS_MCP_HOST=127.0.0.1", "ANALYTICS_MCP_PORT=0", "AUTH_SVC_ADDR=127.0.0.1:1",
      "REPORT_SVC_ADDR=127.0.0.1:1"}},
};

struct program {
  pid_t pid;
  int out;
  char text[16384];
  size_t len;
};

static char folder[] = "/tmp/hardening-XXXXXX";

/* Counts the files of the folder that cores are written to; removes them when told to. */
static int files_in_folder(bool remove_them)
{
  int n = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
    AUTO_FREE char *path = xasprintf("%s/%s", folder, d->d_name);
    n += d->d_name[0] != '.';
    if (remove_them && d->d_name[0] != '.')
      remove(path);
  }
  if (dir != NULL)
    closedir(dir);
  return n;
}

static void remove_folder(void)
{
  files_in_folder(true);
  rmdir(folder);
}

static bool ordinary; /* the programs run as somebody else than root */

/* In a child: cores of this size, and an ordinary user where we may become one. Root may look
 * into everything, so as root little would be proved. */
static void become_ordinary(rlim_t core)
{
  struct rlimit limit;
  getrlimit(RLIMIT_CORE, &limit);
  limit.rlim_max = geteuid() == 0 ? core : limit.rlim_max;
  limit.rlim_cur = limit.rlim_max < core ? limit.rlim_max : core;
  if (setrlimit(RLIMIT_CORE, &limit) != 0 || chdir(folder) != 0)
    _exit(126);
  if (ordinary && geteuid() == 0 && (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0))
    _exit(126);
}

/* Ends of a shell command that somebody ordinary runs. */
static int run_ordinary(const char *command, rlim_t core)
{
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    become_ordinary(core);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  return status;
}

static void set_up(void)
{
  static bool done;
  if (done)
    return;
  done = true;
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
  chmod(folder, 0777);
  atexit(remove_folder);
  ordinary = true; /* unless a folder above the programs is closed to others */
  ordinary = run_ordinary("test -x " AUTH_SVC, RLIM_INFINITY) == 0;
}

/* With the opt-out a core is written: a short one will do. */
static rlim_t subject_core(const char *more)
{
  return more == NULL ? RLIM_INFINITY : SHORT_CORE;
}

static void start(struct program *p, const struct subject *subject, const char *more)
{
  int pipes[2];
  set_up();
  *p = (struct program){0};
  CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
  p->pid = fork();
  if (p->pid == 0) {
    const char *env[MAX_ENV] = {AS_BUILT, "ADMIN_LISTEN=off", more};
    size_t n = more != NULL ? 5 : 4;
    for (size_t i = 0; i < ARRAY_LEN(subject->env) && subject->env[i] != NULL; i++)
      env[n++] = subject->env[i];
    dup2(pipes[1], 1);
    dup2(pipes[1], 2);
    become_ordinary(subject_core(more));
    execle(subject->path, subject->path, (char *)NULL, (char *const *)env);
    _exit(127);
  }
  close(pipes[1]);
  p->out = pipes[0];
}

/* Reads until `until` shows or the program ends; of much text it keeps the end. */
static bool read_until(struct program *p, const char *until)
{
  while (until == NULL || strstr(p->text, until) == NULL) {
    size_t half = sizeof(p->text) / 2;
    if (p->len >= sizeof(p->text) - 1) {
      memmove(p->text, p->text + half, p->len - half + 1);
      p->len -= half;
    }
    ssize_t n = read(p->out, p->text + p->len, sizeof(p->text) - 1 - p->len);
    if (n <= 0)
      return false;
    p->len += (size_t)n;
  }
  return true;
}

static void start_serving(struct program *p, const struct subject *subject, const char *more)
{
  start(p, subject, more);
  if (!read_until(p, "\"serving\""))
    printf("\n    %s: %s\n", subject->path, p->text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(p->text, "\"serving\""));
}

/* Ends it with a signal; returns its status. */
static int end(struct program *p, int signal)
{
  int status = 0;
  kill(p->pid, signal);
  read_until(p, NULL);
  waitpid(p->pid, &status, 0);
  close(p->out);
  return status;
}

static const char *read_proc(const struct program *p, const char *name, size_t *len)
{
  static char text[65536];
  AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)p->pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
  if (fd >= 0)
    close(fd);
  *len = n > 0 ? (size_t)n : 0;
  text[*len] = '\0';
  return text;
}

static bool core_limit_is(const struct program *p, const char *soft, const char *hard)
{
  char expected[128];
  size_t len;
  snprintf(expected, sizeof(expected), "%-25s %-20s %-20s", "Max core file size", soft, hard);
  return strstr(read_proc(p, "limits", &len), expected) != NULL;
}

static void a_crash_of_any_program_leaves_no_core(void)
{
  static const int signals[] = {SIGSEGV, SIGABRT};
  for (size_t i = 0; i < ARRAY_LEN(subjects) * ARRAY_LEN(signals); i++) {
    struct program p;
    int signal = signals[i % 2];
    start_serving(&p, &subjects[i / 2], NULL);
    CU_ASSERT_TRUE(core_limit_is(&p, "0", "0"));
    int status = end(&p, signal);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal);
    CU_ASSERT_FALSE(WCOREDUMP(status));
    CU_ASSERT_EQUAL(files_in_folder(false), 0);
  }
}

/* Who owns the files in /proc that show a process's memory: root when it is not dumpable. */
static uid_t owner_of_memory(const struct program *p)
{
  struct stat st = {.st_uid = (uid_t)-1};
  AUTO_FREE char *path = xasprintf("/proc/%d/environ", (int)p->pid);
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  return st.st_uid;
}

static uid_t user(void)
{
  return geteuid() != 0 ? geteuid() : ordinary ? SOMEBODY : 0;
}

/* AddressSanitizer's leak checker must attach to its own process, so there it stays dumpable. */
static void nobody_of_its_user_looks_into_any_program(void)
{
#ifdef __SANITIZE_ADDRESS__
  const bool hidden = false;
#else
  const bool hidden = true;
#endif
  for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
    struct program p;
    start_serving(&p, &subjects[i], NULL);
    CU_ASSERT_EQUAL(owner_of_memory(&p), hidden ? 0 : user());
    CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
  }
}

/* The seal key and the dealers are all that comes as a secret by environment; what is looked
 * at is shown to be the environment. */
static void the_environment_of_no_program_shows_a_secret(void)
{
  static const char *const secrets[] = {SEAL_KEY, "client_secret", "refresh_token"};
  for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
    struct program p;
    size_t len;
    start_serving(&p, &subjects[i], NULL);
    const char *text = read_proc(&p, "environ", &len);
    CU_ASSERT(len == 0 || memmem(text, len, "ADMIN_LISTEN=off", 16) != NULL);
    CU_ASSERT(len > 0 || geteuid() != 0);
    for (size_t k = 0; k < ARRAY_LEN(secrets); k++)
      CU_ASSERT_PTR_NULL(memmem(text, len, secrets[k], strlen(secrets[k])));
    CU_ASSERT_EQUAL(end(&p, SIGTERM), 0);
  }
}

/* What shows that the tests above look at the right thing, too. */
static void a_developer_may_allow_cores_and_is_warned(void)
{
  set_up();
  bool cores_here = WCOREDUMP(run_ordinary("kill -SEGV $$", SHORT_CORE));
  if (!cores_here)
    printf("\n    no process leaves a core on this system\n");
  for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
    struct program p;
    start_serving(&p, &subjects[i], "AMCP_ALLOW_CORE_DUMPS=true");
    CU_ASSERT_PTR_NOT_NULL(strstr(p.text, "shows the secrets of this process"));
    CU_ASSERT_FALSE(core_limit_is(&p, "0", "0"));
    CU_ASSERT_EQUAL(owner_of_memory(&p), user());
    int status = end(&p, SIGSEGV);
    CU_ASSERT_EQUAL(WCOREDUMP(status) != 0, cores_here);
  }
  files_in_folder(true);
}

TEST_MAIN("hardening/programs", TEST(a_crash_of_any_program_leaves_no_core),
          TEST(nobody_of_its_user_looks_into_any_program),
          TEST(the_environment_of_no_program_shows_a_secret),
          TEST(a_developer_may_allow_cores_and_is_warned))
