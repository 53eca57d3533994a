#include "runtime/container/exec_process.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "spec/diagnostic.h"
#include "spec/load.h"
#include "spec/validate.h"

namespace rt::container {
namespace {

Status first_error(const std::vector<spec::Diagnostic>& diagnostics, std::string_view name) {
  for (const spec::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity != spec::Severity::kError) continue;
    const std::string place =
        diagnostic.line == 0 ? "" : cat(':', diagnostic.line, ':', diagnostic.column);
    return Error(cat(name, place, ' ', diagnostic.pointer, ": ", diagnostic.message));
  }
  return ok();
}

Result<uint32_t> parse_id(std::string_view text, std::string_view option) {
  const auto number = parse_uint(text);
  // The highest one means "leave as it is" to the kernel.
  if (number && *number < UINT32_MAX) return static_cast<uint32_t>(*number);
  return Error(cat(option, ' ', quoted(text), ": expected a number from 0 to 4294967294"));
}

Status set_user(std::string_view text, spec::User& user) {
  const size_t colon = text.find(':');
  user.uid = TRY(parse_id(text.substr(0, colon), "--user"));
  if (colon == std::string_view::npos) return ok();
  user.gid = TRY(parse_id(text.substr(colon + 1), "--user"));
  return ok();
}

void add_once(std::vector<std::string>& list, const std::string& word) {
  if (std::ranges::find(list, word) == list.end()) list.push_back(word);
}

/// Not inheritable, and so not ambient: CVE-2022-29162.
void add_capabilities(const std::vector<std::string>& names, spec::Process& process) {
  if (!process.capabilities) process.capabilities.emplace();
  for (const std::string& name : names) {
    for (auto* set : {&process.capabilities->bounding, &process.capabilities->permitted,
                      &process.capabilities->effective}) {
      add_once(*set, name);
    }
  }
}

Result<spec::Process> changed(spec::Process process, const ExecRequest& request) {
  process.args = request.args;
  process.terminal = request.terminal;
  if (!request.terminal) process.console_size.reset();
  if (!request.cwd.empty()) process.cwd = request.cwd;
  process.env.insert(process.env.end(), request.env.begin(), request.env.end());
  if (!request.user.empty()) TRY(set_user(request.user, process.user));
  for (const std::string& gid : request.additional_gids) {
    const uint32_t number = TRY(parse_id(gid, "--additional-gids"));
    process.user.additional_gids.push_back(number);
  }
  if (!request.capabilities.empty()) add_capabilities(request.capabilities, process);
  if (!request.apparmor_profile.empty()) process.apparmor_profile = request.apparmor_profile;
  if (!request.selinux_label.empty()) process.selinux_label = request.selinux_label;
  process.no_new_privileges = process.no_new_privileges || request.no_new_privileges;
  return process;
}

/// What the document does not say is as for the container's own process.
spec::Process completed(spec::Process process, const spec::Process& container) {
  if (process.rlimits.empty()) process.rlimits = container.rlimits;
  if (!process.capabilities) process.capabilities = container.capabilities;
  if (process.apparmor_profile.empty()) process.apparmor_profile = container.apparmor_profile;
  if (process.selinux_label.empty()) process.selinux_label = container.selinux_label;
  if (!process.oom_score_adj) process.oom_score_adj = container.oom_score_adj;
  if (!process.scheduler) process.scheduler = container.scheduler;
  if (!process.io_priority) process.io_priority = container.io_priority;
  if (!process.exec_cpu_affinity) process.exec_cpu_affinity = container.exec_cpu_affinity;
  if (!process.user.umask) process.user.umask = container.user.umask;
  process.no_new_privileges = process.no_new_privileges || container.no_new_privileges;
  return process;
}

}  // namespace

Result<spec::Process> exec_process(const spec::Config& container, const ExecRequest& request) {
  spec::Process base = container.process.value_or(spec::Process());
  if (base.cwd.empty()) base.cwd = "/";
  if (!request.document.empty()) {
    spec::LoadedProcess loaded = spec::load_process(request.document);
    TRY(first_error(loaded.diagnostics, "--process"));
    return completed(*std::move(loaded.process), base);
  }
  spec::Process process = TRY(changed(base, request));
  TRY(first_error(spec::validate_process(process), "exec"));
  return process;
}

}  // namespace rt::container
