/*
 * Parsing JMESPath: operator precedence (Pratt). Every kind of token has one row that says how it
 * starts an expression, how it goes on with one that stands to its left, and how tightly it binds
 * that. Nodes belong to the expression from their birth, so that an error needs no clean-up; after
 * the first error every further token is the end, which lets the recursion unwind by itself.
 */
#include <assert.h>

#include "jmespath.h"
#include "jmespath_ast.h"
#include "jmespath_lex.h"
#include "mem.h"

struct parser {
    struct tap_jmespath *query;
    struct tap_jp_token token; /* the next one to be taken */
    unsigned depth;            /* of the recursion */
    tap_err code;              /* of the first error */
    struct tap_error *err;
};

/* Powers between those of tokens. What binds weaker than PROJECTION ends one. */
enum { POWER_PROJECTION = 10, POWER_NOT = 8, POWER_AFTER_STAR = 20 };

static struct tap_jp_node *expression(struct parser *p, int power);
static struct tap_jp_node *climb(struct parser *p, struct tap_jp_node *left, int power);

/* ---- tokens and errors ---- */

static void advance(struct parser *p)
{
    size_t end = p->token.at + p->token.len;
    if (!p->code)
        p->code = tap_jp_lex(&p->token, p->query->text, end, p->err);
    if (p->code)
        p->token = (struct tap_jp_token){TAP_JP_T_END, end, 0};
}

static struct tap_jp_token take(struct parser *p)
{
    struct tap_jp_token token = p->token;
    advance(p);
    return token;
}

/* The first error stays. */
#define FAIL(p, at, code_, name, ...)                                                              \
    ((p)->code = (p)->code                                                                         \
                     ? (p)->code                                                                   \
                     : tap_jp_fail((p)->query->text, at, code_, name, (p)->err, __VA_ARGS__))

/* Fails: "found X, but Y". */
static void *unexpected(struct parser *p, const struct tap_jp_token *token, const char *wanted)
{
    enum { SHOWN = 40 };
    const char *text = p->query->text + token->at;
    size_t n = token->len;
    while (n > SHOWN || (n < token->len && ((unsigned char)text[n] & 0xC0) == 0x80))
        n--;
    if (token->kind == TAP_JP_T_END)
        FAIL(p, token->at, TAP_E_PARSE, "syntax", "the expression ends, but %s", wanted);
    else
        FAIL(p, token->at, TAP_E_PARSE, "syntax", "found %.*s%s, but %s", (int)n, text,
             n < token->len ? "..." : "", wanted);
    advance(p);
    return NULL;
}

static bool expect(struct parser *p, enum tap_jp_token_kind kind, const char *wanted)
{
    if (p->token.kind != kind) {
        unexpected(p, &p->token, wanted);
        return false;
    }
    advance(p);
    return true;
}

static bool accept(struct parser *p, enum tap_jp_token_kind kind)
{
    bool is = p->token.kind == kind;
    if (is)
        advance(p);
    return is;
}

/* ---- nodes ---- */

/* Takes `child` into account; false when the tree has become too deep. */
static bool deepen(struct parser *p, struct tap_jp_node *node, const struct tap_jp_node *child)
{
    if (child && child->depth >= node->depth)
        node->depth = child->depth + 1;
    if (node->depth > TAP_JMESPATH_MAX_DEPTH)
        FAIL(p, node->at, TAP_E_LIMIT, "TooDeep", "the expression has more than %d levels",
             TAP_JMESPATH_MAX_DEPTH);
    return !p->code;
}

/* NULL after an error. */
static struct tap_jp_node *node_new(struct parser *p, enum tap_jp_kind kind, size_t at,
                                    struct tap_jp_node *left, struct tap_jp_node *right)
{
    if (p->code)
        return NULL;
    struct tap_jp_node *node = tap_alloc(sizeof *node);
    *node = (struct tap_jp_node){.kind = kind, .depth = 1, .at = at, .left = left, .right = right};
    node->next = p->query->nodes;
    p->query->nodes = node;
    return deepen(p, node, left) && deepen(p, node, right) ? node : NULL;
}

static struct tap_jp_node *current_node(struct parser *p)
{
    return node_new(p, TAP_JP_CURRENT, p->token.at, NULL, NULL);
}

/* A node with what the token stands for. */
static struct tap_jp_node *value_node(struct parser *p, enum tap_jp_kind kind,
                                      const struct tap_jp_token *token)
{
    struct tap_jp_node *node = node_new(p, kind, token->at, NULL, NULL);
    if (node)
        p->code = tap_jp_token_value(&node->value, p->query->text, token, p->err);
    return node;
}

static bool add_item(struct parser *p, struct tap_jp_node *node, struct tap_jp_node *item)
{
    if (!node || !item || !deepen(p, node, item))
        return false;
    node->items = tap_grow(node->items, node->n, &node->cap, sizeof(struct tap_jp_node *));
    node->items[node->n++] = item;
    return true;
}

/* ---- what follows a dot or a projection ---- */

static struct tap_jp_node *select_list(struct parser *p, const struct tap_jp_token *bracket)
{
    struct tap_jp_node *list = node_new(p, TAP_JP_LIST, bracket->at, NULL, NULL);
    do {
        if (!add_item(p, list, expression(p, 0)))
            return NULL;
    } while (accept(p, TAP_JP_T_COMMA));
    expect(p, TAP_JP_T_CLOSE_BRACKET, "',' or ']' has to follow in the list");
    return list;
}

static struct tap_jp_node *select_hash(struct parser *p, const struct tap_jp_token *brace)
{
    struct tap_jp_node *hash = node_new(p, TAP_JP_HASH, brace->at, NULL, NULL);
    do {
        struct tap_jp_token key = p->token;
        if (key.kind != TAP_JP_T_NAME && key.kind != TAP_JP_T_QUOTED)
            return unexpected(p, &key, "a key has to stand here, as in {key: value}");
        advance(p);
        struct tap_jp_node *pair = value_node(p, TAP_JP_PAIR, &key);
        if (!expect(p, TAP_JP_T_COLON, "':' has to follow the key, as in {key: value}"))
            return NULL;
        struct tap_jp_node *value = expression(p, 0);
        if (!pair || !value || !deepen(p, pair, value))
            return NULL;
        pair->left = value;
        if (!add_item(p, hash, pair))
            return NULL;
    } while (accept(p, TAP_JP_T_COMMA));
    expect(p, TAP_JP_T_CLOSE_BRACE, "',' or '}' has to follow the value");
    return hash;
}

/* A list or hash ends a projection: in a[*].[b, c][0] the index takes from the rows, not from each.
 * So do all implementations, and queries that people use rely on it. */
static struct tap_jp_node *after_dot(struct parser *p, int power)
{
    struct tap_jp_token token = p->token;
    switch (token.kind) {
    case TAP_JP_T_NAME:
    case TAP_JP_T_QUOTED:
    case TAP_JP_T_STAR: return expression(p, power);
    case TAP_JP_T_OPEN_BRACKET: advance(p); return select_list(p, &token);
    case TAP_JP_T_OPEN_BRACE: advance(p); return select_hash(p, &token);
    case TAP_JP_T_NUMBER:
        return unexpected(p, &p->token, "a name has to follow the dot; an index is written [0]");
    default:
        return unexpected(p, &p->token,
                          "a name, a function, '*', '[' or '{' has to follow the dot");
    }
}

/* The projection of `array` over what follows, which binds as tightly as `power`. */
static struct tap_jp_node *project(struct parser *p, size_t at, struct tap_jp_node *array,
                                   int power);

/* ---- the rows' functions: an expression that starts with `token` ... ---- */

typedef struct tap_jp_node *start(struct parser *p, const struct tap_jp_token *token);
/* ... and one that goes on with `token` after `left` */
typedef struct tap_jp_node *go_on(struct parser *p, struct tap_jp_node *left,
                                  const struct tap_jp_token *token);

static struct tap_jp_node *start_current(struct parser *p, const struct tap_jp_token *token)
{
    return node_new(p, TAP_JP_CURRENT, token->at, NULL, NULL);
}

static struct tap_jp_node *start_literal(struct parser *p, const struct tap_jp_token *token)
{
    return value_node(p, TAP_JP_LITERAL, token);
}

static struct tap_jp_node *start_quoted(struct parser *p, const struct tap_jp_token *token)
{
    if (p->token.kind == TAP_JP_T_OPEN_PAREN)
        return unexpected(p, &p->token, "the name of a function stands without quotes before it");
    return value_node(p, TAP_JP_FIELD, token);
}

static struct tap_jp_node *start_paren(struct parser *p, const struct tap_jp_token *token)
{
    (void)token;
    struct tap_jp_node *inner = expression(p, 0);
    expect(p, TAP_JP_T_CLOSE_PAREN, "')' has to close the parentheses");
    return inner;
}

static struct tap_jp_node *start_not(struct parser *p, const struct tap_jp_token *token)
{
    return node_new(p, TAP_JP_NOT, token->at, expression(p, POWER_NOT), NULL);
}

static struct tap_jp_node *start_star(struct parser *p, const struct tap_jp_token *token)
{
    struct tap_jp_node *values = node_new(p, TAP_JP_VALUES, token->at, current_node(p), NULL);
    return project(p, token->at, values, POWER_AFTER_STAR);
}

/* ---- calls ---- */

static struct tap_jp_node *argument(struct parser *p)
{
    struct tap_jp_token token = p->token;
    if (!accept(p, TAP_JP_T_REF))
        return expression(p, 0);
    return node_new(p, TAP_JP_REF, token.at, expression(p, 0), NULL);
}

static void check_arity(struct parser *p, const struct tap_jp_node *call)
{
    const struct tap_jp_function *fn = call->function;
    if (call->n >= fn->least && call->n <= fn->most)
        return;
    FAIL(p, call->at, TAP_E_PARSE, "invalid-arity", "%s() takes %s%u argument%s, but has %zu",
         fn->name, fn->most == fn->least ? "" : "at least ", fn->least, fn->least == 1 ? "" : "s",
         call->n);
}

/* An & stands where the function wants an expression, and nowhere else. */
static void check_references(struct parser *p, const struct tap_jp_node *call)
{
    for (size_t i = 0; i < call->n; i++) {
        int type = i == 0 ? call->function->first : call->function->others;
        bool is = call->items[i]->kind == TAP_JP_REF;
        if (is == (type == TAP_JP_EXPRESSION))
            continue;
        FAIL(p, call->items[i]->at, TAP_E_PARSE, "invalid-type",
             is ? "argument %zu of %s() is a value, without '&'"
                : "argument %zu of %s() is an expression for each element; write '&' before it",
             i + 1, call->function->name);
    }
}

static void *unknown_function(struct parser *p, const struct tap_jp_token *name)
{
    char *wanted = tap_strndup(p->query->text + name->at, name->len);
    const char *nearest = tap_jp_function_nearest(wanted);
    FAIL(p, name->at, TAP_E_PARSE, "unknown-function", "there is no function %.64s()%s%s%s", wanted,
         nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "()?" : "");
    tap_free(wanted);
    return NULL;
}

static struct tap_jp_node *call(struct parser *p, const struct tap_jp_token *name)
{
    struct tap_jp_node *node = node_new(p, TAP_JP_CALL, name->at, NULL, NULL);
    advance(p);
    if (!node)
        return NULL;
    node->function = tap_jp_function_find(p->query->text + name->at, name->len);
    if (!node->function)
        return unknown_function(p, name);
    if (p->token.kind != TAP_JP_T_CLOSE_PAREN)
        do {
            if (!add_item(p, node, argument(p)))
                return NULL;
        } while (accept(p, TAP_JP_T_COMMA));
    if (!expect(p, TAP_JP_T_CLOSE_PAREN, "',' or ')' has to follow the argument"))
        return NULL;
    check_arity(p, node);
    check_references(p, node);
    return node;
}

static struct tap_jp_node *start_name(struct parser *p, const struct tap_jp_token *token)
{
    if (p->token.kind == TAP_JP_T_OPEN_PAREN)
        return call(p, token);
    return value_node(p, TAP_JP_FIELD, token);
}

/* ---- binary operators ---- */

static struct tap_jp_node *go_on_dot(struct parser *p, struct tap_jp_node *left,
                                     const struct tap_jp_token *token)
{
    enum { POWER_DOT = 40 };
    if (accept(p, TAP_JP_T_STAR)) {
        struct tap_jp_node *values = node_new(p, TAP_JP_VALUES, token->at, left, NULL);
        return project(p, token->at, values, POWER_AFTER_STAR);
    }
    return node_new(p, TAP_JP_THEN, token->at, left, after_dot(p, POWER_DOT));
}

static const struct rule {
    int power; /* 0: does not go on */
    start *start;
    go_on *go_on;
    enum tap_jp_kind kind; /* of a plain binary operator */
    enum tap_jp_comparator comparator;
} rules[TAP_JP_TOKENS];

static struct tap_jp_node *go_on_binary(struct parser *p, struct tap_jp_node *left,
                                        const struct tap_jp_token *token)
{
    const struct rule *rule = &rules[token->kind];
    struct tap_jp_node *node = node_new(p, rule->kind, token->at, left, expression(p, rule->power));
    if (node && node->kind == TAP_JP_COMPARE)
        node->comparator = rule->comparator;
    return node;
}

/* ---- brackets ---- */

static struct tap_jp_node *go_on_flatten(struct parser *p, struct tap_jp_node *left,
                                         const struct tap_jp_token *token)
{
    struct tap_jp_node *flat = node_new(p, TAP_JP_FLATTEN, token->at, left, NULL);
    return project(p, token->at, flat, rules[token->kind].power);
}

static struct tap_jp_node *go_on_filter(struct parser *p, struct tap_jp_node *left,
                                        const struct tap_jp_token *token)
{
    struct tap_jp_node *condition = expression(p, 0);
    if (!expect(p, TAP_JP_T_CLOSE_BRACKET, "']' has to close the filter"))
        return NULL;
    struct tap_jp_node *filter = node_new(p, TAP_JP_FILTER, token->at, left, condition);
    return project(p, token->at, filter, rules[token->kind].power);
}

/* The number before the next colon or bracket, when there is one. */
static bool slice_part(struct parser *p, long long *number)
{
    if (p->token.kind != TAP_JP_T_NUMBER)
        return false;
    struct tap_jp_token token = take(p);
    *number = tap_jp_token_number(p->query->text, &token);
    return true;
}

/* What stands in brackets that begin with a number or a colon: [1], [1:], [::-1]. */
static struct tap_jp_node *index_or_slice(struct parser *p, struct tap_jp_node *left, size_t at)
{
    struct tap_jp_slice slice = {.step = 1};
    slice.has_start = slice_part(p, &slice.start);
    if (slice.has_start && accept(p, TAP_JP_T_CLOSE_BRACKET)) {
        struct tap_jp_node *index = node_new(p, TAP_JP_INDEX, at, left, NULL);
        if (index)
            index->index = slice.start;
        return index;
    }
    if (!expect(p, TAP_JP_T_COLON, "']' has to close the index, or ':' to make it a slice"))
        return NULL;
    slice.has_stop = slice_part(p, &slice.stop);
    size_t step_at = p->token.at;
    if (accept(p, TAP_JP_T_COLON)) {
        step_at = p->token.at;
        slice_part(p, &slice.step);
    }
    if (!expect(p, TAP_JP_T_CLOSE_BRACKET, "a slice is written [start:stop:step], in numbers"))
        return NULL;
    if (slice.step == 0)
        FAIL(p, step_at, TAP_E_PARSE, "invalid-value", "a slice cannot have a step of 0");
    struct tap_jp_node *node = node_new(p, TAP_JP_SLICE, at, left, NULL);
    if (node)
        node->slice = slice;
    return project(p, at, node, POWER_AFTER_STAR);
}

static struct tap_jp_node *go_on_bracket(struct parser *p, struct tap_jp_node *left,
                                         const struct tap_jp_token *token)
{
    if (p->token.kind == TAP_JP_T_NUMBER || p->token.kind == TAP_JP_T_COLON)
        return index_or_slice(p, left, token->at);
    if (!expect(p, TAP_JP_T_STAR,
                "an index, a slice or '*' has to follow '['; a member is "
                "written .name") ||
        !expect(p, TAP_JP_T_CLOSE_BRACKET, "']' has to close [*]"))
        return NULL;
    return project(p, token->at, left, POWER_AFTER_STAR);
}

/* [*] at the start of an expression is a projection, [*.a] a list of one. */
static bool star_stands_alone(struct parser *p)
{
    struct tap_jp_token next;
    return p->token.kind == TAP_JP_T_STAR &&
           !tap_jp_lex(&next, p->query->text, p->token.at + p->token.len, NULL) &&
           next.kind == TAP_JP_T_CLOSE_BRACKET;
}

static struct tap_jp_node *start_bracket(struct parser *p, const struct tap_jp_token *token)
{
    if (p->token.kind == TAP_JP_T_NUMBER || p->token.kind == TAP_JP_T_COLON || star_stands_alone(p))
        return go_on_bracket(p, current_node(p), token);
    return select_list(p, token);
}

/* [] and [?...] at the start work on the current value. */
static struct tap_jp_node *start_with_current(struct parser *p, const struct tap_jp_token *token)
{
    return rules[token->kind].go_on(p, current_node(p), token);
}

/* ---- the table and what runs it ---- */

static const struct rule rules[TAP_JP_TOKENS] = {
    [TAP_JP_T_NAME] = {.start = start_name},
    [TAP_JP_T_QUOTED] = {.start = start_quoted},
    [TAP_JP_T_RAW] = {.start = start_literal},
    [TAP_JP_T_LITERAL] = {.start = start_literal},
    [TAP_JP_T_CURRENT] = {.start = start_current},
    [TAP_JP_T_STAR] = {.start = start_star},
    [TAP_JP_T_NOT] = {.start = start_not},
    [TAP_JP_T_OPEN_PAREN] = {.start = start_paren},
    [TAP_JP_T_OPEN_BRACE] = {.start = select_hash},
    [TAP_JP_T_PIPE] = {1, NULL, go_on_binary, TAP_JP_THEN, 0},
    [TAP_JP_T_OR] = {2, NULL, go_on_binary, TAP_JP_OR, 0},
    [TAP_JP_T_AND] = {3, NULL, go_on_binary, TAP_JP_AND, 0},
    [TAP_JP_T_EQUAL] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_EQUAL},
    [TAP_JP_T_NOT_EQUAL] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_NOT_EQUAL},
    [TAP_JP_T_LESS] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_LESS},
    [TAP_JP_T_LESS_EQUAL] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_LESS_EQUAL},
    [TAP_JP_T_GREATER] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_GREATER},
    [TAP_JP_T_GREATER_EQUAL] = {5, NULL, go_on_binary, TAP_JP_COMPARE, TAP_JP_GREATER_EQUAL},
    [TAP_JP_T_FLATTEN] = {9, start_with_current, go_on_flatten, 0, 0},
    [TAP_JP_T_OPEN_FILTER] = {21, start_with_current, go_on_filter, 0, 0},
    [TAP_JP_T_DOT] = {40, NULL, go_on_dot, 0, 0},
    [TAP_JP_T_OPEN_BRACKET] = {55, start_bracket, go_on_bracket, 0, 0},
};

static bool enter(struct parser *p)
{
    if (++p->depth > TAP_JMESPATH_MAX_DEPTH)
        FAIL(p, p->token.at, TAP_E_LIMIT, "TooDeep", "the expression has more than %d levels",
             TAP_JMESPATH_MAX_DEPTH);
    return !p->code;
}

/* Goes on with `left` while what follows binds more tightly than `power`. */
static struct tap_jp_node *climb(struct parser *p, struct tap_jp_node *left, int power)
{
    bool entered = enter(p);
    while (entered && left && rules[p->token.kind].power > power) {
        struct tap_jp_token token = take(p);
        left = rules[token.kind].go_on(p, left, &token);
    }
    p->depth--;
    return p->code ? NULL : left;
}

static struct tap_jp_node *expression(struct parser *p, int power)
{
    struct tap_jp_token token = p->token;
    if (!rules[token.kind].start)
        return unexpected(p, &token, "an expression has to stand here");
    struct tap_jp_node *left = NULL;
    if (enter(p)) {
        advance(p);
        left = rules[token.kind].start(p, &token);
    }
    p->depth--;
    return climb(p, left, power);
}

static struct tap_jp_node *project(struct parser *p, size_t at, struct tap_jp_node *array,
                                   int power)
{
    struct tap_jp_node *each = NULL;
    if (rules[p->token.kind].power < POWER_PROJECTION)
        each = current_node(p);
    else if (accept(p, TAP_JP_T_DOT))
        each = after_dot(p, power);
    else /* brackets: the first ones belong to the projection, and may be a list: a[*][b, c] */
        each = expression(p, power);
    return node_new(p, TAP_JP_PROJECT, at, array, each);
}

/* What is wrong with a token that stands where an expression could have ended. */
static const char *after_the_end(const struct parser *p)
{
    static const struct {
        enum tap_jp_token_kind kind;
        const char *wanted;
    } hints[] = {
        {TAP_JP_T_OPEN_PAREN, "only the plain name of a function can stand before it"},
        {TAP_JP_T_OPEN_BRACE, "a '.' has to stand before it, as in a.{key: value}"},
        {TAP_JP_T_STAR, "a '.' or brackets have to go with it: a.* or a[*]"},
        {TAP_JP_T_REF, "it has its place before an argument of a function; 'and' is &&"},
        {TAP_JP_T_NOT, "'not equal' is written !="},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (p->token.kind == hints[i].kind)
            return hints[i].wanted;
    return "an operator ('.', '[', '|', '||', '&&', '==' ...) or the end has to follow";
}

tap_err tap_jp_parse(struct tap_jmespath *query, struct tap_error *err)
{
    struct parser p = {.query = query, .err = err};
    advance(&p);
    query->root = expression(&p, 0);
    if (p.token.kind != TAP_JP_T_END)
        unexpected(&p, &p.token, after_the_end(&p));
    assert(query->root || p.code);
    return p.code;
}
