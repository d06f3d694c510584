/* config_impl: what the files of the config share. Private to it. */
#ifndef MULTISIG_CONFIG_IMPL_H
#define MULTISIG_CONFIG_IMPL_H

#include <jansson.h>

#include "multisig/config.h"

/* Fields that look like a known one and are not: a warning for each. */
NODISCARD enum err_code config_near_misses(
    struct config *c, const json_t *o, struct err *e);
/* Public keys that no secret key can belong to, such as a mistyped one: the
 * reference takes them, so they are a warning. Needs the manifest. */
NODISCARD enum err_code config_unusable_keys(struct config *c, struct err *e);

#endif
