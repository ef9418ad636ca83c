/* The arguments of a step against its table. */
#ifndef SCENARIOS_STEP_ARGS_H
#define SCENARIOS_STEP_ARGS_H

#include "scenarios/step.h"

/* Unknown names, wrong kinds, missing ones: ERR_PARSE with what is known. A text that holds ${name} fits every kind. */
bool step_check_args(const struct step_def *def, const json_node *args, struct err *err);
/* The same for arguments whose ${names} are filled in; numbers and booleans for a text become texts. */
bool step_settle_args(const struct step_def *def, struct json *args, struct err *err);
bool step_is_whole(const json_node *number); /* without a fraction, and within 2^53 */
const char *step_arg_kind_text(enum step_arg_kind kind);

#endif
