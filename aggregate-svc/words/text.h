/* Numbers, names and lists in sentences for people. */
#ifndef AMCP_AGGREGATE_TEXT_H
#define AMCP_AGGREGATE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Appends at most max bytes of s. */
void text_put_clipped(struct buf *b, const char *s, size_t max);
/* Puts what stands before item i of a list of n: "", ", " or " and ". */
void text_put_separator(struct buf *b, size_t i, size_t n);
/* 12400 as "12,400". */
void text_put_count(struct buf *b, int64_t n);
/* A change in whole numbers: "+17", "-4", and "0" for what rounds to it. */
void text_put_signed(struct buf *b, double change);
/* "s" unless n is 1. */
const char *text_s(size_t n);
/* Why a figure of the others is withheld, by the code that an answer's `suppressed` has: "too few
 * dealers". Static text; an unknown code is its own word. */
const char *text_withheld(const char *code);
/* The same of the period before one that may be shown. */
const char *text_withheld_before(const char *code);
/* Why a test over dealers says nothing, whatever they have: "nothing can be tested with 3 dealers,
 * it takes at least 5". */
void text_put_few_dealers(struct buf *b, size_t have, size_t least);
/* "st", "nd", "rd", "th": "1st of 9". */
const char *text_ordinal(int32_t n);

#endif
