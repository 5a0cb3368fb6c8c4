/* The way of a program from its settings to its end. */
#include "common/service/frame.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
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

static void drain(void *app)
{
  note(app, 'd');
}

static void drain_and_ask_again(void *app)
{
  note(app, 'd');
  kill(getpid(), SIGHUP); /* no reason to end early */
  kill(getpid(), SIGTERM);
}

static void stop(void *app)
{
  note(app, 'e');
}

static int run_draining(struct program *p, const struct service_frame *frame, int64_t drain_ms)
{
  const struct service_settings settings = {
      .log_level = LOG_LEVEL_OFF, .allow_core_dumps = true, .drain_ms = drain_ms};
  return service_run(frame, &settings, p);
}

static int run(struct program *p, const struct service_frame *frame)
{
  return run_draining(p, frame, 1);
}

static void a_program_starts_reloads_on_every_sighup_and_stops_on_sigterm(void)
{
  static const struct service_frame frame = {
      .name = "test", .start = start, .reload = reload, .drain = drain, .stop = stop};
  struct program p = {0};
  CU_ASSERT_EQUAL(run(&p, &frame), EXIT_OK);
  CU_ASSERT_STRING_EQUAL(p.calls, "srrde");
}

static void sighup_does_not_end_a_program_that_has_nothing_to_reload(void)
{
  static const struct service_frame frame = {.name = "test", .start = start_and_end, .stop = stop};
  struct program p = {0};
  CU_ASSERT_EQUAL(run(&p, &frame), EXIT_OK);
  CU_ASSERT_STRING_EQUAL(p.calls, "se");
}

static void a_start_that_fails_is_stopped_and_gives_the_exit_code(void)
{
  static const struct service_frame frame = {
      .name = "test", .start = start, .reload = reload, .drain = drain, .stop = stop};
  struct program wrong = {.start_code = ERR_INVALID_ARGUMENT};
  struct program busy = {.start_code = ERR_UNAVAILABLE};
  CU_ASSERT_EQUAL(run(&wrong, &frame), EXIT_CONFIG);
  CU_ASSERT_STRING_EQUAL(wrong.calls, "se");
  CU_ASSERT_EQUAL(run(&busy, &frame), EXIT_FAILED);
  CU_ASSERT_STRING_EQUAL(busy.calls, "se");
}

static void after_drain_a_program_serves_on_for_drain_ms_before_it_stops(void)
{
  static const struct service_frame frame = {
      .name = "test", .start = start_and_end, .drain = drain, .stop = stop};
  struct program p = {0};
  int64_t began_ms = clock_mono_ms();
  CU_ASSERT_EQUAL(run_draining(&p, &frame, 300), EXIT_OK);
  CU_ASSERT_TRUE(clock_mono_ms() - began_ms >= 300);
  CU_ASSERT_STRING_EQUAL(p.calls, "sde");
}

static void a_second_sigterm_ends_the_drain_and_sighup_does_not(void)
{
  static const struct service_frame frame = {
      .name = "test", .start = start_and_end, .drain = drain_and_ask_again, .stop = stop};
  struct program p = {0};
  int64_t began_ms = clock_mono_ms();
  CU_ASSERT_EQUAL(run_draining(&p, &frame, 120 * 1000), EXIT_OK);
  CU_ASSERT_TRUE(clock_mono_ms() - began_ms < 60 * 1000);
  CU_ASSERT_STRING_EQUAL(p.calls, "sde");
}

static void a_setting_with_another_name_now_is_refused_with_that_name(void)
{
  struct service_settings s;
  struct err e = {0};
  const char *own_text = NULL;
  const struct config_var own = {"OWN", CONFIG_STRING, &own_text, NULL, 0, 0, false, "its own"};
  setenv("REPORT_DRAIN_MS", "900", 1);
  CU_ASSERT_EQUAL(service_settings_read(&s, &own, 1, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "REPORT_DRAIN_MS"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AMCP_DRAIN_MS"));
  unsetenv("REPORT_DRAIN_MS");
  setenv("AMCP_DRAIN_MS", "900", 1);
  CU_ASSERT_EQUAL(service_settings_read(&s, &own, 1, &e), ERR_OK);
  CU_ASSERT_EQUAL(s.drain_ms, 900);
  unsetenv("AMCP_DRAIN_MS");
}

TEST_MAIN("service/frame", TEST(a_program_starts_reloads_on_every_sighup_and_stops_on_sigterm),
          TEST(sighup_does_not_end_a_program_that_has_nothing_to_reload),
          TEST(a_start_that_fails_is_stopped_and_gives_the_exit_code),
          TEST(after_drain_a_program_serves_on_for_drain_ms_before_it_stops),
          TEST(a_second_sigterm_ends_the_drain_and_sighup_does_not),
          TEST(a_setting_with_another_name_now_is_refused_with_that_name))
