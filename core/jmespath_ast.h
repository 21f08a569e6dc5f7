/*
 * A compiled JMESPath expression: a tree of few kinds of nodes, which the parser makes and the
 * evaluation walks. All projections are one node over what makes the array: a[*].b, a.*.b, a[1:].b,
 * a[].b and a[?c].b are PROJECT(array, b), where the array is a, VALUES(a), SLICE(a), FLATTEN(a)
 * and FILTER(a, c). Private to jmespath_*.c.
 */
#ifndef TAP_JMESPATH_AST_H
#define TAP_JMESPATH_AST_H

#include <jansson.h>
#include <stdbool.h>

#include "error.h"
#include "jmespath_functions.h"

enum tap_jp_kind {
    TAP_JP_CURRENT, /* the value that is searched */
    TAP_JP_LITERAL, /* `value` */
    TAP_JP_FIELD,   /* the member of the object that `value` names */
    TAP_JP_INDEX,   /* element `index` of left */
    TAP_JP_SLICE,   /* elements `slice` of left */
    TAP_JP_VALUES,  /* the members of left, an object, as an array */
    TAP_JP_FLATTEN, /* left, with its elements that are arrays opened */
    TAP_JP_FILTER,  /* the elements of left for which right is true */
    TAP_JP_PROJECT, /* right of each element of left, without the nulls */
    TAP_JP_THEN,    /* right of what left gives: a.b and a | b */
    TAP_JP_OR,
    TAP_JP_AND,
    TAP_JP_NOT,     /* of left */
    TAP_JP_COMPARE, /* left with right by `comparator` */
    TAP_JP_LIST,    /* [items] */
    TAP_JP_HASH,    /* {items}: each a PAIR */
    TAP_JP_CALL,    /* `function` of items */
    TAP_JP_PAIR,    /* in a HASH only: `value` names left */
    TAP_JP_REF,     /* among a CALL's items only: &left, for the function to evaluate */
    TAP_JP_KINDS
};

enum tap_jp_comparator {
    TAP_JP_EQUAL,
    TAP_JP_NOT_EQUAL,
    TAP_JP_LESS,
    TAP_JP_LESS_EQUAL,
    TAP_JP_GREATER,
    TAP_JP_GREATER_EQUAL
};

struct tap_jp_slice {
    bool has_start, has_stop;
    long long start, stop, step; /* step is not 0 */
};

struct tap_jp_node {
    enum tap_jp_kind kind;
    unsigned depth; /* of the tree under it; a leaf has 1 */
    size_t at;      /* the byte of the text that errors point at */
    struct tap_jp_node *left, *right;
    struct tap_jp_node **items;
    size_t n, cap; /* of items */
    json_t *value; /* owned; NULL where the kind has none */
    union {
        long long index;
        struct tap_jp_slice slice;
        enum tap_jp_comparator comparator;
        const struct tap_jp_function *function;
    };
    struct tap_jp_node *next; /* all nodes of an expression are in one list */
};

struct tap_jmespath {
    char *text;
    const struct tap_jp_node *root;
    struct tap_jp_node *nodes; /* what it owns */
};

/* Parses query->text into query->root (jmespath_parse.c). After an error the query still owns the
 * nodes that were made. */
tap_err tap_jp_parse(struct tap_jmespath *query, struct tap_error *err);

#endif
