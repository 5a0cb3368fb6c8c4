/* Fuzz target of proto3 JSON over a report request, whose filters recurse: what is read is
 * written and read again to the same message. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/pbjson/pbjson.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_MAX = 1 << 20, TEXT_MAX = 4 << 20 };

static const ProtobufCMessageDescriptor *const type =
    &analytics__report__v1__run_report_request__descriptor;

static ProtobufCMessage *read_request(const char *text, size_t len, struct arena *arena,
                                      const struct pbjson_read_options *options, struct err *e)
{
  ProtobufCMessage *message = NULL;
  enum err_code code = pbjson_read_text(&message, type, text, len, arena, options, e);
  FUZZ_MUST((code == ERR_OK) == (message != NULL));
  FUZZ_MUST(code == ERR_OK || e->message[0] != '\0');
  return message;
}

static void read_again(const ProtobufCMessage *message, const struct pbjson_write_options *write)
{
  struct buf first = BUF_INIT(TEXT_MAX), second = BUF_INIT(TEXT_MAX);
  struct arena *arena = arena_new((size_t)8 * ARENA_MAX);
  struct err e = {0};
  if (pbjson_write(&first, message, write, &e) == ERR_OK) {
    ProtobufCMessage *again = read_request(first.data, first.len, arena, NULL, &e);
    FUZZ_MUST(again != NULL && pbjson_write(&second, again, write, &e) == ERR_OK);
    FUZZ_MUST(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
  }
  arena_free(arena);
  buf_free(&first);
  buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  struct pbjson_read_options read = {.ignore_unknown = choice & 1};
  struct pbjson_write_options write = {.names = choice & 2 ? PBJSON_CAMEL_CASE : PBJSON_SNAKE_CASE,
                                       .emit_defaults = choice & 4,
                                       .enums_as_numbers = choice & 8};
  AUTO_FREE char *text = fuzz_rest(&in);
  struct arena *arena = arena_new(ARENA_MAX);
  struct err e = {0};
  ProtobufCMessage *message = read_request(text, in.len, arena, &read, &e);
  if (message != NULL)
    read_again(message, &write);
  arena_free(arena);
  return 0;
}
