/* A whole gateway in front of a fake backend, in the process of the test. */
#ifndef AMCP_TESTS_GATEWAY_RUNNING_H
#define AMCP_TESTS_GATEWAY_RUNNING_H

#include <stdint.h>

#include "common/base/log.h"

struct running {
  struct fake_backend *backend;
  struct app *app;
  uint16_t port;
};

/* With the settings of the product's tests, and this trusted subject (NULL: none). */
void running_start(struct running *r, enum log_level level, const char *trusted_subject);
void running_stop(struct running *r);

#endif
