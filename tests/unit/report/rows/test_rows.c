/* The row decoder against cJSON: the same columns for every way of cutting a body, and
 * errors, not crashes, for everything that is not a report. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "report-svc/rows/columns.h"
#include "report-svc/rows/decoder.h"
#include "report-svc/rows/dictionary.h"
#include "report-svc/rows/number.h"
#include "report-svc/rows/seen.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------ helpers */

/* Writes rows as "a|b#1|2\n" so that two readings can be compared as text. */
struct collector {
  struct buf text;
  size_t stop_every; /* 0: never */
  size_t rows;
  bool batch; /* each row begins with the number of its report */
};

static enum rows_step collect(void *user, const struct rows_row *row, struct err *e)
{
  struct collector *c = user;
  (void)e;
  if (c->batch)
    buf_printf(&c->text, "%zu:", row->report);
  for (size_t i = 0; i < row->n_dimensions; i++) {
    buf_append(&c->text, row->dimensions[i].p, row->dimensions[i].len);
    buf_putc(&c->text, '|');
  }
  buf_putc(&c->text, '#');
  for (size_t i = 0; i < row->n_metrics; i++) {
    buf_append(&c->text, row->metrics[i].p, row->metrics[i].len);
    buf_putc(&c->text, '|');
  }
  buf_putc(&c->text, '\n');
  c->rows++;
  return c->stop_every != 0 && c->rows % c->stop_every == 0 ? ROWS_STOP : ROWS_MORE;
}

/* The same from cJSON's tree. */
static void put_cells(struct buf *out, const cJSON *list)
{
  const cJSON *cell;
  cJSON_ArrayForEach(cell, list)
  {
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(cell, "value");
    if (cJSON_IsString(value))
      buf_puts(out, value->valuestring);
    else if (cJSON_IsNumber(value))
      buf_printf(out, "%.17g", value->valuedouble);
    buf_putc(out, '|');
  }
}

static void collect_report(struct buf *out, const cJSON *report, const char *prefix)
{
  const cJSON *row;
  cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(report, "rows"))
  {
    buf_puts(out, prefix);
    put_cells(out, cJSON_GetObjectItemCaseSensitive(row, "dimensionValues"));
    buf_putc(out, '#');
    put_cells(out, cJSON_GetObjectItemCaseSensitive(row, "metricValues"));
    buf_putc(out, '\n');
  }
}

static void collect_cjson(struct buf *out, const char *body)
{
  cJSON *root = cJSON_Parse(body);
  collect_report(out, root, "");
  cJSON_Delete(root);
}

static void collect_cjson_batch(struct buf *out, const char *body)
{
  cJSON *root = cJSON_Parse(body);
  const cJSON *report;
  char prefix[] = "0:";
  cJSON_ArrayForEach(report, cJSON_GetObjectItemCaseSensitive(root, "reports"))
  {
    collect_report(out, report, prefix);
    prefix[0]++;
  }
  cJSON_Delete(root);
}

/* Feeds [data, data + len), giving back what was not taken. Copies into a block of the exact
 * size, so that the address sanitizer sees a read beyond the piece. */
static enum rows_fed feed_piece(struct rows_decoder *d, const char *data, size_t len, struct err *e)
{
  size_t done = 0;
  enum rows_fed fed = ROWS_FED_ALL;
  AUTO_FREE char *piece = xmalloc(len == 0 ? 1 : len);
  memcpy(piece, data, len);
  do {
    size_t used;
    fed = rows_decoder_feed(d, piece + done, len - done, &used, e);
    done += used;
  } while (fed == ROWS_FED_STOPPED);
  return fed;
}

struct reading {
  struct collector rows;
  struct buf rest;
  struct err error;
};

static void reading_free(struct reading *r)
{
  buf_free(&r->rows.text);
  buf_free(&r->rest);
}

static void read_pieces(struct reading *r, const char *body, size_t len, const size_t *cuts,
                        size_t n_cuts, size_t stop_every, bool batch)
{
  *r = (struct reading){
      .rows = {.text = BUF_INIT(64 << 20), .stop_every = stop_every, .batch = batch},
      .rest = BUF_INIT(8 << 20)};
  struct rows_options options = {.on_row = collect, .user = &r->rows, .batch = batch};
  struct rows_decoder *d = rows_decoder_new(&options);
  size_t from = 0;
  for (size_t i = 0; i <= n_cuts && r->error.code == ERR_OK; i++) {
    size_t to = i < n_cuts ? cuts[i] : len;
    feed_piece(d, body + from, to - from, &r->error);
    from = to;
  }
  if (r->error.code == ERR_OK)
    rows_decoder_finish(d, &r->error);
  size_t rest_len;
  const char *rest = rows_decoder_rest(d, &rest_len);
  buf_append(&r->rest, rest, rest_len);
  rows_decoder_free(d);
}

/* Reads a body cut at the given places. */
static void read_cut(struct reading *r, const char *body, size_t len, const size_t *cuts,
                     size_t n_cuts, size_t stop_every)
{
  read_pieces(r, body, len, cuts, n_cuts, stop_every, false);
}

static void read_whole(struct reading *r, const char *body)
{
  read_cut(r, body, strlen(body), NULL, 0, 0);
}

static bool same(const struct buf *a, const struct buf *b)
{
  return a->len == b->len && strcmp(buf_str(a), buf_str(b)) == 0;
}

/* Whether the body is refused; prints when not. */
static bool refused(const char *body, const char *reason)
{
  struct reading r;
  read_whole(&r, body);
  bool ok = r.error.code != ERR_OK && strcmp(r.error.reason, reason) == 0;
  if (!ok)
    printf("\n    %s: got %s\n", body, r.error.reason);
  reading_free(&r);
  return ok;
}

static const char sample[] =
    "{\"dimensionHeaders\":[{\"name\":\"date\"},{\"name\":\"city\"}],"
    "\"metricHeaders\":[{\"name\":\"sessions\",\"type\":\"TYPE_INTEGER\"}],"
    "\"rows\":[{\"dimensionValues\":[{\"value\":\"20261101\"},{\"value\":\"M\xc3\xbcnchen\"}],"
    "\"metricValues\":[{\"value\":\"42\"}]},"
    "{\"dimensionValues\":[{\"value\":\"20261102\"},{\"value\":\"a\\\"b\\u00e9\\ud83d\\ude00\\n\"}]"
    ","
    "\"metricValues\":[{\"value\":\"0.97348484848484851\"}]},"
    " { \"metricValues\" : [ { \"value\" : 17 } ] , \"x\":[1,{\"y\":null}], \"dimensionValues\": "
    "[{},{\"value\":\"\xf0\x9f\x98\x80\"}] }],"
    "\"rowCount\":3,\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":\"America/New_York\"},"
    "\"unknown\":{\"deep\":[1,2,\"x\"]},\"kind\":\"analyticsData#runReport\"}";

static const char sample_rows[] = "20261101|M\xc3\xbcnchen|#42|\n"
                                  "20261102|a\"b\xc3\xa9\xf0\x9f\x98\x80\n|#0.97348484848484851|\n"
                                  "|\xf0\x9f\x98\x80|#17|\n";

static const char sample_rest[] =
    "{\"dimensionHeaders\":[{\"name\":\"date\"},{\"name\":\"city\"}],"
    "\"metricHeaders\":[{\"name\":\"sessions\",\"type\":\"TYPE_INTEGER\"}],"
    "\"rows\":[],"
    "\"rowCount\":3,\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":\"America/New_York\"},"
    "\"unknown\":null,\"kind\":null}";

/* ------------------------------------------------------------------ random bodies */

static void put_random_text(struct buf *out)
{
  static const char *const pieces[] = {"a",
                                       "(not set)",
                                       "/inventory/new-2026-ford-f-150",
                                       "\\\"",
                                       "\\\\",
                                       "\\u00e9",
                                       "\\n",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\\/",
                                       "&",
                                       "\\ud83d\\ude00",
                                       "20261",
                                       "\xf0\x9f\x98\x80"};
  buf_putc(out, '"');
  for (uint64_t n = random_below(5); n > 0; n--)
    buf_puts(out, pieces[random_below(ARRAY_LEN(pieces))]);
  buf_putc(out, '"');
}

static void put_space(struct buf *out, bool pretty)
{
  if (pretty && random_below(3) == 0)
    buf_puts(out, random_below(2) == 0 ? "\n  " : " ");
}

static void put_random_cell(struct buf *out, bool metric, bool pretty)
{
  put_space(out, pretty);
  buf_puts(out, "{\"value\":");
  put_space(out, pretty);
  if (!metric)
    put_random_text(out);
  else if (random_below(8) == 0)
    buf_printf(out, "%d", (int)random_below(1000));
  else
    buf_printf(out, "\"%.17g\"", (double)random_below(1000000) / (double)(1 + random_below(1000)));
  put_space(out, pretty);
  buf_putc(out, '}');
}

static void put_random_list(struct buf *out, const char *name, size_t n, bool metric, bool pretty)
{
  buf_printf(out, "\"%s\":[", name);
  for (size_t i = 0; i < n; i++) {
    buf_puts(out, i == 0 ? "" : ",");
    put_random_cell(out, metric, pretty);
  }
  buf_putc(out, ']');
}

static void put_random_row(struct buf *out, size_t dimensions, size_t metrics, bool pretty)
{
  bool swapped = random_below(4) == 0;
  put_space(out, pretty);
  buf_putc(out, '{');
  put_random_list(out, swapped ? "metricValues" : "dimensionValues", swapped ? metrics : dimensions,
                  swapped, pretty);
  if (random_below(10) == 0)
    buf_puts(out, ",\"future\":{\"value\":[1,\"\\u00e9\"]}");
  buf_putc(out, ',');
  put_random_list(out, swapped ? "dimensionValues" : "metricValues", swapped ? dimensions : metrics,
                  !swapped, pretty);
  buf_putc(out, '}');
}

static void random_body(struct buf *out, size_t rows)
{
  size_t dimensions = random_below(4), metrics = 1 + random_below(3);
  bool pretty = random_below(2) == 0, rows_first = random_below(2) == 0;
  const char *headers = "\"dimensionHeaders\":[{\"name\":\"city\"}]";
  buf_putc(out, '{');
  if (!rows_first)
    buf_printf(out, "%s,", headers);
  buf_puts(out, "\"rows\":[");
  for (size_t i = 0; i < rows; i++) {
    buf_puts(out, i == 0 ? "" : ",");
    put_random_row(out, dimensions, metrics, pretty);
  }
  buf_printf(out, "],\"rowCount\":%zu", rows);
  if (rows_first)
    buf_printf(out, ",%s", headers);
  buf_putc(out, '}');
}

/* ------------------------------------------------------------------ tests */

static void sample_gives_rows_and_rest(void)
{
  struct reading r;
  read_whole(&r, sample);
  CU_ASSERT_EQUAL(r.error.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rows.text), sample_rows);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rest), sample_rest);
  reading_free(&r);
}

static void every_cut_of_the_sample_gives_the_same(void)
{
  size_t len = strlen(sample);
  for (size_t a = 0; a <= len; a++) {
    struct reading r;
    size_t cuts[2] = {a, a + (len - a) / 3};
    read_cut(&r, sample, len, cuts, 2, a % 3);
    if (r.error.code != ERR_OK || strcmp(buf_str(&r.rows.text), sample_rows) != 0 ||
        strcmp(buf_str(&r.rest), sample_rest) != 0) {
      printf("\n    cut at %zu: %s\n", a, r.error.message);
      CU_FAIL("differs");
    }
    reading_free(&r);
  }
}

static void byte_by_byte_gives_the_same(void)
{
  size_t len = strlen(sample), cuts[2048];
  for (size_t i = 0; i < len; i++)
    cuts[i] = i;
  struct reading r;
  read_cut(&r, sample, len, cuts, len, 1);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rows.text), sample_rows);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rest), sample_rest);
  reading_free(&r);
}

static void random_bodies_cut_anywhere_equal_cjson(void)
{
  for (int round = 0; round < 400; round++) {
    AUTO_BUF struct buf body = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20);
    random_body(&body, random_below(12));
    collect_cjson(&expected, buf_str(&body));
    for (int k = 0; k < 8; k++) {
      size_t cuts[3] = {random_below(body.len), 0, 0};
      cuts[1] = cuts[0] + random_below(body.len - cuts[0]);
      cuts[2] = cuts[1] + random_below(body.len - cuts[1]);
      struct reading r;
      read_cut(&r, body.data, body.len, cuts, (size_t)k % 4, random_below(3));
      if (r.error.code != ERR_OK || !same(&r.rows.text, &expected)) {
        printf("\n    %s\n    %s\n", buf_str(&body), r.error.message);
        CU_FAIL("differs from cJSON");
      }
      reading_free(&r);
    }
  }
}

static void every_prefix_is_truncated(void)
{
  for (size_t len = 0; len < strlen(sample); len++) {
    struct reading r;
    read_cut(&r, sample, len, NULL, 0, 0);
    if (strcmp(r.error.reason, "truncated_response") != 0 || r.error.code != ERR_UNAVAILABLE)
      printf("\n    prefix of %zu bytes: %s\n", len, r.error.reason);
    CU_ASSERT_STRING_EQUAL(r.error.reason, "truncated_response");
    reading_free(&r);
  }
}

static void malformed_bodies_are_refused(void)
{
  static const char *const bodies[] = {
      "[]",
      "null",
      "\"x\"",
      "<html>",
      "{} x",
      "{\"rows\":{}}",
      "{\"rows\":\"x\"}",
      "{\"rows\":[1]}",
      "{\"rows\":[[]]}",
      "{\"rows\":[],\"rows\":[]}",
      "{\"rows\":[{\"dimensionValues\":{}}]}",
      "{\"rows\":[{\"dimensionValues\":[1]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":[]}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":true}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\",\"value\":\"b\"}]}]}",
      "{\"rows\":[{\"metricValues\":[],\"metricValues\":[]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\"}]},{\"dimensionValues\":[]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\u0000\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\ud83d\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\ud83dx\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\ud83d\\n\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\ud83d\\u0041\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\ude00\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\u12g4\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\x\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\x80\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\xc3\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\xc0\xaf\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\xed\xa0\x80\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\xf5\x80\x80\x80\"}]}]}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\tb\"}]}]}",
      "{\"x\":\"\xff\"}",
      "{\"x\":01}",
      "{\"x\":-}",
      "{\"x\":1.}",
      "{\"x\":1e}",
      "{\"x\":.5}",
      "{\"x\":+1}",
      "{\"x\":nul}",
      "{\"x\":truf}",
      "{\"x\":NaN}",
      "{\"x\" 1}",
      "{\"x\":1,}",
      "{,}",
      "{x:1}",
      "{\"x\":[1,]}",
      "{\"x\":[1}",
      "{\"x\":{\"y\":1]}",
      "{\"rows\":[}",
      "{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\"},]}]}",
  };
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
    CU_ASSERT(refused(bodies[i], "malformed_response"));
}

static void nesting_beyond_the_limit_is_refused(void)
{
  AUTO_BUF struct buf body = BUF_INIT(1 << 20);
  buf_puts(&body, "{\"x\":");
  for (int i = 0; i < 100000; i++)
    buf_putc(&body, '[');
  CU_ASSERT(refused(buf_str(&body), "malformed_response"));
}

static void flipped_bytes_never_crash(void)
{
  size_t len = strlen(sample);
  for (int round = 0; round < 20000; round++) {
    AUTO_FREE char *body = xstrdup(sample);
    for (uint64_t n = 1 + random_below(3); n > 0; n--)
      body[random_below(len)] = (char)random_below(256);
    size_t cut = random_below(len);
    struct reading whole, cut_up;
    read_cut(&whole, body, len, NULL, 0, 0);
    read_cut(&cut_up, body, len, &cut, 1, 0);
    CU_ASSERT_EQUAL(whole.error.code, cut_up.error.code);
    CU_ASSERT(same(&whole.rows.text, &cut_up.rows.text));
    reading_free(&whole);
    reading_free(&cut_up);
  }
}

static void rest_and_rows_have_caps(void)
{
  AUTO_BUF struct buf body = BUF_INIT(4 << 20);
  buf_puts(&body, "{\"metadata\":{\"x\":\"");
  for (int i = 0; i < 1100000; i++)
    buf_putc(&body, 'x');
  buf_puts(&body, "\"}}");
  CU_ASSERT(refused(buf_str(&body), "response_too_large"));
  buf_clear(&body);
  buf_puts(&body, "{\"rows\":[{\"dimensionValues\":[{\"value\":\"\\n");
  for (int i = 0; i < 300000; i++)
    buf_putc(&body, 'x');
  buf_puts(&body, "\"}]}]}");
  CU_ASSERT(refused(buf_str(&body), "response_too_large"));
}

static void unknown_members_of_any_size_are_skipped(void)
{
  AUTO_BUF struct buf body = BUF_INIT(4 << 20);
  buf_puts(&body, "{\"chart\":[\"");
  for (int i = 0; i < 2000000; i++)
    buf_putc(&body, 'x');
  buf_puts(&body, "\"],\"rowCount\":0}");
  struct reading r;
  read_whole(&r, buf_str(&body));
  CU_ASSERT_EQUAL(r.error.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rest), "{\"chart\":null,\"rowCount\":0}");
  reading_free(&r);
}

static bool number_is(const char *text)
{
  double expected = strtod(text, NULL), got = rows_number_parse(text, strlen(text));
  if (memcmp(&expected, &got, sizeof(got)) != 0)
    printf("\n    %s: %.17g, expected %.17g\n", text, got, expected);
  return memcmp(&expected, &got, sizeof(got)) == 0;
}

static void numbers_are_exact(void)
{
  static const char *const known[] = {"0",
                                      "-0",
                                      "42",
                                      "0.1",
                                      "0.97348484848484851",
                                      "9007199254740993",
                                      "18446744073709551615",
                                      "12345678901234567890123",
                                      "1e300",
                                      "1.5E-7",
                                      "123456.789",
                                      "0.30000000000000004",
                                      "9007199254740993.0",
                                      "2.2250738585072011e-308",
                                      "0.00000000000000000000000000001",
                                      "9223372036854775807",
                                      "9223372036854775808.5",
                                      "18014398509481985",
                                      "36028797018963969"};
  char text[64];
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    CU_ASSERT(number_is(known[i]));
  for (int i = 0; i < 200000; i++) {
    double v = (double)random_below(UINT64_C(1) << 40) / (double)(1 + random_below(1 << 20));
    snprintf(text, sizeof(text), i % 2 == 0 ? "%.17g" : "%.15g", v);
    CU_ASSERT_FATAL(number_is(text));
    snprintf(text, sizeof(text), "%llu.%llu", (unsigned long long)random_below(100000),
             (unsigned long long)random_below(UINT64_MAX >> random_below(60)));
    CU_ASSERT_FATAL(number_is(text));
  }
}

static void text_that_is_no_number_is_nan(void)
{
  static const char *const texts[] = {"",   "(not set)", "nan", "inf", "0x10", "1,5",
                                      " 1", "1 ",        "+1",  "-",   "1e",   "01",
                                      ".5", "1.",        "--1", "1e+", "1.2.3"};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    CU_ASSERT(isnan(rows_number_parse(texts[i], strlen(texts[i]))));
}

static void dictionary_gives_each_text_one_code(void)
{
  struct dictionary d;
  size_t budget = 1 << 20;
  char text[32];
  dictionary_init(&d);
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 5000; i++) {
      uint32_t code = 0;
      int len = snprintf(text, sizeof(text), "value %u", i);
      CU_ASSERT(dictionary_code(&code, &d, text, (size_t)len, &budget));
      CU_ASSERT_EQUAL(code, i);
      CU_ASSERT_STRING_EQUAL(dictionary_text(&d, code), text);
    }
  }
  CU_ASSERT_EQUAL(d.count, 5000);
  dictionary_free(&d);
}

static void dictionary_keeps_to_its_budget(void)
{
  struct dictionary d;
  size_t budget = 100;
  uint32_t code, added = 0;
  char text[2] = "a";
  dictionary_init(&d);
  while (dictionary_code(&code, &d, text, 1, &budget)) {
    text[0]++;
    added++;
  }
  CU_ASSERT(added > 0 && added < 20);
  CU_ASSERT(dictionary_code(&code, &d, "a", 1, &budget));
  dictionary_free(&d);
}

static enum rows_step add_row(void *user, const struct rows_row *row, struct err *e)
{
  return columns_add(user, row, e) == ERR_OK ? ROWS_MORE : ROWS_FAIL;
}

static void columns_code_dimensions_and_parse_metrics(void)
{
  struct columns *c = columns_new(&(struct columns_options){0});
  struct rows_options options = {.on_row = add_row, .user = c};
  struct rows_decoder *d = rows_decoder_new(&options);
  struct err e = {0};
  CU_ASSERT_EQUAL(feed_piece(d, sample, strlen(sample), &e), ROWS_FED_ALL);
  Analytics__Report__V1__ColumnChunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  columns_chunk(&chunk, c);
  CU_ASSERT_EQUAL(chunk.row_count, 3);
  CU_ASSERT_EQUAL_FATAL(chunk.n_dimensions, 2);
  CU_ASSERT_EQUAL(chunk.dimensions[0]->n_dictionary, 3);
  CU_ASSERT_STRING_EQUAL(chunk.dimensions[0]->dictionary[2], "");
  CU_ASSERT_EQUAL(chunk.dimensions[1]->indices[2], 2);
  CU_ASSERT_EQUAL(chunk.metrics[0]->values[2], 17.0);
  columns_next(c);
  CU_ASSERT_EQUAL(columns_rows(c), 0);
  /* The dictionary lives on: nothing new in the second reading. */
  rows_decoder_reset(d);
  feed_piece(d, sample, strlen(sample), &e);
  columns_chunk(&chunk, c);
  CU_ASSERT_EQUAL(chunk.dimensions[1]->n_dictionary, 0);
  CU_ASSERT_EQUAL(chunk.dimensions[1]->indices[1], 1);
  rows_decoder_free(d);
  columns_free(c);
}

/* Adds one value as the metric `name`; the double it became, or NaN with the error. */
static double column_of(const char *text, size_t len, const char *name, struct err *e)
{
  Analytics__Ga4__V1beta__RunReportRequest report =
      ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  Analytics__Ga4__V1beta__Metric metric = ANALYTICS__GA4__V1BETA__METRIC__INIT, *list[] = {&metric};
  Analytics__Report__V1__ColumnChunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  struct rows_text value = {text, len};
  struct rows_row row = {NULL, &value, 0, 1, 0};
  metric.name = (char *)(uintptr_t)name;
  report.metrics = list;
  report.n_metrics = 1;
  struct columns *c = columns_new(
      &(struct columns_options){.chunk_rows = 4, .report = name != NULL ? &report : NULL});
  double out = NAN;
  *e = (struct err){0};
  if (columns_add(c, &row, e) == ERR_OK) {
    columns_chunk(&chunk, c);
    out = chunk.metrics[0]->values[0];
  }
  columns_free(c);
  return out;
}

static void values_that_are_no_numbers_are_refused_by_metric(void)
{
  static const char *const texts[] = {"",
                                      "(not set)",
                                      "NaN",
                                      "nan",
                                      "Infinity",
                                      "-Infinity",
                                      "inf",
                                      "1e999",
                                      "-1e999",
                                      "0x10",
                                      "1,234",
                                      "1.234.567",
                                      "1 234",
                                      "12%",
                                      "$5",
                                      "--1",
                                      "1e",
                                      " 1",
                                      ("1\xc2\xa0"
                                       "234"),
                                      "\xd9\xa1",
                                      "1_000",
                                      "true",
                                      "null",
                                      "\n\"\x01"};
  struct err e;
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    CU_ASSERT(isnan(column_of(texts[i], strlen(texts[i]), "bounceRate", &e)));
    CU_ASSERT_EQUAL(e.code, ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(e.reason, "invalid_data");
    CU_ASSERT_EQUAL(strncmp(e.message, "metric bounceRate: Google's value \"", 35), 0);
    for (const char *p = e.message; *p != '\0'; p++)
      CU_ASSERT(*p >= ' ' && *p <= '~');
  }
  column_of("NaN", 3, NULL, &e);
  CU_ASSERT_EQUAL(strncmp(e.message, "metric number 1: ", 17), 0);
  CU_ASSERT_EQUAL(column_of("1e308", 5, "m", &e), 1e308);
  CU_ASSERT_EQUAL(column_of("-0", 2, "m", &e), 0);
  CU_ASSERT_FALSE(signbit(column_of("-0", 2, "m", &e)) || signbit(column_of("-0.0e7", 6, "m", &e)));
  CU_ASSERT_FALSE(signbit(column_of("-1e-999", 7, "m", &e)));
}

/* Any text becomes the number that it is, or an error; never something else. */
static void no_text_becomes_nan_or_infinity(void)
{
  static const char alphabet[] = "0123456789012345678900..eE+--NaInfxy,( )%\xff";
  char text[24];
  size_t numbers = 0;
  for (int i = 0; i < 300000; i++) {
    size_t len = random_below(12);
    for (size_t k = 0; k < len; k++)
      text[k] = alphabet[random_below(sizeof(alphabet) - 1)];
    if (random_below(3) == 0)
      len = (size_t)snprintf(text, sizeof(text), "%llue%llu",
                             (unsigned long long)random_below(100000),
                             (unsigned long long)random_below(400));
    text[len] = '\0';
    struct err e;
    double value = column_of(text, len, "m", &e);
    if (e.code != ERR_OK)
      continue;
    numbers++;
    CU_ASSERT_FATAL(isfinite(value) && value == strtod(text, NULL));
  }
  CU_ASSERT(numbers > 30000);
}

static void columns_refuse_too_many_values(void)
{
  struct columns *c = columns_new(&(struct columns_options){.max_dictionary_bytes = 60});
  struct rows_options options = {.on_row = add_row, .user = c};
  struct rows_decoder *d = rows_decoder_new(&options);
  struct err e = {0};
  CU_ASSERT_EQUAL(feed_piece(d, sample, strlen(sample), &e), ROWS_FED_ERROR);
  CU_ASSERT_EQUAL(e.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "too_many_values");
  rows_decoder_free(d);
  columns_free(c);
}

static void chunk_is_full_by_rows_or_by_text(void)
{
  struct rows_text city = {"Portland", 8}, other = {"Tacoma", 6}, metric = {"1", 1};
  struct rows_row row = {&city, &metric, 1, 1, 0}, row2 = {&other, &metric, 1, 1, 0};
  struct columns *by_rows = columns_new(&(struct columns_options){.chunk_rows = 2});
  struct columns *by_text = columns_new(&(struct columns_options){.chunk_text_bytes = 10});
  columns_add(by_rows, &row, NULL);
  CU_ASSERT_FALSE(columns_full(by_rows));
  columns_add(by_rows, &row, NULL);
  CU_ASSERT(columns_full(by_rows));
  columns_add(by_text, &row, NULL);
  columns_add(by_text, &row, NULL);
  CU_ASSERT_FALSE(columns_full(by_text));
  columns_add(by_text, &row2, NULL);
  CU_ASSERT(columns_full(by_text));
  columns_free(by_rows);
  columns_free(by_text);
}

/* Hundreds of short reports arrive together: each takes what its rows need, and grows with them. */
static void columns_take_memory_as_rows_come(void)
{
  enum { ROWS = 5000 };
  struct columns *c = columns_new(&(struct columns_options){0});
  char text[16];
  size_t at_100 = 0;
  for (int i = 0; i < ROWS && !columns_full(c); i++) {
    size_t len = (size_t)snprintf(text, sizeof(text), "%d", i);
    struct rows_text city = {i % 2 == 0 ? "Bend" : "Salem", i % 2 == 0 ? 4 : 5}, n = {text, len};
    CU_ASSERT_EQUAL(columns_add(c, &(struct rows_row){&city, &n, 1, 1, 0}, NULL), ERR_OK);
    at_100 = i == 99 ? columns_memory(c) : at_100;
  }
  Analytics__Report__V1__ColumnChunk chunk = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  columns_chunk(&chunk, c);
  CU_ASSERT_EQUAL(chunk.row_count, 4096);
  for (size_t i = 0; i < chunk.row_count; i++)
    CU_ASSERT_TRUE(chunk.metrics[0]->values[i] == (double)i &&
                   chunk.dimensions[0]->indices[i] == i % 2);
  CU_ASSERT_TRUE(at_100 < 8192);
  CU_ASSERT_TRUE(columns_memory(c) > 4096 * (sizeof(double) + sizeof(uint32_t)));
  columns_free(c);
}

/* ------------------------------------------------------------------ batches */

/* Three reports of other shapes: compact, spaced with escapes, without rows; unknown members. */
static const char batch_body[] =
    "{\"reports\":[{\"dimensionHeaders\":[{\"name\":\"city\"}],\"rows\":["
    "{\"dimensionValues\":[{\"value\":\"Bend\"}],\"metricValues\":[{\"value\":\"1\"},{\"value\":"
    "\"2\"}]},"
    "{\"dimensionValues\":[{\"value\":\"Salem\"}],\"metricValues\":[{\"value\":\"3\"},{\"value\":"
    "\"4\"}]}],"
    "\"rowCount\":2,\"odd\":{\"rows\":[{\"a\":1}]}},"
    "{ \"rows\" : [ { \"metricValues\" : [ { \"value\" : \"\\u00e9\" } ] } ], \"rowCount\" : 1 },"
    "{\"metricHeaders\":[{\"name\":\"sessions\"}]}],"
    "\"other\":{\"reports\":[{\"rows\":[]}]},\"kind\":\"analyticsData#batchRunReports\"}";

static void rows_of_a_batch_go_out_with_the_number_of_their_report(void)
{
  AUTO_BUF struct buf expected = BUF_INIT(10000);
  struct reading r;
  size_t len = strlen(batch_body);
  collect_cjson_batch(&expected, batch_body);
  CU_ASSERT_STRING_EQUAL(buf_str(&expected), "0:Bend|#1|2|\n0:Salem|#3|4|\n1:#\xc3\xa9|\n");
  for (size_t stop = 0; stop < 3; stop++) {
    for (size_t cut = 0; cut <= len; cut++) {
      read_pieces(&r, batch_body, len, &cut, 1, stop, true);
      CU_ASSERT_EQUAL(r.error.code, ERR_OK);
      CU_ASSERT(same(&r.rows.text, &expected));
      reading_free(&r);
    }
  }
}

static void the_rest_of_a_batch_keeps_each_report_without_its_rows(void)
{
  struct reading r;
  read_pieces(&r, batch_body, strlen(batch_body), NULL, 0, 0, true);
  CU_ASSERT_STRING_EQUAL(buf_str(&r.rest),
                         "{\"reports\":[{\"dimensionHeaders\":[{\"name\":\"city\"}],\"rows\":[],"
                         "\"rowCount\":2,\"odd\":null},{ \"rows\" : [], \"rowCount\" : 1 },"
                         "{\"metricHeaders\":[{\"name\":\"sessions\"}]}],"
                         "\"other\":null,\"kind\":null}");
  reading_free(&r);
}

static bool batch_refused(const char *body, const char *text)
{
  struct reading r;
  read_pieces(&r, body, strlen(body), NULL, 0, 0, true);
  bool ok = strcmp(r.error.reason, "malformed_response") == 0 && strstr(r.error.message, text);
  if (!ok)
    printf("\n    %s: got %s\n", body, r.error.message);
  reading_free(&r);
  return ok;
}

static void a_batch_that_is_none_is_refused(void)
{
  CU_ASSERT(batch_refused("{\"reports\":[{},{},{},{},{},{}]}", "more than 5 reports"));
  CU_ASSERT(batch_refused("{\"reports\":[],\"reports\":[]}", "\"reports\" occurs twice"));
  CU_ASSERT(batch_refused("{\"reports\":{}}", "\"reports\" is not a list"));
  CU_ASSERT(batch_refused("{\"reports\":[7]}", "a report is not an object"));
  CU_ASSERT(batch_refused("{\"reports\":[{\"rows\":[],\"rows\":[]}]}", "\"rows\" occurs twice"));
}

/* Takes the row of these dimension values. */
static enum seen_row see(struct seen *s, struct columns *c, size_t n, const char *const *texts)
{
  struct rows_text dimensions[3], one = {"1", 1};
  for (size_t i = 0; i < n; i++)
    dimensions[i] = (struct rows_text){texts[i], strlen(texts[i])};
  CU_ASSERT_EQUAL_FATAL(columns_read(c, &(struct rows_row){dimensions, &one, n, 1, 0}, NULL),
                        ERR_OK);
  struct columns_row row = columns_last(c);
  enum seen_row seen = seen_row(s, &row);
  if (seen == SEEN_NEW)
    columns_keep(c);
  return seen;
}

/* 3 cities in 2 comparisons and 2 date ranges, but one row that is empty: whatever Google counts,
 * the end of a page is found. */
static void what_google_counts_is_told_by_what_came(void)
{
  static const char *const cities[] = {"Reno", "Boise", "Salem"},
                           *const sides[] = {"all", "mobile"}, *const ranges[] = {"now", "then"};
  struct seen *s = seen_new(1);
  struct columns *c = columns_new(&(struct columns_options){0});
  seen_begin_page(s);
  for (size_t i = 0; i < 12; i++)
    if (i != 7)
      CU_ASSERT_EQUAL(
          see(s, c, 3, (const char *[]){cities[i / 4], sides[i / 2 % 2], ranges[i % 2]}), SEEN_NEW);
  CU_ASSERT_EQUAL(see(s, c, 3, (const char *[]){"Salem", "mobile", "then"}), SEEN_TWICE);
  CU_ASSERT_EQUAL(seen_counted(s, 11), 11); /* rows */
  CU_ASSERT_EQUAL(seen_counted(s, 6), 6);   /* cities with a comparison, or with a range */
  CU_ASSERT_EQUAL(seen_counted(s, 3), 3);   /* cities */
  CU_ASSERT_EQUAL(seen_counted(s, 5), 3);   /* an announced end that nothing fits */
  seen_free(s);
  columns_free(c);
}

/* After a cut each row comes again: with its own values, or with others. Texts that only together
 * are equal ("a", "bc" and "ab", "c") are two rows. */
static void rows_of_a_page_that_starts_again_are_known_by_all_their_values(void)
{
  struct seen *s = seen_new(2);
  struct columns *c = columns_new(&(struct columns_options){0});
  seen_begin_page(s);
  CU_ASSERT_EQUAL(see(s, c, 2, (const char *[]){"a", "bc"}), SEEN_NEW);
  CU_ASSERT_EQUAL(see(s, c, 2, (const char *[]){"ab", "c"}), SEEN_NEW);
  CU_ASSERT_EQUAL(see(s, c, 2, (const char *[]){"ab", "bc"}), SEEN_NEW);
  seen_begin_again(s);
  CU_ASSERT_EQUAL(see(s, c, 2, (const char *[]){"ab", "bc"}), SEEN_AGAIN);
  struct rows_text texts[] = {{"ab", 2}, {"c", 1}}, other = {"1.5", 3};
  CU_ASSERT_EQUAL(columns_read(c, &(struct rows_row){texts, &other, 2, 1, 0}, NULL), ERR_OK);
  struct columns_row row = columns_last(c);
  CU_ASSERT_EQUAL(seen_row(s, &row), SEEN_CHANGED);
  CU_ASSERT_EQUAL(see(s, c, 2, (const char *[]){"c", "c"}), SEEN_NEW);
  CU_ASSERT_EQUAL(columns_rows(c), 4);
  seen_free(s);
  columns_free(c);
}

/* Either of the two added dimensions may be the one that is counted. */
static void an_added_dimension_is_counted_in_either_place(void)
{
  for (size_t swapped = 0; swapped < 2; swapped++) {
    struct seen *s = seen_new(1);
    struct columns *c = columns_new(&(struct columns_options){0});
    seen_begin_page(s);
    for (size_t i = 0; i < 4; i++) { /* one city, four comparisons, one range each */
      const char *side = (const char *[]){"a", "b", "c", "d"}[i], *range = i % 2 ? "now" : "then";
      see(s, c, 3, (const char *[]){"Reno", swapped ? range : side, swapped ? side : range});
    }
    see(s, c, 3, (const char *[]){"Reno", swapped ? "now" : "a", swapped ? "a" : "now"});
    CU_ASSERT_EQUAL(seen_counted(s, 4), 4);
    CU_ASSERT_EQUAL(seen_counted(s, 2), 2);
    CU_ASSERT_EQUAL(seen_counted(s, 5), 5);
    CU_ASSERT_EQUAL(seen_counted(s, 1), 1);
    seen_free(s);
    columns_free(c);
  }
}

TEST_MAIN("report rows", TEST(columns_take_memory_as_rows_come), TEST(sample_gives_rows_and_rest),
          TEST(every_cut_of_the_sample_gives_the_same), TEST(byte_by_byte_gives_the_same),
          TEST(random_bodies_cut_anywhere_equal_cjson), TEST(every_prefix_is_truncated),
          TEST(malformed_bodies_are_refused), TEST(nesting_beyond_the_limit_is_refused),
          TEST(flipped_bytes_never_crash), TEST(rest_and_rows_have_caps),
          TEST(unknown_members_of_any_size_are_skipped), TEST(numbers_are_exact),
          TEST(text_that_is_no_number_is_nan), TEST(dictionary_gives_each_text_one_code),
          TEST(dictionary_keeps_to_its_budget), TEST(columns_code_dimensions_and_parse_metrics),
          TEST(values_that_are_no_numbers_are_refused_by_metric),
          TEST(no_text_becomes_nan_or_infinity), TEST(columns_refuse_too_many_values),
          TEST(chunk_is_full_by_rows_or_by_text),
          TEST(rows_of_a_batch_go_out_with_the_number_of_their_report),
          TEST(the_rest_of_a_batch_keeps_each_report_without_its_rows),
          TEST(a_batch_that_is_none_is_refused), TEST(what_google_counts_is_told_by_what_came),
          TEST(rows_of_a_page_that_starts_again_are_known_by_all_their_values),
          TEST(an_added_dimension_is_counted_in_either_place))
