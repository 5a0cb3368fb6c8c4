/* The way of a program from its settings to its end. */
#include "common/service/frame.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/harness.h"

enum { LONGEST = 32 };

/* What the frame has called, a letter each. */
struct program {
  char calls[LONGEST];
  enum err_code start_code;
};

static void note(struct program *p, char call)
{
  size_t n = strlen(p->calls);
  if (n + 1 < LONGEST)
    p->calls[n] = call;
}

/* The signals are blocked by now, so they wait for the frame to take them. */
static enum err_code start(void *app, struct err *e)
{
  struct program *p = app;
  note(p, 's');
  if (p->start_code != ERR_OK)
    return err_set(e, p->start_code, "test", "not today");
  kill(getpid(), SIGHUP);
  return ERR_OK;
}

static void reload(void *app)
{
  struct program *p = app;
  note(p, 'r');
  kill(getpid(), strcmp(p->calls, "sr") == 0 ? SIGHUP : SIGTERM);
}

static enum err_code start_and_end(void *app, struct err *e)
{
  (void)e;
  note(app, 's');
  kill(getpid(), SIGHUP); /* nobody is interested */
  kill(getpid(), SIGTERM);
  return ERR_OK;
}

static void stop(void *app)
{
  note(app, 'e');
}

static int run(struct program *p, const struct service_frame *frame)
{
  static const struct service_settings settings = {.log_level = LOG_LEVEL_OFF,
                                                   .allow_core_dumps = true};
  return service_run(frame, &settings, p);
}

static void a_program_starts_reloads_on_every_sighup_and_stops_on_sigterm(void)
{
  static const struct service_frame frame = {"test", start, reload, stop};
  struct program p = {0};
  CU_ASSERT_EQUAL(run(&p, &frame), EXIT_OK);
  CU_ASSERT_STRING_EQUAL(p.calls, "srre");
}

static void sighup_does_not_end_a_program_that_has_nothing_to_reload(void)
{
  static const struct service_frame frame = {"test", start_and_end, NULL, stop};
  struct program p = {0};
  CU_ASSERT_EQUAL(run(&p, &frame), EXIT_OK);
  CU_ASSERT_STRING_EQUAL(p.calls, "se");
}

static void a_start_that_fails_is_stopped_and_gives_the_exit_code(void)
{
  static const struct service_frame frame = {"test", start, reload, stop};
  struct program wrong = {.start_code = ERR_INVALID_ARGUMENT};
  struct program busy = {.start_code = ERR_UNAVAILABLE};
  CU_ASSERT_EQUAL(run(&wrong, &frame), EXIT_CONFIG);
  CU_ASSERT_STRING_EQUAL(wrong.calls, "se");
  CU_ASSERT_EQUAL(run(&busy, &frame), EXIT_FAILED);
  CU_ASSERT_STRING_EQUAL(busy.calls, "se");
}

TEST_MAIN("service/frame", TEST(a_program_starts_reloads_on_every_sighup_and_stops_on_sigterm),
          TEST(sighup_does_not_end_a_program_that_has_nothing_to_reload),
          TEST(a_start_that_fails_is_stopped_and_gives_the_exit_code))
