/* Types of the answers, for those who ask for a part of one (partial.h). Only names and nesting are
 * filled in. */
#ifndef GA4_SIM_RESPONSES_H
#define GA4_SIM_RESPONSES_H

#include "ga4-sim/report/transcode.h"

extern const struct message_type response_run_pivot_report, response_batch_run_pivot_reports,
    response_run_realtime_report, response_run_funnel_report, response_check_compatibility,
    response_quotas_snapshot;
extern const struct message_type response_run_report, response_batch_run_reports, response_metadata,
    response_account_summaries, response_property, response_key_events, response_google_ads_links,
    response_custom_dimensions, response_custom_metrics, response_data_streams,
    response_annotations;

#endif
