/* Arguments as the gateway reads them: repaired, checked, and read into the request message. */
#ifndef AMCP_TEST_READING_H
#define AMCP_TEST_READING_H

#include <stdint.h>

#include "common/base/buf.h"
#include "gateway/arguments/arguments.h"

/* Monday, 30 November 2026. */
enum { READING_TODAY = 20787 };

struct reading {
  enum err_code code;
  struct err e;
  struct buf request; /* the message in proto3 JSON */
  struct arguments_notes notes;
};

/* Reads a JSON object as a tool's arguments. Free with reading_free(). */
void reading_make(struct reading *out, const char *tool, const char *arguments);
void reading_free(struct reading *r);
#define AUTO_READING CLEANUP(reading_free)

#endif
