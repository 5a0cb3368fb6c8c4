/* Brings one export after the other to the collector: sends, waits for the answer, tries again as
 * OTLP says (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response). */
#ifndef AMCP_OTLP_OUTBOX_H
#define AMCP_OTLP_OUTBOX_H

#include <pthread.h>

#include "common/base/buf.h"
#include "common/http/client.h"
#include "common/otlp/pairs.h"

enum otlp_outcome {
  OTLP_SENT,
  OTLP_REFUSED,     /* the collector takes it neither now nor later */
  OTLP_UNREACHABLE, /* it did not take it in time: no connection, no answer, busy */
  OTLP_SHUTDOWN     /* the time of the stop was over */
};

struct outbox {
  struct http_client *http;
  const char *url;
  struct otlp_pairs headers;
  uint32_t timeout_ms;  /* of an attempt */
  uint32_t patience_ms; /* from the first failure of an export on; then it is given up */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  /* Guarded by lock: */
  int64_t stop_ms; /* when everything must be over, as clock_mono_ms(); INT64_MAX while it runs */
  bool done;       /* the attempt under way has ended: */
  struct err error;
  int status;
  uint32_t retry_after_ms;
  int64_t rejected; /* spans of a 2xx answer that the collector did not take */
};

/* Sends a packed request. *rejected gets the number of its spans that the collector refused
 * although it took the export. One thread only, on which it waits. */
enum otlp_outcome outbox_send(struct outbox *o, const struct buf *body, int64_t *rejected);
/* Ends the waiting at stop_ms. Any thread. */
void outbox_stop(struct outbox *o, int64_t stop_ms);

#endif
