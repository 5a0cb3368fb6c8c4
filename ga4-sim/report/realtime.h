/* runRealtimeReport. */
#ifndef GA4_SIM_REALTIME_H
#define GA4_SIM_REALTIME_H

#include "ga4-sim/report/request.h"

/* Where a realtime report stands in time. */
struct realtime_moment {
  int64_t today; /* in the property's time zone */
  int minute;    /* of the day */
};

/* Half past twelve when the world's today is fixed, else the clock's in the property's zone. */
struct realtime_moment realtime_now(const struct world *w, const struct world_property *p,
                                    int64_t unix_ms);
/* Checks and reads a transcoded RunRealtimeReportRequest; report_run() answers it. */
enum err_code realtime_read(struct report_request *r, const cJSON *tree,
                            const struct world_property *property, struct realtime_moment now,
                            struct arena *arena, struct err *e);

#endif
