#include "build_cmd.h"

#define SOURCE(i) \
	(offsetof(struct build_args, source) + (i) * sizeof(const char *))

static const struct cli_option options[] = {
    {"package", 0, CLI_VALUE, offsetof(struct build_args, package), "<path>",
	"The app's package.json", NULL},
    {"target", 0, CLI_VALUE, offsetof(struct build_args, target), "<dir>",
	"Deployment directory to make (default: ./{name}-{version})", NULL},
    {"darwin-arm64-app", 0, CLI_VALUE, SOURCE(0), "<dir>",
	"The .app folder for macOS, arm64", NULL},
    {"darwin-x64-app", 0, CLI_VALUE, SOURCE(1), "<dir>",
	"The .app folder for macOS, x64", NULL},
    {"linux-arm64-app", 0, CLI_VALUE, SOURCE(2), "<file>",
	"The .AppImage for Linux, arm64", NULL},
    {"linux-x64-app", 0, CLI_VALUE, SOURCE(3), "<file>",
	"The .AppImage for Linux, x64", NULL},
    {"win32-x64-app", 0, CLI_VALUE, SOURCE(4), "<file>",
	"The .msix or .exe for Windows, x64", NULL},
    {"win32-arm64-app", 0, CLI_VALUE, SOURCE(5), "<file>",
	"The .msix or .exe for Windows, arm64", NULL},
    {"ios-arm64", 0, CLI_VALUE, SOURCE(6), "<dir>", "The folder for iOS, arm64",
	NULL},
    {"ios-arm64-simulator", 0, CLI_VALUE, SOURCE(7), "<dir>",
	"The folder for iOS simulator, arm64", NULL},
    {"ios-x64-simulator", 0, CLI_VALUE, SOURCE(8), "<dir>",
	"The folder for iOS simulator, x64", NULL},
    {"android-arm64", 0, CLI_VALUE, SOURCE(9), "<dir>",
	"The folder for Android, arm64", NULL},
    {"force", 'f', CLI_FLAG, offsetof(struct build_args, force), NULL,
	"Replace a different build in the target; architectures that are "
	"not given stay",
	NULL},
    {"allow-nested-target", 0, CLI_FLAG,
	offsetof(struct build_args, allow_nested), NULL,
	"Accept a target inside the app's folder", NULL},
    {"provenance", 0, CLI_FLAG, offsetof(struct build_args, provenance), NULL,
	"Also write DIR.intoto.json beside the target: the git commit, tag "
	"and remote of the source, and the SHA-256 of every file",
	NULL},
    {"allow-dirty", 0, CLI_FLAG, offsetof(struct build_args, allow_dirty), NULL,
	"With --provenance: although the source has changes that are not "
	"committed; the statement says so",
	NULL},
    {"source", 0, CLI_VALUE, offsetof(struct build_args, repository), "<dir>",
	"With --provenance: a folder of the source (default: where "
	"package.json is)",
	NULL},
};

static const char *const examples[] = {
    "pear-build --package ./package.json --target ../Hello-1.0.0 "
    "--linux-x64-app ./out/Hello.AppImage",
    NULL,
};

const struct cli_spec build_spec = {
    .name = "pear-build",
    .event = "build",
    .summary = "Assemble builds of an app for several architectures into "
	       "a deployment directory.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .example = examples,
    .help_when_empty = true,
};

enum err_code
build_args_apply(
    const struct build_args *a, struct build_opts *out, struct err *e)
{
	size_t given = 0;

	if (a->package == NULL)
		return err_set(e, ERR_USAGE, "--package <path>");
	out->package = a->package;
	out->target = a->target;
	for (size_t i = 0; i < ARCH_COUNT; i++) {
		out->source[i] = a->source[i];
		given += a->source[i] != NULL;
	}
	if (given == 0)
		return err_set(e, ERR_USAGE,
		    "no build was given, for example --linux-x64-app <file>");
	out->force = a->force;
	out->allow_nested = a->allow_nested;
	if (!a->provenance && (a->allow_dirty || a->repository != NULL))
		return err_set(e, ERR_USAGE, "%s needs --provenance",
		    a->allow_dirty ? "--allow-dirty" : "--source");
	out->provenance = a->provenance;
	out->allow_dirty = a->allow_dirty;
	out->repository = a->repository;
	return ERR_OK;
}
