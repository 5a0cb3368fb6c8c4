/* The pages of apps: every tool's is there, and each is one file that needs nothing from elsewhere.
 */
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/apps/apps.h"
#include "gateway/catalog/catalog.h"
#include "tests/unit/harness.h"

static void every_tool_names_a_page_that_exists(void)
{
  size_t drawn = 0;
  for (size_t i = 0; i < catalog_tools_len; i++) {
    if (catalog_tools[i].app == NULL)
      continue;
    CU_ASSERT_PTR_NOT_NULL(app_find(catalog_tools[i].app));
    drawn++;
  }
  CU_ASSERT_TRUE(drawn >= 5);
  CU_ASSERT_PTR_NULL(app_find("ui://analytics/nothing"));
}

static void every_page_draws_a_tool(void)
{
  for (size_t a = 0; a < apps_len; a++) {
    size_t tools = 0;
    for (size_t i = 0; i < catalog_tools_len; i++)
      tools += catalog_tools[i].app != NULL && strcmp(catalog_tools[i].app, apps[a].uri) == 0;
    CU_ASSERT_TRUE(tools > 0);
  }
}

/* The namespace of SVG is a name, not an address that is fetched. */
static size_t addresses(const char *html)
{
  static const char name[] = "http://www.w3.org/2000/svg";
  size_t n = 0;
  for (const char *s = strstr(html, "://"); s != NULL; s = strstr(s + 1, "://"))
    n += strncmp(s - 4, name, sizeof(name) - 1) != 0;
  return n;
}

static void pages_are_whole_and_fetch_nothing(void)
{
  static const char *const refused[] = {
      "<!-- app",       " src=",     "<link",     "@import",
      "url(http",       "innerHTML", "outerHTML", "insertAdjacentHTML",
      "document.write", "eval(",     "fetch(",    "XMLHttpRequest"};
  for (size_t a = 0; a < apps_len; a++) {
    const char *html = apps[a].html;
    CU_ASSERT_TRUE(strncmp(html, "<!doctype html>", 15) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(html, "<style>\n:root {"));
    CU_ASSERT_PTR_NOT_NULL(strstr(html, "ui/initialize"));
    CU_ASSERT_STRING_EQUAL(html + strlen(html) - 8, "</html>\n");
    CU_ASSERT_TRUE(utf8_valid(html, strlen(html)));
    CU_ASSERT_TRUE(strlen(html) < 64 * 1024);
    CU_ASSERT_EQUAL(addresses(html), 0);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
      CU_ASSERT_PTR_NULL(strstr(html, refused[i]));
  }
}

TEST_MAIN("gateway apps", TEST(every_tool_names_a_page_that_exists), TEST(every_page_draws_a_tool),
          TEST(pages_are_whole_and_fetch_nothing))
