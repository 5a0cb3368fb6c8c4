/* Descriptors of Segment, after the published proto of v1alpha. */
#include "common/base/mem.h"
#include "ga4-sim/report/alpha.h"

/* ------------------------------------------------------------------ filters */

static const struct message_field parameter_scoping_fields[] = {
    {.name = "inAnyNDayPeriod", .kind = KIND_INT64}};
static const struct message_type parameter_scoping = {ALPHA "SegmentParameterFilterScoping",
                                                      FIELDS(parameter_scoping_fields)};
static const struct message_field parameter_fields[] = {
    {.name = "eventParameterName", .oneof = "one_parameter"},
    {.name = "itemParameterName", .oneof = "one_parameter"},
    FOUR_FILTERS,
    PART("filterScoping", parameter_scoping)};
static const struct message_type parameter = {ALPHA "SegmentParameterFilter",
                                              FIELDS(parameter_fields)};
static const struct message_type parameter_expression;
static const struct message_field parameter_list_fields[] = {
    PARTS("expressions", parameter_expression)};
static const struct message_type parameter_list = {ALPHA "SegmentParameterFilterExpressionList",
                                                   FIELDS(parameter_list_fields)};
static const struct message_field parameter_expression_fields[] = {
    ONE("andGroup", parameter_list, "expr"), ONE("orGroup", parameter_list, "expr"),
    ONE("notExpression", parameter_expression, "expr"),
    ONE("segmentParameterFilter", parameter, "expr")};
static const struct message_type parameter_expression = {ALPHA "SegmentParameterFilterExpression",
                                                         FIELDS(parameter_expression_fields)};

static const struct message_field event_filter_fields[] = {
    {.name = "eventName"}, PART("segmentParameterFilterExpression", parameter_expression)};
static const struct message_type event_filter = {ALPHA "SegmentEventFilter",
                                                 FIELDS(event_filter_fields)};
static const struct message_field scoping_fields[] = {
    {.name = "atAnyPointInTime", .kind = KIND_BOOL}};
static const struct message_type scoping = {ALPHA "SegmentFilterScoping", FIELDS(scoping_fields)};
static const struct message_field filter_fields[] = {
    {.name = "fieldName"}, FOUR_FILTERS, PART("filterScoping", scoping)};
static const struct message_type filter = {ALPHA "SegmentFilter", FIELDS(filter_fields)};
static const struct message_type expression;
static const struct message_field list_fields[] = {PARTS("expressions", expression)};
static const struct message_type list = {ALPHA "SegmentFilterExpressionList", FIELDS(list_fields)};
static const struct message_field expression_fields[] = {
    ONE("andGroup", list, "expr"), ONE("orGroup", list, "expr"),
    ONE("notExpression", expression, "expr"), ONE("segmentFilter", filter, "expr"),
    ONE("segmentEventFilter", event_filter, "expr")};
static const struct message_type expression = {ALPHA "SegmentFilterExpression",
                                               FIELDS(expression_fields)};

/* ------------------------------------------------------------------ users, sessions, events */

#define ENUM(variable, type, ...)                                                                  \
  static const char *const variable##_names[] = {__VA_ARGS__};                                     \
  static const struct enum_type variable = {ALPHA type, variable##_names,                          \
                                            ARRAY_LEN(variable##_names)}
ENUM(user_scoping, "UserCriteriaScoping", "USER_CRITERIA_SCOPING_UNSPECIFIED",
     "USER_CRITERIA_WITHIN_SAME_EVENT", "USER_CRITERIA_WITHIN_SAME_SESSION",
     "USER_CRITERIA_ACROSS_ALL_SESSIONS");
ENUM(session_scoping, "SessionCriteriaScoping", "SESSION_CRITERIA_SCOPING_UNSPECIFIED",
     "SESSION_CRITERIA_WITHIN_SAME_EVENT", "SESSION_CRITERIA_WITHIN_SAME_SESSION");
ENUM(event_scoping, "EventCriteriaScoping", "EVENT_CRITERIA_SCOPING_UNSPECIFIED",
     "EVENT_CRITERIA_WITHIN_SAME_EVENT");
ENUM(user_duration, "UserExclusionDuration", "USER_EXCLUSION_DURATION_UNSPECIFIED",
     "USER_EXCLUSION_TEMPORARY", "USER_EXCLUSION_PERMANENT");
ENUM(session_duration, "SessionExclusionDuration", "SESSION_EXCLUSION_DURATION_UNSPECIFIED",
     "SESSION_EXCLUSION_TEMPORARY", "SESSION_EXCLUSION_PERMANENT");
ENUM(event_duration, "EventExclusionDuration", "EVENT_EXCLUSION_DURATION_UNSPECIFIED",
     "EVENT_EXCLUSION_PERMANENT");

#define CHOICE(field, of)                                                                          \
  {                                                                                                \
    .name = field, .kind = KIND_ENUM, .enumeration = &(of)                                         \
  }
/* A condition group of one kind of segment. */
#define GROUP(variable, type, scopes)                                                              \
  static const struct message_field variable##_fields[] = {                                        \
      CHOICE("conditionScoping", scopes), PART("segmentFilterExpression", expression)};            \
  static const struct message_type variable = {ALPHA type, FIELDS(variable##_fields)}
/* A message of these fields. */
#define MESSAGE(variable, type, ...)                                                               \
  static const struct message_field variable##_fields[] = {__VA_ARGS__};                           \
  static const struct message_type variable = {ALPHA type, FIELDS(variable##_fields)}

GROUP(user_group, "UserSegmentConditionGroup", user_scoping);
MESSAGE(user_step, "UserSequenceStep", {.name = "isDirectlyFollowedBy", .kind = KIND_BOOL},
        CHOICE("stepScoping", user_scoping), PART("segmentFilterExpression", expression));
MESSAGE(user_sequence, "UserSegmentSequenceGroup", CHOICE("sequenceScoping", user_scoping),
        {.name = "sequenceMaximumDuration"}, PARTS("userSequenceSteps", user_step));
MESSAGE(user_criteria, "UserSegmentCriteria", PARTS("andConditionGroups", user_group),
        PARTS("andSequenceGroups", user_sequence));
MESSAGE(user_exclusion, "UserSegmentExclusion", CHOICE("userExclusionDuration", user_duration),
        PART("userExclusionCriteria", user_criteria));
MESSAGE(user_segment, "UserSegment", PART("userInclusionCriteria", user_criteria),
        PART("exclusion", user_exclusion));

GROUP(session_group, "SessionSegmentConditionGroup", session_scoping);
MESSAGE(session_criteria, "SessionSegmentCriteria", PARTS("andConditionGroups", session_group));
MESSAGE(session_exclusion, "SessionSegmentExclusion",
        CHOICE("sessionExclusionDuration", session_duration),
        PART("sessionExclusionCriteria", session_criteria));
MESSAGE(session_segment, "SessionSegment", PART("sessionInclusionCriteria", session_criteria),
        PART("exclusion", session_exclusion));

GROUP(event_group, "EventSegmentConditionGroup", event_scoping);
MESSAGE(event_criteria, "EventSegmentCriteria", PARTS("andConditionGroups", event_group));
MESSAGE(event_exclusion, "EventSegmentExclusion", CHOICE("eventExclusionDuration", event_duration),
        PART("eventExclusionCriteria", event_criteria));
MESSAGE(event_segment, "EventSegment", PART("eventInclusionCriteria", event_criteria),
        PART("exclusion", event_exclusion));

static const struct message_field segment_fields[] = {
    {.name = "name"},
    ONE("userSegment", user_segment, "one_segment_scope"),
    ONE("sessionSegment", session_segment, "one_segment_scope"),
    ONE("eventSegment", event_segment, "one_segment_scope")};
const struct message_type message_segment = {ALPHA "Segment", FIELDS(segment_fields)};
