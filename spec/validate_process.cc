// The rules of config.json's "process".
#include <algorithm>

#include "runtime/base/text.h"
#include "spec/validate_parts.h"
#include "spec/words.h"

namespace spec {
namespace {

using rt::cat;
using rt::quoted;

void check_arguments(const Path& at, const std::vector<std::string>& args, Findings findings) {
  if (args.empty()) {
    findings.error(at, "at least one entry is required: the program to run");
  } else if (args[0].empty()) {
    // The words that Docker and Podman map to exit code 127.
    findings.error(at.element(0),
                   "the program to run is empty: executable file not found in $PATH");
  }
}

void check_rlimits(const Path& at, const std::vector<Rlimit>& rlimits, Findings findings) {
  for (size_t i = 0; i < rlimits.size(); ++i) {
    const Rlimit& rlimit = rlimits[i];
    const Path entry = at.element(i);
    const bool known =
        findings.expect_word(entry.member("type"), rlimit.type, "resource limit", kRlimitTypes);
    const auto end = rlimits.begin() + static_cast<std::ptrdiff_t>(i);
    const auto same = [&](const Rlimit& other) { return other.type == rlimit.type; };
    if (known && std::any_of(rlimits.begin(), end, same)) {
      findings.error(entry.member("type"), cat(rlimit.type, " is there twice"));
    }
    if (rlimit.soft > rlimit.hard) {
      findings.error(entry,
                     cat("the soft limit ", rlimit.soft, " is above the hard limit ", rlimit.hard));
    }
  }
}

void check_user(const Path& at, const User& user, Findings findings) {
  findings.expect_id(at.member("uid"), user.uid);
  findings.expect_id(at.member("gid"), user.gid);
  const Path additional = at.member("additionalGids");
  for (size_t i = 0; i < user.additional_gids.size(); ++i) {
    findings.expect_id(additional.element(i), user.additional_gids[i]);
  }
  if (user.umask && *user.umask > 0777) {
    findings.error(at.member("umask"), cat("expected 0 to 511 (octal 777), found ", *user.umask));
  }
}

/// The specification wants a warning for what the kernel does not know, and the container to run.
void check_capability_set(const Path& at, const std::vector<std::string>& names,
                          Findings findings) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (is_one_of(names[i], kCapabilityNames)) continue;
    findings.warning(at.element(i), cat("unknown capability ", quoted(names[i]), " is not granted",
                                        did_you_mean(names[i], kCapabilityNames)));
  }
}

void check_capabilities(const Path& at, const Capabilities& sets, Findings findings) {
  check_capability_set(at.member("bounding"), sets.bounding, findings);
  check_capability_set(at.member("effective"), sets.effective, findings);
  check_capability_set(at.member("inheritable"), sets.inheritable, findings);
  check_capability_set(at.member("permitted"), sets.permitted, findings);
  check_capability_set(at.member("ambient"), sets.ambient, findings);
}

void check_linux_process(const Path& at, const Process& process, Findings findings) {
  if (process.capabilities) {
    check_capabilities(at.member("capabilities"), *process.capabilities, findings);
  }
  if (process.oom_score_adj) {
    findings.expect_range(at.member("oomScoreAdj"), *process.oom_score_adj, -1000, 1000);
  }
  check_process_attributes(at, process, findings);
}

}  // namespace

/// environ(7) is made of NAME=value. The kernel would pass on anything, but programs (and our own
/// search of PATH) read it by that form: what has another one is a mistake that nobody else finds.
void check_environment(const Path& at, const std::vector<std::string>& env, Findings findings) {
  for (size_t i = 0; i < env.size(); ++i) {
    const size_t equals = env[i].find('=');
    if (equals == std::string::npos) {
      findings.error(at.element(i), cat("expected NAME=value, found ", quoted(env[i])));
    } else if (equals == 0) {
      findings.error(at.element(i), cat("the name before = is empty: ", quoted(env[i])));
    }
  }
}

void check_process(const Path& at, const Process& process, Findings findings) {
  const Findings basic = findings.in("config.md, \"Process\"");
  Findings(basic).expect_absolute(at.member("cwd"), process.cwd);
  check_arguments(at.member("args"), process.args, basic);
  check_environment(at.member("env"), process.env, basic);
  check_rlimits(at.member("rlimits"), process.rlimits, findings.in("config.md, \"POSIX process\""));
  check_user(at.member("user"), process.user, findings.in("config.md, \"POSIX-platform User\""));
  check_linux_process(at, process, findings.in("config.md, \"Linux Process\""));
}

}  // namespace spec
