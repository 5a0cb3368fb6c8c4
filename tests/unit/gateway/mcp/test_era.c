/* Which era a message belongs to: every row of the rules for one endpoint with both. */
#include <string.h>

#include "gateway/mcp/era.h"
#include "gateway/mcp/jsonrpc.h"
#include "gateway/mcp/version.h"
#include "tests/unit/harness.h"

#define CLAIM(v)                                                                                   \
  "\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":" v                          \
  ",\"io.modelcontextprotocol/clientCapabilities\":{}}}"

static enum mcp_era classify(const char *header, const char *body, struct mcp_refusal *why)
{
  cJSON *j = cJSON_Parse(body);
  CU_ASSERT_PTR_NOT_NULL_FATAL(j);
  struct mcp_headers h = {.protocol_version = header};
  *why = (struct mcp_refusal){0};
  enum mcp_era era = mcp_era_classify(&h, j, why);
  cJSON_Delete(j);
  return era;
}

static void request_without_claim_is_legacy(void)
{
  struct mcp_refusal why;
  const char *body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}";
  CU_ASSERT_EQUAL(classify(NULL, body, &why), MCP_ERA_LEGACY);
  CU_ASSERT_EQUAL(classify("2025-06-18", body, &why), MCP_ERA_LEGACY);
  CU_ASSERT_EQUAL(classify("nonsense", body, &why), MCP_ERA_LEGACY);
  CU_ASSERT_EQUAL(classify("9999", body, &why), MCP_ERA_LEGACY);
}

static void any_claim_makes_a_message_modern(void)
{
  struct mcp_refusal why;
  const char *claims[] = {
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\"," CLAIM("\"2026-07-28\"") "}",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"," CLAIM("\"2026-07-28\"") "}",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"," CLAIM("\"2025-11-25\"") "}",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"," CLAIM("7") "}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"," CLAIM("\"2026-07-28\"") "}",
  };
  for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
    CU_ASSERT_EQUAL(classify(NULL, claims[i], &why), MCP_ERA_MODERN);
}

static void modern_header_without_claim_is_refused(void)
{
  struct mcp_refusal why;
  CU_ASSERT_EQUAL(
      classify("2026-07-28", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", &why),
      MCP_ERA_REFUSED);
  CU_ASSERT_EQUAL(why.status, 400);
  CU_ASSERT_EQUAL(why.code, JSONRPC_INVALID_PARAMS);
}

static void initialize_with_modern_header_is_a_header_mismatch(void)
{
  struct mcp_refusal why;
  CU_ASSERT_EQUAL(
      classify("2026-07-28", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}", &why),
      MCP_ERA_REFUSED);
  CU_ASSERT_EQUAL(why.code, MCP_HEADER_MISMATCH);
}

static void notification_without_claim_follows_the_header(void)
{
  struct mcp_refusal why;
  const char *body = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";
  CU_ASSERT_EQUAL(classify("2026-07-28", body, &why), MCP_ERA_MODERN);
  CU_ASSERT_EQUAL(classify("2025-11-25", body, &why), MCP_ERA_LEGACY);
}

static void batch_is_legacy_unless_an_element_claims(void)
{
  struct mcp_refusal why;
  CU_ASSERT_EQUAL(classify(NULL, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", &why),
                  MCP_ERA_LEGACY);
  CU_ASSERT_EQUAL(
      classify(NULL,
               "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},"
               "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"," CLAIM("\"2026-07-28\"") "}]",
               &why),
      MCP_ERA_REFUSED);
  CU_ASSERT_EQUAL(why.code, JSONRPC_INVALID_REQUEST);
}

static void posted_response_is_legacy(void)
{
  struct mcp_refusal why;
  CU_ASSERT_EQUAL(classify("2026-07-28", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", &why),
                  MCP_ERA_LEGACY);
}

static void only_dates_from_2026_07_28_on_are_modern_versions(void)
{
  CU_ASSERT_TRUE(mcp_version_is_modern("2026-07-28"));
  CU_ASSERT_TRUE(mcp_version_is_modern("2027-01-01"));
  CU_ASSERT_FALSE(mcp_version_is_modern("2026-07-27"));
  CU_ASSERT_FALSE(mcp_version_is_modern("2026-07-28x"));
  CU_ASSERT_FALSE(mcp_version_is_modern("zzzz"));
  CU_ASSERT_FALSE(mcp_version_is_modern(""));
}

TEST_MAIN("mcp_era", TEST(request_without_claim_is_legacy), TEST(any_claim_makes_a_message_modern),
          TEST(modern_header_without_claim_is_refused),
          TEST(initialize_with_modern_header_is_a_header_mismatch),
          TEST(notification_without_claim_follows_the_header),
          TEST(batch_is_legacy_unless_an_element_claims), TEST(posted_response_is_legacy),
          TEST(only_dates_from_2026_07_28_on_are_modern_versions))
