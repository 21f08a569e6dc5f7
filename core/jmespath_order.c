/*
 * The functions that order: sort, max, min, and their forms by an expression. Sorting is a merge
 * sort of our own: it is stable, and it can stop when the budget is spent, which qsort cannot.
 */
#include <string.h>

#include "jmespath_eval.h"
#include "mem.h"

struct entry {
    json_t *key; /* owned: a number or a string, as in all entries */
    json_t *item;
};

static void entries_free(struct entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_decref(entries[i].key);
    tap_free(entries);
}

/* The elements with their keys: what `ref`, a REF, gives of each, or themselves when there is none.
 * NULL when the run failed. */
static struct entry *entries_of(struct tap_jp_run *run, const struct tap_jp_node *call,
                                const struct tap_jp_node *ref, json_t *array)
{
    size_t n = json_array_size(array);
    struct entry *entries = tap_calloc(n + 1, sizeof *entries);
    for (size_t i = 0; i < n; i++) {
        json_t *item = json_array_get(array, i);
        json_t *key = ref ? tap_jp_eval(run, ref->left, item) : json_incref(item);
        entries[i] = (struct entry){key, item};
        int type = key ? tap_jp_type(key) : 0;
        if (key && !(type & (TAP_JP_NUMBER | TAP_JP_STRING)))
            tap_jp_run_fail(run, call, "invalid-type",
                            "%s() orders by numbers or strings; of element %zu it got %s",
                            call->function->name, i, tap_jp_type_name(key));
        else if (key && type != tap_jp_type(entries[0].key))
            tap_jp_run_fail(run, call, "invalid-type",
                            "%s() orders by numbers or by strings; of element %zu it got a %s, of "
                            "those before a %s",
                            call->function->name, i, tap_jp_type_name(key),
                            tap_jp_type_name(entries[0].key));
        if (run->code || !tap_jp_spend(run, 1)) {
            entries_free(entries, i + 1);
            return NULL;
        }
    }
    return entries;
}

/* Merges the sorted from[start, middle) and from[middle, end) into `to`. */
static bool merge(struct tap_jp_run *run, struct entry *to, const struct entry *from, size_t start,
                  size_t middle, size_t end)
{
    size_t left = start, right = middle;
    for (size_t i = start; i < end; i++) {
        int order = left == middle ? 1 : -1;
        if (left < middle && right < end &&
            (!tap_jp_spend(run, 1) || !tap_jp_order(run, &order, from[left].key, from[right].key)))
            return false;
        to[i] = order <= 0 ? from[left++] : from[right++];
    }
    return true;
}

/* Bottom up: runs of 1, 2, 4 ... entries. */
static bool sort_entries(struct tap_jp_run *run, struct entry *entries, size_t n)
{
    struct entry *other = tap_calloc(n + 1, sizeof *other), *from = entries, *to = other;
    bool good = true;
    for (size_t width = 1; good && width < n; width *= 2) {
        for (size_t start = 0; good && start < n; start += 2 * width) {
            size_t middle = start + width < n ? start + width : n;
            size_t end = middle + width < n ? middle + width : n;
            good = merge(run, to, from, start, middle, end);
        }
        struct entry *swap = from;
        from = to;
        to = swap;
    }
    if (good && from != entries)
        memcpy(entries, from, n * sizeof *entries);
    tap_free(other);
    return good;
}

static json_t *sorted(struct tap_jp_run *run, const struct tap_jp_node *call,
                      const struct tap_jp_node *ref, json_t *array)
{
    size_t n = json_array_size(array);
    struct entry *entries = entries_of(run, call, ref, array);
    if (!entries)
        return NULL;
    json_t *result = NULL;
    if (sort_entries(run, entries, n)) {
        result = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append(result, entries[i].item);
    }
    entries_free(entries, n);
    return result;
}

/* The first of the elements that are greatest (sign 1) or least (sign -1); null when there is none.
 */
static json_t *extreme(struct tap_jp_run *run, const struct tap_jp_node *call,
                       const struct tap_jp_node *ref, json_t *array, int sign)
{
    size_t n = json_array_size(array), best = 0;
    struct entry *entries = entries_of(run, call, ref, array);
    if (!entries)
        return NULL;
    bool good = true;
    for (size_t i = 1; good && i < n; i++) {
        int order = 0;
        good = tap_jp_order(run, &order, entries[i].key, entries[best].key);
        if ((order > 0 && sign > 0) || (order < 0 && sign < 0))
            best = i;
    }
    json_t *result = NULL;
    if (good)
        result = n ? json_incref(entries[best].item) : json_null();
    entries_free(entries, n);
    return result;
}

json_t *tap_jp_sort(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return sorted(run, call, NULL, args[0]);
}

json_t *tap_jp_sort_by(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return sorted(run, call, call->items[1], args[0]);
}

json_t *tap_jp_max(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return extreme(run, call, NULL, args[0], 1);
}

json_t *tap_jp_max_by(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return extreme(run, call, call->items[1], args[0], 1);
}

json_t *tap_jp_min(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return extreme(run, call, NULL, args[0], -1);
}

json_t *tap_jp_min_by(struct tap_jp_run *run, const struct tap_jp_node *call, json_t **args)
{
    return extreme(run, call, call->items[1], args[0], -1);
}
