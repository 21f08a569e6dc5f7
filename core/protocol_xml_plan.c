/*
 * Plans of values in XML. See protocol_xml_plan.h.
 */
#include "protocol_xml_plan.h"

#include <stdint.h>

#include "mem.h"
#include "model_extra.h"

static void free_plans(void *made)
{
    struct tap_xml_plans *plans = made;
    for (size_t i = 0; i < TAP_XML_BUCKETS; i++)
        for (struct tap_xml_plan *plan = plans->buckets[i], *next; plan; plan = next) {
            next = plan->next;
            tap_free(plan->members);
            tap_free(plan);
        }
    tap_free(plans);
}

struct tap_xml_plans *tap_xml_plans_of(const struct tap_model *model)
{
    struct tap_model_extra *extra = tap_model_extra(model);
    if (!extra->made) {
        struct tap_xml_plans *plans = tap_alloc(sizeof *plans);
        plans->model = model;
        *extra = (struct tap_model_extra){.made = plans, .release = free_plans};
    }
    return extra->made;
}

static struct tap_xml_plan *plan_of(struct tap_xml_plans *plans, const json_t *shape)
{
    struct tap_xml_plan **bucket = &plans->buckets[(uintptr_t)shape / 64 % TAP_XML_BUCKETS];
    for (struct tap_xml_plan *plan = *bucket; plan; plan = plan->next)
        if (plan->shape == shape)
            return plan;
    struct tap_xml_plan *plan = tap_alloc(sizeof *plan);
    *plan = (struct tap_xml_plan){.shape = shape, .kind = tap_shape_kind(shape), .next = *bucket};
    *bucket = plan;
    if (plan->kind == TAP_SHAPE_LIST) {
        plan->item = tap_wire_item_name(shape);
        plan->inner = tap_xml_use_of(plans, json_object_get(shape, "member"));
    } else if (plan->kind == TAP_SHAPE_MAP) {
        plan->key = tap_wire_key_name(shape);
        plan->value = tap_wire_value_name(shape);
        plan->key_use = tap_xml_use_of(plans, json_object_get(shape, "key"));
        plan->inner = tap_xml_use_of(plans, json_object_get(shape, "value"));
    }
    return plan;
}

/* Older models have a namespace's address alone. */
static void set_namespace(struct tap_xml_use *use, const json_t *ref, const json_t *shape)
{
    const json_t *trait = json_object_get(ref, "xmlNamespace");
    if (!trait)
        trait = json_object_get(shape, "xmlNamespace");
    const json_t *uri = json_is_string(trait) ? trait : json_object_get(trait, "uri");
    use->space = json_string_value(uri);
    use->prefix = json_string_value(json_object_get(trait, "prefix"));
}

struct tap_xml_use tap_xml_use_of(struct tap_xml_plans *plans, const json_t *ref)
{
    const json_t *shape = tap_ref_shape(plans->model, ref);
    struct tap_xml_use use = {
        .plan = plan_of(plans, shape),
        .flattened = tap_wire_flattened(ref, shape),
        .format = tap_ref_trait(ref, shape, "timestampFormat"),
    };
    set_namespace(&use, ref, shape);
    return use;
}

void tap_xml_plan_members(struct tap_xml_plans *plans, struct tap_xml_plan *plan)
{
    if (plan->members)
        return;
    const json_t *members = json_object_get(plan->shape, "members");
    plan->members = tap_calloc(json_object_size(members), sizeof *plan->members);
    for (void *at = json_object_iter((json_t *)members); at;
         at = json_object_iter_next((json_t *)members, at)) {
        const json_t *ref = json_object_iter_value(at);
        struct tap_xml_member *member = &plan->members[plan->n_members++];
        member->name = json_object_iter_key(at);
        member->use = tap_xml_use_of(plans, ref);
        member->wire = tap_wire_name(ref, member->use.plan->shape, member->name);
        member->attribute = tap_ref_flag(ref, "xmlAttribute");
        plan->spread = plan->spread || member->attribute || member->use.flattened;
    }
}
