#include "spec/validate.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/text.h"
#include "spec/validate_parts.h"
#include "spec/words.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Letters, digits and "-": what identifiers of SemVer are made of.
bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

bool has_leading_zero(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && std::all_of(text.begin(), text.end(), is_digit);
}

/// The major version of a SemVer 2.0.0 text; nothing when it is none.
std::optional<uint64_t> major_of(std::string_view version) {
  const size_t plus = version.find('+');
  if (plus != version.npos) {
    for (const auto part : rt::split(version.substr(plus + 1), '.')) {
      if (!is_identifier(part)) return std::nullopt;
    }
    version = version.substr(0, plus);
  }
  const size_t minus = version.find('-');
  if (minus != version.npos) {
    for (const auto part : rt::split(version.substr(minus + 1), '.')) {
      if (!is_identifier(part) || has_leading_zero(part)) return std::nullopt;
    }
    version = version.substr(0, minus);
  }
  const auto numbers = rt::split(version, '.');
  if (numbers.size() != 3) return std::nullopt;
  for (const std::string_view number : numbers) {
    if (!rt::parse_uint(number) || has_leading_zero(number)) return std::nullopt;
  }
  return rt::parse_uint(numbers[0]);
}

void check_version(const Path& at, std::string_view version, Findings findings) {
  const auto major = major_of(version);
  if (!major) {
    findings.error(at, cat("not a version in SemVer 2.0.0 form: ", quoted(version)));
  } else if (*major > 1) {
    findings.error(at, cat("version ", version, " is not compatible with ", kOciVersion));
  } else if (*major == 0) {
    findings.warning(at, cat("version ", version, " was never released; read as ", kOciVersion));
  }
}

void check_mount(const Path& at, const Mount& mount, Findings findings) {
  if (mount.destination.empty()) {
    findings.error(at.member("destination"), "the destination is empty");
  } else if (!mount.destination.starts_with('/')) {
    findings.warning(at.member("destination"),
                     cat("relative destinations are deprecated; ", quoted(mount.destination),
                         " is taken from the container's root"));
  }
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    const bool uids = !mount.uid_mappings.empty();
    findings.error(at.member(uids ? "uidMappings" : "gidMappings"),
                   cat(uids ? "uidMappings without gidMappings" : "gidMappings without uidMappings",
                       ": a mount has both or neither"));
  }
  check_mappings(at.member("uidMappings"), mount.uid_mappings, findings);
  check_mappings(at.member("gidMappings"), mount.gid_mappings, findings);
}

void check_mount_options(const Path& at, const Mount& mount, Findings findings) {
  bool bind = mount.type == "bind" || mount.type == "rbind";
  bool remount = false;
  const Path options = at.member("options");
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& word = mount.options[i];
    if (word.empty()) findings.error(options.element(i), "the option is empty");
    if (word == "bind" || word == "rbind") bind = true;
    if (word == "remount") remount = true;
  }
  if (bind && !remount && mount.source.empty()) {
    findings.error(at.member("source"), "a bind mount needs a source");
  }
}

/// A mapping must come from somewhere.
void check_id_mapped(const Path& at, const Mount& mount, const Linux& linux_config,
                     Findings findings) {
  const bool has_mappings = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  if (has_mappings || find_namespace(linux_config, "user") != nullptr) return;
  const Path options = at.member("options");
  for (size_t i = 0; i < mount.options.size(); ++i) {
    const std::string& word = mount.options[i];
    if (word != "idmap" && word != "ridmap") continue;
    findings.error(options.element(i),
                   cat(quoted(word),
                       " needs uidMappings and gidMappings, or a namespace of type "
                       "\"user\" to take them from"));
  }
}

void check_mounts(const Path& at, const Config& config, Findings findings) {
  for (size_t i = 0; i < config.mounts.size(); ++i) {
    const Path entry = at.element(i);
    const Findings of_options = findings.in("config.md, \"Linux mount options\"");
    check_mount(entry, config.mounts[i], findings);
    check_mount_options(entry, config.mounts[i], of_options);
    check_id_mapped(entry, config.mounts[i], config.linux_, of_options);
  }
}

void check_hook(const Path& at, const Hook& hook, Findings findings) {
  findings.expect_absolute(at.member("path"), hook.path);
  constexpr int64_t kLongest = std::numeric_limits<uint32_t>::max();  // 136 years
  if (hook.timeout_s && *hook.timeout_s <= 0) {
    findings.error(at.member("timeout"),
                   cat("expected seconds greater than 0, found ", *hook.timeout_s));
  } else if (hook.timeout_s && *hook.timeout_s > kLongest) {
    findings.error(at.member("timeout"),
                   cat("expected at most ", kLongest, " seconds, found ", *hook.timeout_s));
  }
  check_environment(at.member("env"), hook.env, findings);
}

void check_hooks(const Path& at, const Hooks& hooks, Findings findings) {
  const std::pair<std::string_view, const std::vector<Hook>&> kinds[] = {
      {"prestart", hooks.prestart},
      {"createRuntime", hooks.create_runtime},
      {"createContainer", hooks.create_container},
      {"startContainer", hooks.start_container},
      {"poststart", hooks.poststart},
      {"poststop", hooks.poststop},
  };
  for (const auto& [name, list] : kinds) {
    const Path kind = at.member(name);
    for (size_t i = 0; i < list.size(); ++i) check_hook(kind.element(i), list[i], findings);
  }
}

/// hostname and domainname belong to a UTS namespace: without one they would change the host's.
void check_host_name(const Path& at, const std::optional<std::string>& name,
                     const Linux& linux_config, Findings findings) {
  constexpr size_t kLongest = 64;  // __NEW_UTS_LEN
  if (!name || name->empty()) return;
  if (find_namespace(linux_config, "uts") == nullptr) {
    findings.error(at, "needs a namespace of type \"uts\": without, it would change the host's");
  }
  if (name->size() > kLongest) {
    findings.error(at, cat("longer than ", kLongest, " bytes: ", name->size()));
  }
}

void check_annotations(const Path& at, const Config& config, Findings findings) {
  if (config.annotations.contains("")) {
    findings.error(at.member(""), "the name of an annotation is empty", Place::kKey);
  }
}

}  // namespace

std::vector<Diagnostic> validate(const Config& config) {
  std::vector<Diagnostic> found;
  const Findings findings(found);
  const Path document;
  check_version(document.member("ociVersion"), config.oci_version,
                findings.in("config.md, \"Specification version\""));
  if (config.root && config.root->path.empty()) {
    const Path root = document.member("root");
    findings.in("config.md, \"Root\"").error(root.member("path"), "the path is empty");
  }
  check_mounts(document.member("mounts"), config, findings.in("config.md, \"Mounts\""));
  check_host_name(document.member("hostname"), config.hostname, config.linux_,
                  findings.in("config.md, \"Hostname\""));
  check_host_name(document.member("domainname"), config.domainname, config.linux_,
                  findings.in("config.md, \"Domainname\""));
  if (config.process) check_process(document.member("process"), *config.process, findings);
  check_hooks(document.member("hooks"), config.hooks,
              findings.in("config.md, \"POSIX-platform Hooks\""));
  check_annotations(document.member("annotations"), config,
                    findings.in("config.md, \"Annotations\""));
  check_linux(document.member("linux"), config.linux_, findings);
  return found;
}

std::vector<Diagnostic> validate_process(const Process& process) {
  std::vector<Diagnostic> found;
  check_process(Path(), process, Findings(found));
  return found;
}

std::vector<Diagnostic> validate_resources(const Resources& resources) {
  std::vector<Diagnostic> found;
  check_resources(Path(), resources, Findings(found));
  return found;
}

}  // namespace spec
