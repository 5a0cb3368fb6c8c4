/* Metadata of a client call: what goes out, and what the trailers say. */
#include <grpc/slice.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/client.h"
#include "common/trace/tracer.h"

enum { PASSED_ON = 3 }; /* entries that may come from the parent: grant and trace */

static bool has_key(const struct rpc_client_options *o, const char *key)
{
  for (size_t i = 0; i < o->n_metadata; i++)
    if (strcmp(o->metadata[i].key, key) == 0)
      return true;
  return false;
}

/* Adds a copy. False when the transport would refuse it. */
static bool add(struct rpc_client_call *call, const char *key, const void *value, size_t len)
{
  grpc_metadata *md = &call->metadata[call->n_metadata++];
  md->key = grpc_slice_from_copied_string(key);
  md->value = grpc_slice_from_copied_buffer(value, len);
  return grpc_header_key_is_legal(md->key) &&
         (grpc_is_binary_header(md->key) || grpc_header_nonbin_value_is_legal(md->value));
}

/* A key of the parent's metadata goes on unless the options hold it. What came in over
 * the transport is fit to go out again. */
static void pass_on(struct rpc_client_call *call, const struct rpc_client_options *o,
                    const char *key)
{
  size_t len;
  const void *value = rpc_call_metadata(o->parent, key, &len);
  if (value != NULL && !has_key(o, key))
    add(call, key, value, len);
}

/* Where traces are recorded, each attempt puts its own span into the entry. */
static void add_trace(struct rpc_client_call *call, const struct rpc_client_options *o)
{
  char parent[TRACE_PARENT_LEN + 1] = "";
  const struct trace_context *trace = client_trace_of(o);
  if (has_key(o, RPC_META_TRACEPARENT) || (trace == NULL && !trace_on()))
    return;
  if (trace != NULL) {
    call->trace = xmalloc(sizeof(*call->trace));
    trace_context_copy(call->trace, trace);
    trace_context_parent(trace, parent);
  }
  call->trace_at = call->n_metadata;
  add(call, RPC_META_TRACEPARENT, parent, strlen(parent));
  if (trace != NULL && trace->state[0] != '\0')
    add(call, RPC_META_TRACESTATE, trace->state, strlen(trace->state));
}

enum err_code client_metadata_make(struct rpc_client_call *call,
                                   const struct rpc_client_options *options, struct err *e)
{
  call->metadata = xcalloc(options->n_metadata + PASSED_ON, sizeof(call->metadata[0]));
  call->trace_at = SIZE_MAX;
  for (size_t i = 0; i < options->n_metadata; i++) {
    const struct rpc_metadata *md = &options->metadata[i];
    if (!add(call, md->key, md->value, md->value_len))
      return err_set(e, ERR_INVALID_ARGUMENT, "bad_metadata",
                     "metadata %s: keys are lower case, and only keys that end in -bin may hold "
                     "other than printable ASCII",
                     md->key);
  }
  if (options->parent != NULL)
    pass_on(call, options, RPC_META_GRANT);
  add_trace(call, options);
  return ERR_OK;
}

void client_metadata_free(struct rpc_client_call *call)
{
  for (size_t i = 0; i < call->n_metadata; i++) {
    grpc_slice_unref(call->metadata[i].key);
    grpc_slice_unref(call->metadata[i].value);
  }
  free(call->metadata);
}

void client_trailer(const struct rpc_client_call *call, const char *key, char *out, size_t size)
{
  out[0] = '\0';
  for (size_t i = 0; i < call->trailing.count; i++) {
    const grpc_metadata *md = &call->trailing.metadata[i];
    if (grpc_slice_str_cmp(md->key, key) != 0)
      continue;
    size_t len = GRPC_SLICE_LENGTH(md->value);
    if (len >= size)
      len = size - 1;
    memcpy(out, GRPC_SLICE_START_PTR(md->value), len);
    out[len] = '\0';
    return;
  }
}

void client_details(const struct rpc_client_call *call, struct err *e)
{
  for (size_t i = 0; i < call->trailing.count; i++) {
    const grpc_metadata *md = &call->trailing.metadata[i];
    if (grpc_slice_str_cmp(md->key, RPC_META_DETAILS) == 0)
      err_set_details(e, GRPC_SLICE_START_PTR(md->value), GRPC_SLICE_LENGTH(md->value));
  }
}
