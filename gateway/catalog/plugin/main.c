/* protoc-gen-mcp: a protoc plugin that writes the tool catalogue of the gateway. */
#include <google/protobuf/compiler/plugin.pb-c.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/catalog/plugin/emit.h"

enum { REQUEST_BYTES = 64 << 20, ARENA_BYTES = 256 << 20, SOURCE_BYTES = 16 << 20 };
enum { PROBLEMS_BYTES = 16 * 1024, READ_BYTES = 64 * 1024 };

static char output_name[] = "catalog_generated.c";

static const char usage[] =
    "Run by protoc: protoc -I proto --mcp_out=DIR FILE.proto...\n"
    "Reads the request of protoc on stdin and answers on stdout with one file,\n"
    "catalog_generated.c: every rpc with the option (mcp.v1.tool) as a tool, with its\n"
    "description, schemas, annotations and rpc binding. A mistake in a .proto is reported\n"
    "as file:line: text and ends protoc with an error. Takes no parameters.\n";

static void free_arena(struct arena **a)
{
  arena_free(*a);
}

static bool read_all(struct buf *out)
{
  for (;;) {
    char *to = buf_reserve(out, READ_BYTES);
    if (to == NULL)
      return false;
    ssize_t n = read(STDIN_FILENO, to, READ_BYTES);
    if (n <= 0)
      return n == 0;
    out->len += (size_t)n;
  }
}

static bool answer(const char *error, char *content)
{
  Google__Protobuf__Compiler__CodeGeneratorResponse response =
      GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__INIT;
  Google__Protobuf__Compiler__CodeGeneratorResponse__File file =
      GOOGLE__PROTOBUF__COMPILER__CODE_GENERATOR_RESPONSE__FILE__INIT;
  Google__Protobuf__Compiler__CodeGeneratorResponse__File *files[] = {&file};
  AUTO_FREE char *error_copy = xstrdup(error);
  response.error = error_copy;
  if (error == NULL) {
    file.name = output_name;
    file.content = content;
    response.file = files;
    response.n_file = 1;
  }
  size_t size = protobuf_c_message_get_packed_size(&response.base);
  AUTO_FREE uint8_t *bytes = xmalloc(size + 1);
  protobuf_c_message_pack(&response.base, bytes);
  return fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0;
}

static bool generate(const Request *request, struct arena *arena)
{
  AUTO_BUF struct buf problems = BUF_INIT(PROBLEMS_BYTES);
  AUTO_BUF struct buf source = BUF_INIT(SOURCE_BYTES);
  if (request->parameter != NULL && request->parameter[0] != '\0')
    return answer("protoc-gen-mcp takes no parameters; write --mcp_out=DIR", NULL);
  struct model *model = model_new(request, arena, &problems);
  size_t n = 0;
  struct tool *tools = check_tools(model, &n);
  if (problems.len > 0) {
    AUTO_FREE char *text = xasprintf("\n%s", buf_str(&problems));
    return answer(text, NULL);
  }
  if (n == 0)
    return answer("no rpc has the option (mcp.v1.tool); name the files with the tools", NULL);
  emit_catalog(&source, model, tools, n);
  if (source.failed)
    return answer("the catalogue is larger than 16 MiB", NULL);
  return answer(NULL, source.data);
}

int main(int argc, char **argv)
{
  int exit_code = 0;
  if (!config_cli(argc, argv, "protoc-gen-mcp", "writes the MCP tool catalogue from .proto files",
                  usage, NULL, 0, &exit_code))
    return exit_code;
  AUTO_BUF struct buf input = BUF_INIT(REQUEST_BYTES);
  CLEANUP(free_arena) struct arena *arena = arena_new(ARENA_BYTES);
  if (!read_all(&input)) {
    fprintf(stderr, "protoc-gen-mcp: cannot read the request on stdin\n");
    return EXIT_FAILED;
  }
  ProtobufCAllocator allocator = pbjson_arena_allocator(arena);
  Request *request = google__protobuf__compiler__code_generator_request__unpack(
      &allocator, input.len, (const uint8_t *)buf_str(&input));
  if (request == NULL || request->n_proto_file == 0) {
    fprintf(stderr, "protoc-gen-mcp: stdin is not a request of protoc; see --help\n");
    return EXIT_USAGE;
  }
  return generate(request, arena) ? EXIT_OK : EXIT_FAILED;
}
