/*
 * appcfg: the parts of an app's package.json that release tools read
 * (commands 18). Bounded, types checked; unknown fields are kept in `json`
 * and otherwise ignored. Lists may be arrays of strings or one string with
 * commas; items are trimmed, empty ones dropped.
 *
 *	rc = appcfg_read(&cfg, dir, e);
 *	...
 *	appcfg_deinit(&cfg);
 */
#ifndef PEAR_APPCFG_H
#define PEAR_APPCFG_H

#include <jansson.h>

#include "base/err.h"
#include "base/view.h"
#include "pear/semver.h"

#define APPCFG_MAX (4u << 20)  /* bytes of package.json */
#define APPCFG_LIST_MAX 10000u /* items of a list */

struct appcfg_list {
	char **item; /* malloc, each too */
	size_t n, cap;
};

struct appcfg {
	json_t *json; /* the whole document, an object */
	/* Borrowed from json; NULL = absent. */
	const char *name, *product_name, *version, *upgrade;
	const char *pear_name; /* pear.name */
	bool has_semver;       /* version is x.y.z[-pre][+build] */
	struct semver semver;  /* borrows from version */
	/* pear.stage: */
	struct appcfg_list ignore, only;
	struct appcfg_list includes; /* include and includes together */
	bool purge;
};

/* ERR_INVALID with tag ERR_INVALID_MANIFEST names the field. */
NODISCARD enum err_code appcfg_parse(
    struct appcfg *out, struct view text, struct err *e);
/* DIR/package.json, only there. A missing file is ERR_INVALID with tag
 * ERR_INVALID_PROJECT_DIR. */
NODISCARD enum err_code appcfg_read(
    struct appcfg *out, const char *dir, struct err *e);
void appcfg_deinit(struct appcfg *c); /* a zeroed struct is fine */

/* What to call the app in front of people: pear.name, else name, else "". */
const char *appcfg_title(const struct appcfg *c);
/* What its bundles are called: productName, else name; NULL if neither. */
const char *appcfg_product(const struct appcfg *c);

/* For lists from the command line: comma-separated, trimmed, appended.
 * ERR_INVALID: a NUL, which would hide what follows it. */
NODISCARD enum err_code appcfg_list_add(
    struct appcfg_list *l, struct view text, struct err *e);
void appcfg_list_deinit(struct appcfg_list *l);

#endif
