/*
 * A place in a model for what somebody has made of it and wants to keep as long as the model is
 * there. Not for users of the library.
 */
#ifndef TAP_MODEL_EXTRA_H
#define TAP_MODEL_EXTRA_H

#include "model.h"

struct tap_model_extra {
    void *made;                  /* NULL: nothing yet */
    void (*release)(void *made); /* frees it, with the model */
};

/* The XML protocols' (protocol_xml_plan.h): there is one place, as there is one who needs one. */
struct tap_model_extra *tap_model_extra(const struct tap_model *model);

#endif
