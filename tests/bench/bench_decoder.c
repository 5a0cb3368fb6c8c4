/* Row decoder against cJSON on the same runReport body: MB/s, their ratio, and the memory
 * each needs beside the body, at two body sizes.
 *
 *   bench_decoder [ROWS]      default 250,000 rows x 3 dimensions x 4 metrics */
#include <cjson/cJSON.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/rows/columns.h"
#include "report-svc/rows/decoder.h"
#include "report-svc/rows/number.h"

enum { PIECE = 16 * 1024, ROUNDS = 5 };

/* ------------------------------------------------------------------ the body */

static void put_row(struct buf *out, unsigned i)
{
  static const char *const channels[] = {"Organic Search", "Direct",   "Paid Search",
                                         "Organic Social", "Referral", "Email"};
  unsigned day = i / 700 % 28 + 1, sessions = i * 2654435761U % 997 + 3;
  unsigned engaged = sessions * 6 / 10;
  buf_printf(out,
             "{\"dimensionValues\":[{\"value\":\"202611%02u\"},{\"value\":\"%s\"},"
             "{\"value\":\"/inventory/used-2024-ford-%u\"}],"
             "\"metricValues\":[{\"value\":\"%u\"},{\"value\":\"%u\"},{\"value\":\"%.17g\"},"
             "{\"value\":\"%u\"}]}",
             day, channels[i % 6], i % 4000, sessions, engaged, (double)engaged / (double)sessions,
             sessions * 3);
}

static void make_body(struct buf *out, unsigned rows)
{
  buf_puts(out,
           "{\"dimensionHeaders\":[{\"name\":\"date\"},{\"name\":\"sessionDefaultChannelGroup\""
           "},{\"name\":\"landingPage\"}],\"metricHeaders\":[{\"name\":\"sessions\",\"type\":"
           "\"TYPE_INTEGER\"},{\"name\":\"engagedSessions\",\"type\":\"TYPE_INTEGER\"},"
           "{\"name\":\"engagementRate\",\"type\":\"TYPE_FLOAT\"},{\"name\":\"eventCount\","
           "\"type\":\"TYPE_INTEGER\"}],\"rows\":[");
  for (unsigned i = 0; i < rows; i++) {
    buf_puts(out, i == 0 ? "" : ",");
    put_row(out, i);
  }
  buf_printf(out,
             "],\"rowCount\":%u,\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":"
             "\"America/New_York\"},\"kind\":\"analyticsData#runReport\"}",
             rows);
}

/* ------------------------------------------------------------------ memory in use */

static size_t in_use(void)
{
  struct mallinfo2 m = mallinfo2();
  return m.uordblks + m.hblkhd;
}

/* ------------------------------------------------------------------ the two readers */

struct result {
  double sum; /* of all metrics: both must agree */
  int64_t ns;
  size_t memory;
};

struct reading {
  struct columns *columns;
  double sum;
};

static void fold_chunk(struct reading *r)
{
  Analytics__Report__V1__ColumnChunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  columns_chunk(&chunk, r->columns);
  for (size_t m = 0; m < chunk.n_metrics; m++) {
    for (size_t i = 0; i < chunk.row_count; i++)
      r->sum += chunk.metrics[m]->values[i];
  }
  columns_next(r->columns);
}

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct reading *r = user;
  if (columns_add(r->columns, row, e) != ERR_OK)
    return ROWS_FAIL;
  if (columns_full(r->columns))
    fold_chunk(r);
  return ROWS_MORE;
}

static struct result run_decoder(const struct buf *body)
{
  struct err e = {0};
  size_t before = in_use();
  int64_t start = clock_mono_ns();
  struct reading r = {.columns = columns_new(&(struct columns_options){0})};
  struct rows_options options = {.on_row = on_row, .user = &r};
  struct rows_decoder *d = rows_decoder_new(&options);
  for (size_t at = 0; at < body->len; at += PIECE) {
    size_t used, n = body->len - at < PIECE ? body->len - at : PIECE;
    if (rows_decoder_feed(d, body->data + at, n, &used, &e) != ROWS_FED_ALL)
      break;
  }
  if (e.code == ERR_OK && columns_rows(r.columns) > 0)
    fold_chunk(&r);
  rows_decoder_finish(d, &e);
  size_t memory = in_use() - before;
  rows_decoder_free(d);
  columns_free(r.columns);
  if (e.code != ERR_OK) {
    fprintf(stderr, "decoder: %s\n", e.message);
    exit(1);
  }
  return (struct result){r.sum, clock_mono_ns() - start, memory};
}

static double walk(const cJSON *root)
{
  double sum = 0;
  size_t text = 0;
  const cJSON *row, *cell;
  cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "rows"))
  {
    cJSON_ArrayForEach(cell, cJSON_GetObjectItemCaseSensitive(row, "dimensionValues")) text +=
        cJSON_GetObjectItemCaseSensitive(cell, "value")->valuestring[0] != '\0';
    cJSON_ArrayForEach(cell, cJSON_GetObjectItemCaseSensitive(row, "metricValues")) sum +=
        strtod(cJSON_GetObjectItemCaseSensitive(cell, "value")->valuestring, NULL);
  }
  return text > 0 ? sum : -1;
}

static struct result run_cjson(const struct buf *body)
{
  size_t before = in_use();
  int64_t start = clock_mono_ns();
  cJSON *root = cJSON_ParseWithLength(body->data, body->len);
  double sum = walk(root);
  size_t memory = in_use() - before;
  cJSON_Delete(root);
  return (struct result){sum, clock_mono_ns() - start, memory};
}

static struct result best_of(struct result (*run)(const struct buf *), const struct buf *body)
{
  struct result best = run(body);
  for (int i = 1; i < ROUNDS; i++) {
    struct result r = run(body);
    if (r.ns < best.ns)
      best = r;
  }
  return best;
}

static double mb_per_s(const struct buf *body, const struct result *r)
{
  return (double)body->len / 1e6 / ((double)r->ns / 1e9);
}

static double compare(unsigned rows)
{
  AUTO_BUF struct buf body = BUF_INIT((size_t)1 << 30);
  make_body(&body, rows);
  struct result ours = best_of(run_decoder, &body), theirs = best_of(run_cjson, &body);
  double difference = ours.sum - theirs.sum;
  if (difference > 1e-9 * theirs.sum || difference < -1e-9 * theirs.sum) {
    fprintf(stderr, "sums differ: %.17g and %.17g\n", ours.sum, theirs.sum);
    exit(1);
  }
  double ratio = (double)theirs.ns / (double)ours.ns;
  printf("decoder rows=%u body_mb=%.1f decoder_mb_s=%.0f cjson_mb_s=%.0f ratio=%.1f "
         "decoder_extra_kib=%zu cjson_extra_kib=%zu\n",
         rows, (double)body.len / 1e6, mb_per_s(&body, &ours), mb_per_s(&body, &theirs), ratio,
         ours.memory / 1024, theirs.memory / 1024);
  return ratio;
}

int main(int argc, char **argv)
{
  unsigned rows = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 250000;
  if (rows < 10) {
    fputs("usage: bench_decoder [ROWS]\n", stderr);
    return 2;
  }
  compare(rows / 10);
  return compare(rows) >= 5 ? 0 : 1;
}
