/* Dealers that differ in their numbers, and in name and city from a short list. */
#include "ga4-sim/stub/dealers.h"

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "ga4-sim/base/file.h"

enum { FILE_MAX = 16 * 1024 * 1024 };

static void put_dealer(struct buf *out, size_t i, size_t regions, const char *base_url)
{
  static const char *const makes[] = {"Ford", "Toyota", "Honda", "Chevrolet", "Jeep", "Kia", "BMW"};
  static const char *const places[][2] = {{"Dallas", "TX"},   {"Austin", "TX"}, {"Denver", "CO"},
                                          {"Phoenix", "AZ"},  {"Tulsa", "OK"},  {"Omaha", "NE"},
                                          {"Portland", "OR"}, {"Boise", "ID"},  {"Fresno", "CA"},
                                          {"Tampa", "FL"},    {"Reno", "NV"}};
  const char *const *place = places[i % ARRAY_LEN(places)];
  buf_printf(out, "{\"account_id\":\"a%zu\",\"dealer_id\":\"d%02zu\",", i + 1, i + 1);
  buf_printf(out, "\"name\":\"%s %s %zu\",\"region\":\"Region %zu\",", place[0],
             makes[i % ARRAY_LEN(makes)], i + 1, i % regions + 1);
  buf_printf(out, "\"city\":\"%s\",\"state\":\"%s\",\"owner\":\"owner %zu\",", place[0], place[1],
             i + 1);
  buf_printf(out,
             "\"oauth\":{\"client_id\":\"stub\",\"client_secret\":\"stub-secret\","
             "\"refresh_token\":\"stub-refresh-%zu\",\"token_uri\":\"%s/token\"},",
             i + 1, base_url);
  buf_printf(out, "\"properties\":[\"%zu\"]}", 500000001 + i);
}

enum err_code stub_dealers_write(const char *path, size_t n, size_t regions, const char *base_url,
                                 struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
  buf_puts(&text, "{\"dealers\":[\n");
  for (size_t i = 0; i < n; i++) {
    put_dealer(&text, i, regions, base_url);
    buf_puts(&text, i + 1 < n ? ",\n" : "\n");
  }
  buf_puts(&text, "]}\n");
  if (text.failed)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "write", "%s would be too large", path);
  return file_write_private(path, &text, e);
}
