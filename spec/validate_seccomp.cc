// The rules of config.json's "linux.seccomp".
#include <algorithm>

#include "runtime/base/text.h"
#include "spec/validate_parts.h"
#include "spec/words.h"

namespace spec {
namespace {

using rt::cat;

constexpr std::string_view kNotify = "SCMP_ACT_NOTIFY";

/// "When the action doesn't support an errno, the runtime MUST print an error and fail."
void check_errno(const Path& at, std::string_view action, const std::optional<uint32_t>& value,
                 Findings findings) {
  constexpr uint32_t kHighestErrno = 4095;   // MAX_ERRNO: the kernel cuts off above
  constexpr uint32_t kHighestData = 0xffff;  // SECCOMP_RET_DATA
  if (!value) return;
  if (action == "SCMP_ACT_ERRNO") {
    findings.expect_range(at, *value, 0, kHighestErrno);
  } else if (action == "SCMP_ACT_TRACE") {
    findings.expect_range(at, *value, 0, kHighestData);
  } else if (is_one_of(action, kSeccompActions)) {
    findings.error(at, cat(action, " takes no errno"));
  }
}

void check_argument(const Path& at, const SeccompArg& argument, Findings findings) {
  findings.expect_range(at.member("index"), argument.index, 0, 5);
  findings.expect_word(at.member("op"), argument.op, "operator", kSeccompOperators);
}

void check_syscall(const Path& at, const SeccompSyscall& rule, Findings findings) {
  findings.expect_word(at.member("action"), rule.action, "seccomp action", kSeccompActions);
  check_errno(at.member("errnoRet"), rule.action, rule.errno_ret, findings);
  const Path names = at.member("names");
  if (rule.names.empty()) findings.error(names, "at least one system call is required");
  for (size_t i = 0; i < rule.names.size(); ++i) {
    if (rule.names[i].empty()) findings.error(names.element(i), "the name is empty");
    // The runtime itself writes after loading the filter, and the agent is told by a write.
    if (rule.action == kNotify && rule.names[i] == "write") {
      findings.error(names.element(i), "SCMP_ACT_NOTIFY on write would block the runtime itself");
    }
  }
  const Path arguments = at.member("args");
  for (size_t i = 0; i < rule.args.size(); ++i) {
    check_argument(arguments.element(i), rule.args[i], findings);
  }
}

void check_listener(const Path& at, const Seccomp& seccomp, Findings findings) {
  if (!seccomp.listener_path.empty()) {
    findings.expect_absolute(at.member("listenerPath"), seccomp.listener_path);
    return;
  }
  if (!seccomp.listener_metadata.empty()) {
    findings.error(at.member("listenerMetadata"), "must not be set without listenerPath");
  }
  const Path syscalls = at.member("syscalls");
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    if (seccomp.syscalls[i].action != kNotify) continue;
    const Path rule = syscalls.element(i);
    findings.error(rule.member("action"), "SCMP_ACT_NOTIFY needs listenerPath");
  }
}

}  // namespace

void check_seccomp(const Path& at, const Seccomp& seccomp, Findings findings) {
  const std::string& action = seccomp.default_action;
  findings.expect_word(at.member("defaultAction"), action, "seccomp action", kSeccompActions);
  if (action == kNotify) {
    // Every call of the runtime's own, up to the one that hands over the listener, would wait.
    findings.error(at.member("defaultAction"), "SCMP_ACT_NOTIFY cannot be the default action");
  }
  check_errno(at.member("defaultErrnoRet"), action, seccomp.default_errno_ret, findings);
  const Path architectures = at.member("architectures");
  for (size_t i = 0; i < seccomp.architectures.size(); ++i) {
    findings.expect_word(architectures.element(i), seccomp.architectures[i], "seccomp architecture",
                         kSeccompArchitectures);
  }
  const Path flags = at.member("flags");
  for (size_t i = 0; i < seccomp.flags.size(); ++i) {
    findings.expect_word(flags.element(i), seccomp.flags[i], "seccomp flag", kSeccompFlags);
  }
  const Path syscalls = at.member("syscalls");
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    check_syscall(syscalls.element(i), seccomp.syscalls[i], findings);
  }
  check_listener(at, seccomp, findings);
}

}  // namespace spec
