/* Calls a tool through the whole service. */
#include "tests/unit/report/support/tool_run.h"

#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"

void *tool_run(struct fakes *f, const char *rpc, const ProtobufCMessage *request, struct err *e)
{
  static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
  struct rpc_client_options options = {.timeout_ms = 10000, .metadata = &grant, .n_metadata = 1};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__report_service__descriptor,
                       rpc, request, &options, e);
  return response;
}

void tool_free(void *response)
{
  if (response != NULL)
    protobuf_c_message_free_unpacked(response, NULL);
}

bool tool_asked(struct fakes *f, const char *url, const char *body)
{
  pthread_mutex_lock(&f->lock);
  bool same = strcmp(f->last_url, url) == 0 && (body == NULL || strcmp(f->last_body, body) == 0);
  if (!same)
    printf("\n    %s\n    %s\n", f->last_url, f->last_body);
  pthread_mutex_unlock(&f->lock);
  return same;
}
