/*
 * Blocks whose bytes are not what they were: never served, not here any more,
 * and fetched from whoever has them.
 */
#include "replicate/repair.h"

/* The writer without an intake, which would bring old bits back. */
static enum err_code
borrow_writer(struct replicate_core *c, struct err *e)
{
	enum err_code rc = collect_commit(c, e);

	if (rc != ERR_OK)
		return rc;
	if (c->dirty || c->fork != NULL)
		return err_set(e, ERR_LOCKED, "what was fetched comes first");
	if (c->writer == NULL)
		return core_open(&c->writer, c->r->store, core_key(c->core),
		    CORE_REPLICA, e);
	collect_drop(c);
	return ERR_OK;
}

/* Who was told that the block is here hears that it is not. */
static enum err_code
tell_gone(struct replicate_core *c, struct err *e)
{
	enum err_code rc = core_refresh(c->core, e);

	if (rc == ERR_OK)
		rc = collect_tell(c, e);
	if (rc == ERR_OK)
		rc = goals_recount(c, e);
	c->generation = store_generation(c->r->store);
	return rc;
}

static enum err_code
drop(struct replicate_core *c, uint64_t i, struct err *e)
{
	bool was_open = c->writer != NULL, was_taking = c->in != NULL;
	bool dropped = false;
	enum err_code rc;

	if ((rc = borrow_writer(c, e)) != ERR_OK)
		return rc;
	rc = core_drop_damaged(c->writer, i, &dropped, e);
	if (rc == ERR_OK)
		rc = tell_gone(c, e);
	if (rc == ERR_OK && was_taking)
		rc = collect_begin(c, e);
	if (!was_open)
		collect_end(c);
	return rc;
}

/* Others may do it, or we, later; what is broken for good shows itself. */
static bool
may_wait(enum err_code rc)
{
	return rc == ERR_LOCKED || rc == ERR_READONLY || rc == ERR_CONFLICT ||
	       rc == ERR_NOSPACE || rc == ERR_CORRUPT;
}

enum err_code
repair_block(struct replicate_core *c, uint64_t i, struct err *e)
{
	static const struct err none = ERR_INIT;
	enum err_code rc;

	events_add(c, NULL, REPLICATE_TROUBLE, 0, 0, e->msg);
	*e = none;
	if ((rc = drop(c, i, e)) != ERR_OK) {
		if (!may_wait(rc))
			return rc;
		*e = none;
		return ERR_OK;
	}
	return c->local && !c->conflict && !core_has(c->core, i)
		   ? goals_repair(c, i, e)
		   : ERR_OK;
}
