/* Packs and unpacks messages: one slice out, one check in front of every unpack.
 *
 * Messages carry bearers, grants and access tokens, so their bytes are overwritten before the
 * memory goes back, no matter who drops the last reference. */
#include "common/rpc/message.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <malloc.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/rpc/guard.h"

/* Above this, protobuf-c's temporary tables would stay in the arena as dead weight. */
enum { ARENA_MAX_WIRE = 16 * 1024 };

static void wipe_bytes(void *p, size_t len)
{
  mem_wipe(p, len);
  free(p);
}

/* What fits into the slice itself is too short to be a token; for the rest, the library calls back.
 */
grpc_slice rpc_pack_slice(const ProtobufCMessage *message)
{
  size_t len = protobuf_c_message_get_packed_size(message);
  grpc_slice slice = len <= GRPC_SLICE_INLINED_SIZE
                         ? grpc_slice_malloc(len)
                         : grpc_slice_new_with_len(xmalloc(len), len, wipe_bytes);
  protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
  return slice;
}

grpc_byte_buffer *rpc_pack(const ProtobufCMessage *message)
{
  grpc_slice slice = rpc_pack_slice(message);
  grpc_byte_buffer *bytes = grpc_raw_byte_buffer_create(&slice, 1);
  grpc_slice_unref(slice);
  return bytes;
}

static void *arena_allocate(void *arena, size_t size)
{
  return arena_alloc(arena, size);
}

static void arena_keep(void *arena, void *p)
{
  (void)arena;
  (void)p;
}

struct budget {
  size_t used, max;
};

static void *budget_allocate(void *budget, size_t size)
{
  struct budget *b = budget;
  if (size > b->max - b->used)
    return NULL;
  void *p = malloc(size);
  size_t real = p == NULL ? 0 : malloc_usable_size(p);
  b->used = real < b->max - b->used ? b->used + real : b->max;
  return p;
}

static void budget_free(void *budget, void *p)
{
  struct budget *b = budget;
  size_t real = p == NULL ? 0 : malloc_usable_size(p);
  b->used = real < b->used ? b->used - real : 0;
  free(p);
}

static enum err_code unpack_bytes(struct rpc_unpacked *out,
                                  const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
                                  size_t len, struct arena *arena, size_t max, struct err *e)
{
  enum err_code code = guard_check(descriptor, data, len, e);
  if (code != ERR_OK)
    return code;
  struct budget budget = {.max = max};
  out->on_heap = arena == NULL || (len > ARENA_MAX_WIRE && arena != out->own);
  ProtobufCAllocator allocator = {arena_allocate, arena_keep, arena};
  if (out->on_heap)
    allocator = (ProtobufCAllocator){budget_allocate, budget_free, &budget};
  out->message = protobuf_c_message_unpack(descriptor, &allocator, len, data);
  if (out->message == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "message_too_complex",
                   "%s of %zu bytes needs more than %zu bytes of memory; send fewer items",
                   descriptor->name, len, max);
  return ERR_OK;
}

grpc_slice rpc_gather(grpc_byte_buffer *bytes)
{
  if (bytes->data.raw.slice_buffer.count == 1)
    return grpc_slice_ref(bytes->data.raw.slice_buffer.slices[0]);
  grpc_byte_buffer_reader reader;
  if (!grpc_byte_buffer_reader_init(&reader, bytes))
    return grpc_empty_slice();
  grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
  grpc_byte_buffer_reader_destroy(&reader);
  return all;
}

/* `out` is empty, but for its own arena. */
static enum err_code unpack(struct rpc_unpacked *out, const ProtobufCMessageDescriptor *descriptor,
                            grpc_byte_buffer *bytes, struct arena *arena, size_t max, struct err *e)
{
  if (bytes == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "no_message", "the call carried no %s",
                   descriptor->name);
  /* Decompression is off (args.c): a small compressed message may hide a huge one. */
  if (bytes->data.raw.compression != GRPC_COMPRESS_NONE)
    return err_set(e, ERR_UNIMPLEMENTED, "compressed_message",
                   "compressed messages are not accepted; send them uncompressed");
  grpc_slice all = rpc_gather(bytes);
  enum err_code code = unpack_bytes(out, descriptor, GRPC_SLICE_START_PTR(all),
                                    GRPC_SLICE_LENGTH(all), arena, max, e);
  mem_wipe(GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all)); /* read once, here */
  grpc_slice_unref(all);
  return code;
}

enum err_code rpc_unpack(struct rpc_unpacked *out, const ProtobufCMessageDescriptor *descriptor,
                         grpc_byte_buffer *bytes, struct arena *arena, size_t max, struct err *e)
{
  *out = (struct rpc_unpacked){0};
  return unpack(out, descriptor, bytes, arena, max, e);
}

enum err_code rpc_unpack_whole(struct rpc_unpacked *out,
                               const ProtobufCMessageDescriptor *descriptor,
                               grpc_byte_buffer *bytes, size_t max, struct err *e)
{
  *out = (struct rpc_unpacked){.own = arena_new(max)};
  enum err_code code = unpack(out, descriptor, bytes, out->own, max, e);
  if (code != ERR_OK)
    rpc_unpacked_free(out);
  return code;
}

static void wipe_block(void *unused, void *p)
{
  (void)unused;
  mem_wipe(p, malloc_usable_size(p));
  free(p);
}

void rpc_unpacked_free(struct rpc_unpacked *u)
{
  ProtobufCAllocator wiping = {.free = wipe_block};
  if (u->on_heap && u->message != NULL)
    protobuf_c_message_free_unpacked(u->message, &wiping);
  arena_wipe(u->own);
  arena_free(u->own);
  *u = (struct rpc_unpacked){0};
}
