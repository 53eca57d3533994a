// The commands that only look, or write a file to begin with: state, list, spec, validate, plan,
// features.
#include <utility>

#include "runtime/cli/commands.h"
#include "runtime/cli/render.h"
#include "runtime/cli/version.h"
#include "runtime/container/bundle.h"
#include "runtime/container/container.h"
#include "runtime/container/features.h"
#include "runtime/container/output.h"
#include "runtime/container/self.h"
#include "runtime/plan/describe.h"
#include "spec/diagnostic.h"
#include "spec/template.h"

namespace rt::cli {
namespace {

struct NoOptions {};

Result<int> state(const Invocation& invocation) {
  NoOptions none;
  const auto rest = TRY(parse_arguments(invocation, {}, none, 1, 1));
  const container::Store store = TRY(open_store(invocation.globals));
  const container::Info info = TRY(container::inspect(store, rest[0]));
  TRY(print(state_json(info)));
  return 0;
}

struct ListArguments {
  std::string format = "table";
  bool quiet = false;
};
constexpr Option kListOptions[] = {
    option<&ListArguments::format>("format", 'f', "FORMAT", "table or json"),
    flag<&ListArguments::quiet>("quiet", 'q', "the names alone, a line each"),
};

Result<int> list(const Invocation& invocation) {
  ListArguments options;
  TRY(parse_arguments(invocation, kListOptions, options, 0, 0));
  const bool json = TRY(is_json(options.format, "table"), "--format");
  const container::Store store = TRY(open_store(invocation.globals));
  const container::Listing listing = TRY(container::list(store));
  for (const std::string& warning : listing.warnings) invocation.log.warn(warning);
  std::string text;
  if (options.quiet) {
    for (const container::Info& info : listing.containers) text += cat(info.record.id, '\n');
  } else {
    text = json ? list_json(listing.containers) : list_table(listing.containers);
  }
  TRY(print(text));
  return 0;
}

struct BundleArguments {
  std::string bundle;
  std::string format = "text";
  std::string id;
  bool rootless = false;
};
constexpr Option kBundle = option<&BundleArguments::bundle>(
    "bundle", 'b', "DIR", "the bundle's directory (default: the current one)");
constexpr Option kFormat =
    option<&BundleArguments::format>("format", 'f', "FORMAT", "text or json");

constexpr Option kSpecOptions[] = {
    kBundle,
    flag<&BundleArguments::rootless>("rootless", 0, "for a user without privileges"),
};
constexpr Option kValidateOptions[] = {kBundle, kFormat};
constexpr Option kPlanOptions[] = {
    kBundle,
    kFormat,
    option<&BundleArguments::id>("id", 0, "ID", "the container's name (default: the bundle's)"),
};

/// [<bundle>]; its path.
Result<std::string> read_bundle_path(const Invocation& invocation, std::span<const Option> table,
                                     BundleArguments& options) {
  const auto rest = TRY(parse_arguments(invocation, table, options, 0, 1));
  if (!rest.empty() && !options.bundle.empty()) return Error("the bundle is given twice");
  if (!rest.empty()) return rest[0];
  return options.bundle.empty() ? std::string(".") : options.bundle;
}

Result<int> write_spec(const Invocation& invocation) {
  BundleArguments options;
  const std::string path = TRY(read_bundle_path(invocation, kSpecOptions, options));
  const container::Caller caller = container::caller();
  const std::string text =
      spec::config_template({.rootless = options.rootless, .uid = caller.uid, .gid = caller.gid});
  TRY(container::write_new_file(cat(path, "/config.json"), text));
  return 0;
}

Result<int> validate(const Invocation& invocation) {
  BundleArguments options;
  const std::string path = TRY(read_bundle_path(invocation, kValidateOptions, options));
  const bool json = TRY(is_json(options.format, "text"), "--format");
  const container::Bundle bundle = TRY(container::load_bundle(path));
  const auto& found = bundle.diagnostics;
  std::string text = json ? cat(spec::render_json(found), '\n')
                          : spec::render_text(found, bundle.text, "config.json");
  if (!json && found.empty()) text = cat(bundle.path, "/config.json: valid\n");
  TRY(print(text));
  return spec::has_errors(found) ? 1 : 0;
}

/// A name to plan with where none is given: the directory's, if it can be one.
std::string default_id(const container::Bundle& bundle) {
  const std::string name = bundle.path.substr(bundle.path.rfind('/') + 1);
  return container::check_id(name) ? name : "container";
}

Result<int> show_plan(const Invocation& invocation) {
  BundleArguments options;
  const std::string path = TRY(read_bundle_path(invocation, kPlanOptions, options));
  const bool json = TRY(is_json(options.format, "text"), "--format");
  const container::Bundle bundle = TRY(container::load_bundle(path));
  const Status checked = container::check_bundle(bundle);
  if (!checked) {
    print_error(spec::render_text(bundle.diagnostics, bundle.text, "config.json"));
    return checked.error();
  }
  plan::Request request = TRY(base_request(invocation.globals));
  request.id = options.id.empty() ? default_id(bundle) : options.id;
  TRY(container::check_id(request.id));
  const plan::Plan plan = TRY(container::plan_bundle(bundle, std::move(request)));
  TRY(print(json ? cat(plan::describe_json(plan), '\n') : plan::describe_text(plan)));
  return 0;
}

Result<int> show_features(const Invocation& invocation) {
  NoOptions none;
  TRY(parse_arguments(invocation, {}, none, 0, 0));
  spec::Features features = container::features();
  features.annotations["runtime.version"] = kVersion;
  features.annotations["runtime.commit"] = kCommit;
  TRY(print(cat(spec::to_json(features), '\n')));
  return 0;
}

constexpr Command kCommands[] = {
    {.name = "state",
     .arguments = "<id>",
     .summary = "Show the state of a container",
     .example = "runtime state demo",
     .options = {},
     .run = state,
     .seals = false},
    {.name = "list",
     .arguments = "",
     .summary = "List all containers",
     .example = "runtime list --format json",
     .options = kListOptions,
     .run = list,
     .seals = false},
    {.name = "spec",
     .arguments = "[<bundle>]",
     .summary = "Write a config.json to begin with",
     .example = "runtime spec --rootless",
     .options = kSpecOptions,
     .run = write_spec,
     .seals = false},
    {.name = "validate",
     .arguments = "[<bundle>]",
     .summary = "Say everything that is wrong with a bundle's config.json",
     .example = "runtime validate /srv/bundle",
     .options = kValidateOptions,
     .run = validate,
     .seals = false},
    {.name = "plan",
     .arguments = "[<bundle>]",
     .summary = "Show what create, start and delete would do, without doing it",
     .example = "runtime plan --format json /srv/bundle",
     .options = kPlanOptions,
     .run = show_plan,
     .seals = false},
    {.name = "features",
     .arguments = "",
     .summary = "Say what of the specification this runtime can do",
     .example = "runtime features",
     .options = {},
     .run = show_features,
     .seals = false},
};

}  // namespace

std::span<const Command> inspect_commands() { return kCommands; }

}  // namespace rt::cli
