/* Arenas. */
#include "common/base/arena.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/harness.h"

static void memory_is_zeroed_aligned_and_distinct(void)
{
  struct arena *a = arena_new(1 << 20);
  char *previous = NULL;
  for (size_t size = 0; size < 300; size++) {
    unsigned char *p = arena_alloc(a, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL((uintptr_t)p % 16, 0);
    CU_ASSERT_PTR_NOT_EQUAL(p, previous);
    for (size_t i = 0; i < size; i++)
      CU_ASSERT_EQUAL(p[i], 0);
    memset(p, 0xAB, size);
    previous = (char *)p;
  }
  arena_free(a);
}

static void the_cap_is_kept(void)
{
  struct arena *a = arena_new(1000);
  CU_ASSERT_PTR_NOT_NULL(arena_alloc(a, 900));
  CU_ASSERT_PTR_NULL(arena_alloc(a, 200));
  CU_ASSERT_PTR_NULL(arena_alloc(a, SIZE_MAX));
  arena_free(a);
}

static void large_objects_do_not_waste_the_current_block(void)
{
  struct arena *a = arena_new(64 << 20);
  char *small = arena_strdup(a, "before");
  char *large = arena_alloc(a, 1 << 20);
  char *after = arena_strdup(a, "after");
  CU_ASSERT_PTR_NOT_NULL_FATAL(large);
  memset(large, 1, 1 << 20);
  CU_ASSERT_STRING_EQUAL(small, "before");
  CU_ASSERT_STRING_EQUAL(after, "after");
  arena_free(a);
}

static void text_is_copied_and_formatted(void)
{
  struct arena *a = arena_new(4096);
  CU_ASSERT_STRING_EQUAL(arena_strndup(a, "abcdef", 3), "abc");
  CU_ASSERT_STRING_EQUAL(arena_printf(a, "%s-%d", "d", 7), "d-7");
  CU_ASSERT_TRUE(arena_used(a) > 0);
  arena_free(a);
}

static void an_owner_with_caps_of_its_own_gets_memory_without_asking_twice(void)
{
  struct arena *a = arena_new(1 << 10);
  char text[] = "kept";
  char *copy = arena_xstrdup(a, text);
  const unsigned char *zeros = arena_xalloc(a, 16);
  text[0] = 'x';
  CU_ASSERT_STRING_EQUAL(copy, "kept");
  for (size_t i = 0; i < 16; i++)
    CU_ASSERT_EQUAL(zeros[i], 0);
  arena_free(a);
}

TEST_MAIN("base/arena", TEST(memory_is_zeroed_aligned_and_distinct), TEST(the_cap_is_kept),
          TEST(large_objects_do_not_waste_the_current_block), TEST(text_is_copied_and_formatted),
          TEST(an_owner_with_caps_of_its_own_gets_memory_without_asking_twice))
