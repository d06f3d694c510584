#include "cli/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "codec/dec.h"

/* Where parsing stands: one cluster of letters may be open. */
struct parse {
	const struct cli_grammar *g;
	int argc;
	char *const *argv;
	int i; /* the next word */
	size_t nargs;
	bool only_args; /* behind "--" */
};

static enum err_code
usage_text(struct err *e, const char *before, const char *v, const char *after)
{
	char quoted[256];

	err_quote(quoted, sizeof(quoted), v, strlen(v));
	return err_set(e, ERR_USAGE, "%s%s%s", before, quoted, after);
}

static enum err_code
push(struct cli_list *l, const char *s, size_t n, struct err *e)
{
	char *copy;

	if (!ARR_RESERVE(l->item, l->n + 1, l->cap))
		return err_nomem(e);
	copy = strndup(s, n);
	if (copy == NULL)
		return err_nomem(e);
	l->item[l->n++] = copy;
	return ERR_OK;
}

void
cli_list_deinit(struct cli_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	memset(l, 0, sizeof(*l));
}

static enum err_code
push_commas(struct cli_list *l, const char *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && *s != '\0') {
		size_t len = strcspn(s, ",");
		size_t from = strspn(s, " \t");
		size_t to = len;

		while (to > from && strchr(" \t", s[to - 1]) != NULL)
			to--;
		if (from < to)
			rc = push(l, s + from, to - from, e);
		s += len + (s[len] == ',');
	}
	return rc;
}

static enum err_code
set_int(const struct cli_option *o, struct cli_int *to, const char *s,
    struct err *e)
{
	uint64_t n = 0;
	const char *p;

	for (p = s; *p >= '0' && *p <= '9' && n <= DEC_UINT_MAX; p++)
		n = n * 10 + (uint64_t)(*p - '0');
	if (p == s || *p != '\0' || n > DEC_UINT_MAX) {
		enum err_code rc =
		    o->invalid != NULL
			? err_set(e, ERR_USAGE, "%s", o->invalid)
			: err_set(e, ERR_USAGE,
			      "--%s flag must supply an integer if set",
			      o->name);

		return e == NULL ? rc : err_tag(e, "ERR_INVALID_INPUT");
	}
	to->set = true;
	to->n = n;
	return ERR_OK;
}

static bool
is_flag(const struct cli_option *o)
{
	return o->kind == CLI_FLAG || o->kind == CLI_NO_FLAG;
}

static void *
field(void *to, size_t at)
{
	return (char *)to + at;
}

static enum err_code
store(const struct cli_option *o, void *to, const char *value, struct err *e)
{
	void *p = field(to, o->at);

	switch (o->kind) {
	case CLI_FLAG:
	case CLI_NO_FLAG:
		*(bool *)p = true;
		return ERR_OK;
	case CLI_VALUE:
		*(const char **)p = value;
		return ERR_OK;
	case CLI_LIST:
		return push(p, value, strlen(value), e);
	case CLI_COMMA:
		return push_commas(p, value, e);
	case CLI_INT:
		return set_int(o, p, value, e);
	}
	return err_set(e, ERR_USAGE, "--%s", o->name);
}

static const struct cli_option *
find(const struct cli_grammar *g, const char *name, size_t len, char letter,
    void **to)
{
	size_t t;
	size_t i;

	for (t = 0; t < g->ntables; t++) {
		for (i = 0; i < g->table[t].n; i++) {
			const struct cli_option *o = &g->table[t].option[i];

			if (name != NULL ? strlen(o->name) != len ||
					       strncmp(o->name, name, len)
					 : o->letter != letter)
				continue;
			*to = g->table[t].to;
			return o;
		}
	}
	return NULL;
}

/* The value of an option: given with "=", in the cluster, or the next word. */
static enum err_code
take_value(struct parse *p, const struct cli_option *o, const char *given,
    void *to, struct err *e)
{
	if (given == NULL && p->i < p->argc)
		given = p->argv[p->i++];
	if (given == NULL)
		return err_set(e, ERR_USAGE, "--%s needs a value %s", o->name,
		    o->value != NULL ? o->value : "");
	return store(o, to, given, e);
}

static enum err_code
unknown(const char *word, size_t len, struct err *e)
{
	char quoted[256];

	err_quote(quoted, sizeof(quoted), word, len);
	return err_set(e, ERR_USAGE, "Unrecognized Flag: %s", quoted);
}

static enum err_code
parse_long(struct parse *p, const char *word, struct err *e)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct cli_option *o;
	void *to = NULL;

	o = find(p->g, name, len, 0, &to);
	if (o != NULL && !is_flag(o))
		return take_value(p, o, value, to, e);
	if (o != NULL && value != NULL)
		return usage_text(e, "--", o->name, " takes no value");
	if (o != NULL)
		return store(o, to, NULL, e);
	if (len > 3 && strncmp(name, "no-", 3) == 0 && value == NULL &&
	    (o = find(p->g, name + 3, len - 3, 0, &to)) != NULL && is_flag(o)) {
		*(bool *)field(to, o->at) = false;
		return ERR_OK;
	}
	return unknown(word, len + 2, e);
}

static enum err_code
parse_cluster(struct parse *p, const char *word, struct err *e)
{
	const char *c;

	for (c = word + 1; *c != '\0'; c++) {
		const struct cli_option *o;
		const char *given = c[1] == '\0' ? NULL : c + 1;
		void *to = NULL;
		enum err_code rc;

		o = find(p->g, NULL, 0, *c, &to);
		if (o == NULL) {
			char text[3] = {'-', *c, '\0'};

			return unknown(text, 2, e);
		}
		if (!is_flag(o)) {
			if (given != NULL && *given == '=')
				given++;
			return take_value(p, o, given, to, e);
		}
		if ((rc = store(o, to, NULL, e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static enum err_code
parse_arg(struct parse *p, const char *word, struct err *e)
{
	const struct cli_grammar *g = p->g;
	size_t at = p->nargs;
	void *to;
	char quoted[256];

	if (g->nargs > 0 && at >= g->nargs &&
	    g->arg[g->nargs - 1].kind == CLI_ARG_REST)
		at = g->nargs - 1;
	if (at >= g->nargs) {
		err_quote(quoted, sizeof(quoted), word, strlen(word));
		return err_set(e, ERR_USAGE,
		    "Unrecognized Argument at index %zu with value %s",
		    p->nargs, quoted);
	}
	p->nargs++;
	to = field(g->table[0].to, g->arg[at].at);
	switch (g->arg[at].kind) {
	case CLI_ARG:
		*(const char **)to = word;
		return ERR_OK;
	case CLI_ARG_REST:
		return push(to, word, strlen(word), e);
	case CLI_ARG_IGNORED:
		return ERR_OK;
	}
	return ERR_OK;
}

static bool
is_option(const struct parse *p, const char *word)
{
	return !p->only_args && word[0] == '-' && word[1] != '\0';
}

enum err_code
cli_opt_parse(const struct cli_grammar *g, int argc, char *const *argv,
    size_t *nargs, struct err *e)
{
	struct parse p = {g, argc, argv, 1, 0, false};
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && p.i < argc) {
		const char *word = argv[p.i++];

		if (!is_option(&p, word))
			rc = parse_arg(&p, word, e);
		else if (strcmp(word, "--") == 0)
			p.only_args = true;
		else if (word[1] == '-')
			rc = parse_long(&p, word, e);
		else
			rc = parse_cluster(&p, word, e);
	}
	*nargs = p.nargs;
	return rc;
}

enum err_code
cli_opt_required(const struct cli_grammar *g, size_t nargs, struct err *e)
{
	if (nargs < g->nargs && g->arg[nargs].name[0] == '<')
		return err_set(e, ERR_USAGE, "%s", g->arg[nargs].name);
	return ERR_OK;
}

/* Does this option word take the next word as its value? */
static bool
takes_next(const struct cli_grammar *g, const char *word)
{
	const struct cli_option *o;
	size_t n = strlen(word);
	void *to;

	if (word[1] == '-') {
		o = find(g, word + 2, strcspn(word + 2, "="), 0, &to);
		return o != NULL && !is_flag(o) && strchr(word, '=') == NULL;
	}
	o = find(g, NULL, 0, word[n - 1], &to);
	return o != NULL && !is_flag(o);
}

int
cli_opt_word(const struct cli_grammar *g, int argc, char *const *argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || word[1] == '\0')
			return i;
		if (strcmp(word, "--") == 0)
			return i + 1 < argc ? i + 1 : 0;
		if (takes_next(g, word))
			i++;
	}
	return 0;
}
