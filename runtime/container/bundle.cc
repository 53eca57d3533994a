#include "runtime/container/bundle.h"

#include <fcntl.h>

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/unique_fd.h"
#include "runtime/kernel/host.h"
#include "runtime/sys/file.h"
#include "spec/json.h"
#include "spec/load.h"
#include "spec/sections.h"

namespace rt::container {
namespace {

constexpr const char* kConfig = "config.json";

bool is_error(const spec::Diagnostic& diagnostic) {
  return diagnostic.severity == spec::Severity::kError;
}

/// "config.json:41:7 /mounts/3"
std::string place_of(size_t line, size_t column, std::string_view pointer) {
  return cat(kConfig, ':', line, ':', column, pointer.empty() ? "" : " ", pointer);
}

/// The same for a pointer alone. What is none says in words who asked: "default: devices".
std::string place_of(std::string_view origin, std::string_view config_text) {
  if (!origin.starts_with('/')) return std::string(origin);
  const spec::Position position = spec::locate(config_text, origin);
  return place_of(position.line, position.column, origin);
}

}  // namespace

Result<Bundle> load_bundle(const std::string& path) {
  Bundle bundle;
  bundle.path = TRY(sys::realpath(path), "bundle ", quoted(path));
  const std::string file_path = cat(bundle.path, '/', kConfig);
  // Not blocking: what lies there might be a fifo.
  const UniqueFd file = TRY(sys::open(file_path, O_RDONLY | O_NONBLOCK), file_path);
  bundle.text = TRY(sys::read_all(file.get(), spec::kMaxDocumentSize), file_path);
  spec::Loaded loaded = spec::load_config(bundle.text);
  bundle.config = std::move(loaded.config);
  bundle.diagnostics = std::move(loaded.diagnostics);
  return bundle;
}

Status check_bundle(const Bundle& bundle) {
  const auto first = std::ranges::find_if(bundle.diagnostics, is_error);
  if (first == bundle.diagnostics.end()) return ok();
  const auto errors = std::ranges::count_if(bundle.diagnostics, is_error);
  Error error(cat(place_of(first->line, first->column, first->pointer), ": ", first->message));
  error = std::move(error).at(first->pointer).within("invalid configuration");
  if (errors > 1) error = std::move(error).with_hint("the first of ", errors, " errors");
  return error;
}

Result<plan::Plan> plan_bundle(const Bundle& bundle, plan::Request request) {
  request.bundle = bundle.path;
  const plan::HostFacts host = TRY(kernel::probe_host());
  Result<plan::Plan> planned = plan::make_plan(bundle.config.value(), request, host);
  if (!planned) return located(std::move(planned).error(), bundle.text);
  return planned;
}

Error located(Error error, std::string_view config_text) {
  std::string hint = place_of(error.pointer(), config_text);
  const auto add = [&](const std::string& part) { hint += cat(hint.empty() ? "" : ", ", part); };
  if (!error.step().empty()) add(cat("step ", quoted(error.step())));
  // No step of the plan was at work, and no call failed: the document asks for what cannot be.
  const bool is_rule = error.step().empty() && error.code() == 0;
  const std::string_view section = is_rule ? spec::section_of(error.pointer()) : "";
  if (!section.empty()) add(std::string(section));
  if (hint.empty()) return error;
  return std::move(error).with_hint(hint);
}

std::vector<std::string> warnings_of(const Bundle& bundle, const plan::Plan& plan) {
  std::vector<std::string> warnings;
  std::set<std::string_view> places;
  for (const spec::Diagnostic& diagnostic : bundle.diagnostics) {
    if (is_error(diagnostic)) continue;
    warnings.push_back(cat(place_of(diagnostic.line, diagnostic.column, diagnostic.pointer), ": ",
                           diagnostic.message));
    places.insert(diagnostic.pointer);
  }
  for (const plan::Warning& warning : plan.warnings) {
    // An unknown capability is one to both of them.
    if (places.contains(warning.origin)) continue;
    warnings.push_back(cat(place_of(warning.origin, bundle.text), ": ", warning.message));
  }
  return warnings;
}

}  // namespace rt::container
