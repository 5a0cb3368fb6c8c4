/* Models that move, and models that bring more or fewer leads. */
#include "aggregate-svc/verdict/models.h"

#include <math.h>

#include "common/base/mem.h"

#define MAX_FALSE_SHARE 0.10
#define MIN_CHANGE 0.10 /* relative */

const char *model_move_name(enum model_move move)
{
  static const char *const names[] = {[MODEL_RISING] = "rising",
                                      [MODEL_FALLING] = "falling",
                                      [MODEL_NO_CLEAR_CHANGE] = "no_clear_change"};
  return (size_t)move < ARRAY_LEN(names) ? names[move] : names[MODEL_NO_CLEAR_CHANGE];
}

enum model_move model_judge_move(const struct stats_share_change *shift, double q, size_t up,
                                 size_t down, size_t dealers)
{
  bool clear = q <= MAX_FALSE_SHARE && fabs(shift->change) >= MIN_CHANGE * shift->before;
  if (clear && shift->low > 0 && 3 * up >= 2 * dealers)
    return MODEL_RISING;
  if (clear && shift->high < 0 && 3 * down >= 2 * dealers)
    return MODEL_FALLING;
  return MODEL_NO_CLEAR_CHANGE;
}

enum expected_word model_judge_leads(struct stats_interval ratio, double q)
{
  if (q <= MAX_FALSE_SHARE && ratio.low > 1)
    return EXPECTED_ABOVE;
  if (q <= MAX_FALSE_SHARE && ratio.high < 1)
    return EXPECTED_BELOW;
  return EXPECTED_NO_CLEAR_DIFFERENCE;
}
