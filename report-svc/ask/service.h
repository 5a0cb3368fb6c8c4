/* What the handlers of ReportService share. */
#ifndef AMCP_REPORT_SERVICE_H
#define AMCP_REPORT_SERVICE_H

#include "common/ga4/lookback.h"
#include "common/status/facts.h"
#include "common/status/gate.h"
#include "report-svc/ask/cache.h"
#include "report-svc/ask/flight.h"
#include "report-svc/ask/intake.h"
#include "report-svc/ask/room.h"
#include "report-svc/ask/zones.h"
#include "report-svc/google/google.h"
#include "report-svc/shared/shared.h"

struct service {
  struct google *google;
  struct cache *cache;
  struct flights *flights;
  struct zones *zones;
  struct shared *shared;   /* state of all replicas, cached answers among it; NULL: none */
  int64_t page_rows;       /* rows asked for per page of FetchReports, at most 250,000 */
  size_t max_answer_bytes; /* packed answer of a unary rpc; 0 means 4 MiB */
  size_t fan_out;          /* dealers at once per FetchReports; 0 means 64 */
  size_t chunk_rows;       /* rows per ColumnChunk; 0 means 4,096 */
  size_t join_bytes;       /* memory of all joined reports under way; 0 means 64 MiB */
  struct room joins;       /* that memory */
  size_t intake_bytes;     /* memory of all fan-outs' arriving reports; 0 means 48 MiB */
  struct intake intake;    /* that memory */
  struct lookback sites;   /* what look-backs found, by dealer and property */
  struct metric *rows;     /* decoded */
  struct status_self self; /* what GetStatus says of the process */
  struct status_gate gate; /* who may call it */
};

/* Registers what the handlers count, and makes what questions under way share. */
void report_service_init(struct service *s);
/* Frees what report_service_init() made. */
void report_service_end(struct service *s);
/* What the key of an answer is made of, beside its token and body. */
struct service_key {
  const char *method;
  const char *property; /* digits */
  const char *zone;     /* in which relative dates are read; "": they stay as they are */
  int64_t now_unix_ms;
};

/* Appends the key under which an answer is kept: whose, and what exactly is asked, relative dates
 * as the days they stand for. Bytes, no text. body may be NULL. */
enum err_code service_put_key(const struct service_key *k, const struct token *t,
                              const ProtobufCMessage *body, struct buf *key, struct err *e);
/* Bytes that the packed answer of a unary rpc may take. */
size_t report_service_max_answer(const struct service *s);

#endif
