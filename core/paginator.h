/*
 * The pages of an operation, as the service's model describes them: which input asks for the next
 * page, and whether there is one. It is fed with outputs and answers with inputs; who sends the
 * calls, and when, is not its business.
 *
 *     tap_paginator_new(&pages, model, "DescribeStackEvents", input, &err);
 *     while ((input = tap_paginator_input(pages))) {
 *         ... call the operation with it ...
 *         tap_paginator_feed(pages, output, &err);
 *     }
 */
#ifndef TAP_PAGINATOR_H
#define TAP_PAGINATOR_H

#include <jansson.h>
#include <stdbool.h>

#include "api.h"
#include "error.h"
#include "model.h"

TAP_API_BEGIN

struct tap_paginator;

/* What the model says of the operation's pages (input_token, limit_key, ...); NULL when all of its
 * output comes at once. `operation` as tap_model_operation gives it. Borrowed. */
const json_t *tap_paginator_of(const struct tap_model *model, const json_t *operation);

/* `operation` in any spelling; `input` (an object; NULL: none) is what the first page is asked
 * with. TAP_E_USAGE when there is no such operation, or it has no pages. Free *out with
 * tap_paginator_free; it is NULL after an error. */
tap_err tap_paginator_new(struct tap_paginator **out, const struct tap_model *model,
                          const char *operation, const json_t *input, struct tap_error *err);
/* NULL does nothing. */
void tap_paginator_free(struct tap_paginator *pages);

/* The operation's name, in the API's spelling. */
const char *tap_paginator_operation(const struct tap_paginator *pages);
/* The input of the next page; NULL when the last one has been fed. Borrowed until the next feed. */
json_t *tap_paginator_input(const struct tap_paginator *pages);

/* The output that the input led to. TAP_E_PROTOCOL, "RepeatedToken", when it points to the page
 * that it is itself: asking on would never end. After an error there is no next page. */
tap_err tap_paginator_feed(struct tap_paginator *pages, const json_t *output,
                           struct tap_error *err);

/* Where a page has its items: "StackEvents", "DistributionList.Items"; the first such place when
 * the model names several. Borrowed. */
const char *tap_paginator_result(const struct tap_paginator *pages);
/* Adds a page to `whole` (an object, empty before the first page): results are joined (lists one
 * behind the other, numbers added, texts concatenated), what the model calls the same on every page
 * is taken from the first, the rest (tokens) is left out. To be called before the page is fed. */
tap_err tap_paginator_merge(json_t *whole, const struct tap_paginator *pages, const json_t *output,
                            struct tap_error *err);

TAP_API_END

#endif
