/* Fuzz target of the guard in front of protobuf-c, over a report request: what it accepts
 * unpacks, and packs to bytes it accepts too. */
#include <grpc/byte_buffer.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/rpc/guard.h"
#include "common/rpc/message.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_BYTES = 1 << 20 };

static const ProtobufCMessageDescriptor *const type =
    &analytics__report__v1__run_report_request__descriptor;

static void check_packed(const ProtobufCMessage *message)
{
  size_t len = protobuf_c_message_get_packed_size(message);
  AUTO_FREE uint8_t *bytes = xmalloc(len > 0 ? len : 1);
  struct err e = {0};
  FUZZ_MUST(protobuf_c_message_pack(message, bytes) == len);
  FUZZ_MUST(guard_check(type, bytes, len, &e) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  struct arena *arena = fuzz_byte(&in) & 1 ? arena_new(MAX_BYTES) : NULL;
  struct err e = {0};
  enum err_code guarded = guard_check(type, in.data, in.len, &e);
  grpc_slice slice = grpc_slice_from_copied_buffer((const char *)in.data, in.len);
  grpc_byte_buffer *bytes = grpc_raw_byte_buffer_create(&slice, 1);
  struct rpc_unpacked u = {0};
  enum err_code code = rpc_unpack(&u, type, bytes, arena, MAX_BYTES, &e);
  FUZZ_MUST(guarded == ERR_OK ? code == ERR_OK || code == ERR_RESOURCE_EXHAUSTED
                              : code == ERR_INVALID_ARGUMENT);
  if (code == ERR_OK) {
    check_packed(u.message);
    rpc_unpacked_free(&u);
  }
  grpc_byte_buffer_destroy(bytes);
  grpc_slice_unref(slice);
  arena_free(arena);
  return 0;
}
