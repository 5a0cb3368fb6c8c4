/* A mistake in a .proto ends the build with file, line and remedy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { OUTPUT_BYTES = 1 << 16 };

/* A good file with places for a mistake: comment and options of the rpc, its types, and the
 * fields of the request. Line 8 is the rpc's comment, line 9 the rpc, line 15 the first line
 * of the fields. */
#define FILE_TEXT(comment, rpc, options, fields)                                                   \
  "syntax = \"proto3\";\n"                                                                         \
  "package bad.v1;\n"                                                                              \
  "import \"google/protobuf/any.proto\";\n"                                                        \
  "import \"mcp/v1/options.proto\";\n"                                                             \
  "service S {\n"                                                                                  \
  "  // Other.\n"                                                                                  \
  "  rpc Other(Q) returns (A) { option (mcp.v1.tool) = {name: \"other\" title: \"O\"}; }\n"        \
  "  " comment "\n"                                                                                \
  "  " rpc " {\n"                                                                                  \
  "    option (mcp.v1.tool) = {" options "};\n"                                                    \
  "  }\n"                                                                                          \
  "}\n"                                                                                            \
  "enum E { E_UNSPECIFIED = 0; X = 1; }\n"                                                         \
  "message Q {\n" fields "\n}\n"                                                                   \
  "message P {\n  // N.\n  string n = 1 [(mcp.v1.field).required = true];\n  // M.\n"              \
  "  int32 m = 2;\n}\n"                                                                            \
  "message A {\n  // R.\n  int32 r = 1;\n}\n"                                                      \
  "message Unary {\n  // Far.\n  mcp.v1.Progress far = 1;\n}\n"                                    \
  "message Apart {\n  mcp.v1.Progress progress = 1;\n  A result = 2;\n}\n"                         \
  "message Unused {\n  google.protobuf.Any any = 1;\n}\n"                                          \
  "message Stream {\n  oneof event {\n    mcp.v1.Progress progress = 1;\n    A result = 2;\n"      \
  "  }\n}\n"

#define COMMENT "// Does it."
#define RPC "rpc Do(Q) returns (A)"
#define TOOL "name: \"do_it\" title: \"Do it\""
#define FIELD "  // F.\n  int32 f = 1;"
#define WITH_FIELD(text) FILE_TEXT(COMMENT, RPC, TOOL, text)

static void write_file(const char *dir, const char *text)
{
  AUTO_FREE char *path = xasprintf("%s/bad.proto", dir);
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}

static void remove_dir(const char *dir)
{
  AUTO_FREE char *proto = xasprintf("%s/bad.proto", dir);
  AUTO_FREE char *source = xasprintf("%s/catalog_generated.c", dir);
  unlink(proto);
  unlink(source);
  rmdir(dir);
}

/* Runs protoc with the plugin on a file; gives its exit code and what it printed. */
static int run_protoc(const char *text, const char *parameter, struct buf *out)
{
  char dir[] = "/tmp/catalog-plugin-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  write_file(dir, text);
  AUTO_FREE char *command =
      xasprintf("%s -I%s -I%s -I%s --plugin=protoc-gen-mcp=%s --mcp_out=%s%s bad.proto 2>&1",
                PROTOC, dir, PROTO_ROOT, WKT_ROOT, PLUGIN, parameter, dir);
  FILE *p = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  char chunk[4096];
  size_t n;
  while ((n = fread(chunk, 1, sizeof(chunk), p)) > 0)
    buf_append(out, chunk, n);
  int status = pclose(p);
  remove_dir(dir);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_refused(const char *text, const char *expected)
{
  AUTO_BUF struct buf out = BUF_INIT(OUTPUT_BYTES);
  int code = run_protoc(text, "", &out);
  CU_ASSERT_NOT_EQUAL(code, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), expected));
  if (strstr(buf_str(&out), expected) == NULL)
    printf("\n  expected %s\n  got %d %s\n", expected, code, buf_str(&out));
}

static void a_good_file_is_taken(void)
{
  AUTO_BUF struct buf out = BUF_INIT(OUTPUT_BYTES);
  CU_ASSERT_EQUAL(run_protoc(WITH_FIELD(FIELD), "", &out), 0);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
  buf_clear(&out);
  CU_ASSERT_EQUAL(
      run_protoc(FILE_TEXT(COMMENT, "rpc Do(Q) returns (stream Stream)", TOOL, FIELD), "", &out),
      0);
  CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
}

static void a_tool_needs_a_comment_a_title_and_a_good_name(void)
{
  expect_refused(FILE_TEXT("", RPC, TOOL, FIELD),
                 "bad.proto:9: tool do_it: no comment on rpc Do; write one above it");
  expect_refused(FILE_TEXT(COMMENT, RPC, "name: \"do_it\"", FIELD),
                 "bad.proto:9: tool do_it: no title; add `title: \"...\"` to the option");
  static const char *const bad[] = {
      "name: \"\" title: \"T\"", "name: \"Do-it\" title: \"T\"", "name: \"1st\" title: \"T\"",
      "name: \"a123456789b123456789c123456789d1234567890\" title: \"T\""};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO_FREE char *text = xasprintf(FILE_TEXT(COMMENT, RPC, "%s", FIELD), bad[i]);
    expect_refused(text, "bad.proto:9: rpc Do: bad tool name \"");
  }
}

static void two_tools_of_one_name_are_refused(void)
{
  expect_refused(FILE_TEXT(COMMENT, RPC, "name: \"other\" title: \"T\"", FIELD),
                 "tool other: the name is taken by bad.proto:7; choose another");
}

static void resources_and_prompts_that_cannot_be_served_are_refused(void)
{
#define RESOURCE(rest)                                                                             \
  " resources: {uri: \"a://b\" name: \"b\" title: \"B\" description: \"D\"" rest "}"
#define PROMPT(rest) " prompts: {name: \"p\" title: \"P\" description: \"D\" " rest "}"
  static const struct {
    const char *option, *problem;
  } rows[] = {
      {" resources: {uri: \"b\" name: \"b\" title: \"B\" description: \"D\"}",
       "tool do_it: resource \"b\": uri must be scheme://name"},
      {" resources: {uri: \"a://b\"}",
       "tool do_it: resource a://b: give name, title and description"},
      {RESOURCE(" arguments_json: \"[1]\""), "arguments_json must be a JSON object"},
      {RESOURCE(" arguments_json: \"{\""), "arguments_json must be a JSON object"},
      {" completions: {arguments_json: \"{}\"}", "tool do_it: completions: give of and column"},
      {" completions: {of: \"a\" column: \"b\" arguments_json: \"{}\"}",
       "arguments_json must be a JSON object with \"{value}\" in it"},
      {" app: \"bars\"", "tool do_it: app \"bars\" must be ui://analytics/NAME"},
      {RESOURCE("") RESOURCE(""), "tool do_it: a://b is there already; choose another name"},
      {" prompts: {name: \"P p\" title: \"P\" description: \"D\" text: \"t\"}",
       "tool do_it: bad prompt name \"P p\""},
      {PROMPT(""), "tool do_it: prompt p: give title, description and text"},
      {PROMPT("text: \"for {who}\""), "prompt p: {who} is not an argument of it"},
      {PROMPT("text: \"t\" arguments: {name: \"who\"}"),
       "prompt p: each argument needs a name of a-z, 0-9 and _, and a description"},
      {PROMPT("text: \"t\"") PROMPT("text: \"t\""), "tool do_it: p is there already"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO_FREE char *text = xasprintf(FILE_TEXT(COMMENT, RPC, "%s%s", FIELD), TOOL, rows[i].option);
    expect_refused(text, rows[i].problem);
  }
}

static void hints_that_contradict_are_refused(void)
{
  expect_refused(FILE_TEXT(COMMENT, RPC, TOOL " read_only: true destructive: true", FIELD),
                 "bad.proto:9: tool do_it: read_only and destructive exclude each other");
}

static void progress_needs_a_stream_of_the_right_form(void)
{
  expect_refused(FILE_TEXT(COMMENT, "rpc Do(Q) returns (Unary)", TOOL, FIELD),
                 "bad.proto:9: tool do_it: a unary rpc cannot send progress; make the response a "
                 "stream, or remove far from bad.v1.Unary");
  expect_refused(FILE_TEXT(COMMENT, "rpc Do(Q) returns (stream A)", TOOL, FIELD),
                 "bad.proto:9: tool do_it: the response of a streaming tool must be exactly oneof "
                 "{ mcp.v1.Progress progress; <Message> result; }");
  expect_refused(FILE_TEXT(COMMENT, "rpc Do(Q) returns (stream Apart)", TOOL, FIELD),
                 "must be exactly oneof");
  expect_refused(FILE_TEXT(COMMENT, "rpc Do(stream Q) returns (A)", TOOL, FIELD),
                 "bad.proto:9: tool do_it: a tool takes one request");
}

static void a_field_needs_a_comment(void)
{
  expect_refused(WITH_FIELD("  int32 f = 1;"),
                 "bad.proto:15: field Q.f: no comment; write one above it");
}

static void types_without_a_json_form_are_refused(void)
{
  expect_refused(WITH_FIELD("  // F.\n  google.protobuf.Any f = 1;"),
                 "bad.proto:16: field Q.f: google.protobuf.Any cannot be part of a tool");
}

static void defaults_must_be_json_of_the_right_type(void)
{
  static const struct {
    const char *type;
    const char *json;
    const char *problem;
  } cases[] = {
      {"string", "text", "default_json does not fit: not JSON: "},
      {"string", "5", "default_json does not fit: expected string, got number"},
      {"int32", "\\\"5\\\"", "default_json does not fit: expected number, got string"},
      {"int32", "1.5", "default_json does not fit: expected a whole number"},
      {"int32", "5000000000", "default_json does not fit: does not fit 32 bits"},
      {"uint32", "-1", "default_json does not fit: must not be negative"},
      {"int64", "\\\"x\\\"", "default_json does not fit: expected number, got string"},
      {"int64", "\\\"10\\\"", "default_json does not fit: expected number, got string"},
      {"bool", "1", "default_json does not fit: expected boolean, got number"},
      {"E", "\\\"Y\\\"", "default_json does not fit: \"Y\" is not a value of E"},
      {"repeated string", "\\\"a\\\"", "default_json does not fit: expected list, got string"},
      {"repeated string", "[1]", "default_json does not fit: [0]: expected string, got number"},
      {"P", "{\\\"n\\\":1}", "default_json does not fit: n: expected string, got number"},
      {"P", "{\\\"n\\\":\\\"a\\\",\\\"z\\\":1}", "default_json does not fit: z: is not a field of"},
      {"P", "{\\\"m\\\":1}", "default_json does not fit: lacks the required field n"},
      {"map<string, int32>", "{\\\"a\\\":true}", "a: expected number, got boolean"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *text =
        xasprintf(WITH_FIELD("  // F.\n  %s f = 1 [(mcp.v1.field).default_json = \"%s\"];"),
                  cases[i].type, cases[i].json);
    AUTO_FREE char *expected = xasprintf(
        "bad.proto:16: field Q.f: %s", cases[i].type[0] == 'm' ? "default_json" : cases[i].problem);
    expect_refused(text, expected);
    expect_refused(text, cases[i].problem);
  }
}

static void examples_are_checked_like_defaults(void)
{
  expect_refused(WITH_FIELD("  // F.\n  int32 f = 1 [(mcp.v1.field) = {examples_json: \"1\" "
                            "examples_json: \"true\"}];"),
                 "bad.proto:16: field Q.f: examples_json does not fit: expected number, got "
                 "boolean");
  expect_refused(WITH_FIELD("  // F.\n  int32 f = 1 [(mcp.v1.field) = {examples_json: \"9\" "
                            "maximum: 8}];"),
                 "examples_json does not fit: lies outside the minimum or maximum of the field");
  expect_refused(WITH_FIELD("  // F.\n  string f = 1 [(mcp.v1.field) = {examples_json: "
                            "\"\\\"abc\\\"\" max_length: 2}];"),
                 "examples_json does not fit: longer than max_length");
}

static void options_must_fit_their_field(void)
{
  static const char *const cases[][3] = {
      {"string", "minimum: 1", "minimum and maximum are for numbers; remove them"},
      {"int32", "minimum: 2 maximum: 1", "minimum is above maximum"},
      {"double", "maximum: inf", "minimum and maximum must be finite"},
      {"string", "max_items: 1", "min_items and max_items are for lists; remove them"},
      {"repeated string", "min_items: 2 max_items: 1", "min_items is above max_items"},
      {"int32", "max_length: 1", "max_length is for strings; remove it"},
      {"int32", "required: true hidden: true", "required and hidden exclude each other"},
      {"int32", "required: true default_json: \"1\"",
       "a required field needs no default_json; remove one of the two"},
      {"string", "aliases: \"_\"", "an alias must have letters"},
      {"string", "aliases: \"F\"", "the alias names another field, too: F"},
      {"int32", "meaning: MEANING_START_DATE",
       "the meaning does not fit the field's type; remove it"},
      {"repeated string", "meaning: MEANING_PROPERTY",
       "the meaning does not fit the field's type; remove it"},
      {"string", "meaning: MEANING_DIMENSION_FILTER",
       "the meaning does not fit the field's type; remove it"},
      {"P", "meaning: MEANING_ORDER", "the meaning does not fit the field's type; remove it"},
      {"repeated string", "single_unless: \"g\"",
       "single_unless must name a field of the message: g"},
      {"repeated string", "single_as: \"g\"", "single_as must name a field of one such value: g"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *text = xasprintf(WITH_FIELD("  // F.\n  %s f = 1 [(mcp.v1.field) = {%s}];"),
                                     cases[i][0], cases[i][1]);
    AUTO_FREE char *expected = xasprintf("bad.proto:16: field Q.f: %s", cases[i][2]);
    expect_refused(text, expected);
  }
  expect_refused(WITH_FIELD("  oneof o {\n    // F.\n    int32 f = 1 [(mcp.v1.field).required = "
                            "true];\n    // G.\n    int32 g = 2;\n  }"),
                 "bad.proto:17: field Q.f: a member of a oneof can be neither required nor "
                 "defaulted");
}

/* A value of a row stands in the text in the cell of a column before it. */
static void text_in_must_name_a_column_before_it(void)
{
  static const char *const cases[][2] = {
      {"int32 f = 3 [(mcp.v1.field).text_in = \"x\"];", "text_in must name a column"},
      {"int32 f = 3 [(mcp.v1.field).text_in = \"after\"];", "text_in must name a column"},
      {"int32 f = 3 [(mcp.v1.field).text_in = \"inside\"];", "text_in must name a column"},
      {"repeated int32 f = 3 [(mcp.v1.field).text_in = \"own\"];",
       "text_in is for single values; remove it"},
      {"int32 f = 3 [(mcp.v1.field).part = PART_CAVEATS];",
       "parts stand in the tool's result, not in its rows"},
      {"int32 f = 3 [(mcp.v1.field) = {text_in: \"own\" part: PART_STRUCTURED}];", NULL},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *text = xasprintf(
        FILE_TEXT(COMMENT, "rpc Do(Q) returns (B)", TOOL,
                  "  // F.\n  int32 f = 1;\n}\nmessage Row {\n  // O.\n  int32 own = 1;\n  // I.\n"
                  "  int32 inside = 2 [(mcp.v1.field).text_in = \"own\"];\n  // F.\n  %s\n"
                  "  // A.\n  int32 after = 4;\n}\nmessage B {\n  // R.\n"
                  "  repeated Row rows = 1 [(mcp.v1.field).part = PART_ROWS];"),
        cases[i][0]);
    AUTO_BUF struct buf out = BUF_INIT(OUTPUT_BYTES);
    if (cases[i][1] != NULL)
      expect_refused(text, cases[i][1]);
    else
      CU_ASSERT_EQUAL(run_protoc(text, "", &out), 0);
  }
}

static void every_mistake_is_reported_at_once(void)
{
  AUTO_BUF struct buf out = BUF_INIT(OUTPUT_BYTES);
  CU_ASSERT_NOT_EQUAL(run_protoc(FILE_TEXT("", RPC, "name: \"x\"", "  int32 f = 1;"), "", &out), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "no title"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "no comment on rpc Do"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "field Q.f: no comment"));
}

static void files_without_tools_and_parameters_are_refused(void)
{
  expect_refused("syntax = \"proto3\";\nmessage M {}\n", "no rpc has the option (mcp.v1.tool)");
  AUTO_BUF struct buf out = BUF_INIT(OUTPUT_BYTES);
  CU_ASSERT_NOT_EQUAL(run_protoc(WITH_FIELD(FIELD), "x=y:", &out), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "takes no parameters"));
}

static void input_that_is_no_request_is_refused(void)
{
  CU_ASSERT_EQUAL(WEXITSTATUS(system(PLUGIN " </dev/null 2>/dev/null")), 2);
  CU_ASSERT_EQUAL(WEXITSTATUS(system("echo junk | " PLUGIN " 2>/dev/null")), 2);
  CU_ASSERT_EQUAL(WEXITSTATUS(system(PLUGIN " --help >/dev/null")), 0);
  CU_ASSERT_EQUAL(WEXITSTATUS(system(PLUGIN " --version >/dev/null")), 0);
}

TEST_MAIN("catalog plugin", TEST(a_good_file_is_taken),
          TEST(a_tool_needs_a_comment_a_title_and_a_good_name),
          TEST(resources_and_prompts_that_cannot_be_served_are_refused),
          TEST(two_tools_of_one_name_are_refused), TEST(hints_that_contradict_are_refused),
          TEST(progress_needs_a_stream_of_the_right_form), TEST(a_field_needs_a_comment),
          TEST(types_without_a_json_form_are_refused),
          TEST(defaults_must_be_json_of_the_right_type), TEST(examples_are_checked_like_defaults),
          TEST(options_must_fit_their_field), TEST(text_in_must_name_a_column_before_it),
          TEST(every_mistake_is_reported_at_once),
          TEST(files_without_tools_and_parameters_are_refused),
          TEST(input_that_is_no_request_is_refused))
