// The system call filter: words become numbers, rules become what libseccomp can say.
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "runtime/plan/parts.h"
#include "runtime/plan/seccomp_words.h"
#include "spec/words.h"

namespace rt::plan {
namespace {

constexpr std::string_view kSection = "/linux/seccomp";

Result<uint32_t> plan_action(std::string_view word, std::optional<uint32_t> data) {
  const std::optional<uint32_t> action = seccomp_action(word);
  if (!action) return Error(cat("unknown seccomp action ", quoted(word)));
  const bool takes_data = *action == SECCOMP_RET_ERRNO || *action == SECCOMP_RET_TRACE;
  if (!takes_data && data) return Error(cat(word, " takes no errno"));
  if (!takes_data) return *action;
  return *action | (data.value_or(EPERM) & SECCOMP_RET_DATA);
}

Result<SeccompOperator> plan_operator(std::string_view word) {
  struct Row {
    std::string_view word;
    SeccompOperator op;
  };
  static constexpr std::array kRows = {Row{"SCMP_CMP_NE", SeccompOperator::kNe},
                                       Row{"SCMP_CMP_LT", SeccompOperator::kLt},
                                       Row{"SCMP_CMP_LE", SeccompOperator::kLe},
                                       Row{"SCMP_CMP_EQ", SeccompOperator::kEq},
                                       Row{"SCMP_CMP_GE", SeccompOperator::kGe},
                                       Row{"SCMP_CMP_GT", SeccompOperator::kGt},
                                       Row{"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEq}};
  for (const Row& row : kRows) {
    if (row.word == word) return row.op;
  }
  return Error(cat("unknown operator ", quoted(word)));
}

Result<std::vector<SeccompArgument>> plan_arguments(const std::vector<spec::SeccompArg>& wanted) {
  std::vector<SeccompArgument> arguments;
  for (const spec::SeccompArg& one : wanted) {
    if (one.index > 5) return Error("a system call has six arguments");
    const SeccompOperator op = TRY(plan_operator(one.op));
    arguments.push_back(
        {.index = one.index, .op = op, .value = one.value, .value_two = one.value_two});
  }
  return arguments;
}

/// The first argument that is compared more than once.
std::optional<uint32_t> repeated_index(const std::vector<SeccompArgument>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (arguments[i].index == arguments[j].index) return arguments[i].index;
    }
  }
  return std::nullopt;
}

/// Adds the rule. One that compares an argument twice becomes a rule for each comparison:
/// libseccomp refuses it, and profiles are written for runtimes that all do this.
void add_rule(Draft& draft, SeccompStep& step, SeccompRule rule) {
  const std::optional<uint32_t> repeated = repeated_index(rule.arguments);
  if (!repeated) {
    step.rules.push_back(std::move(rule));
    return;
  }
  draft.warn(rule.origin, cat("argument ", *repeated,
                              " is compared more than once: each comparison is a rule of its own, "
                              "and one that is true is enough"));
  for (const SeccompArgument& argument : rule.arguments) {
    SeccompRule single = rule;
    single.arguments = {argument};
    step.rules.push_back(std::move(single));
  }
}

Status plan_rule(Draft& draft, SeccompStep& step, size_t index) {
  const spec::SeccompSyscall& wanted = draft.config.linux_.seccomp->syscalls[index];
  SeccompRule rule;
  rule.origin = cat(kSection, "/syscalls/", index);
  rule.syscalls = wanted.names;
  rule.action = TRY(at(rule.origin, plan_action(wanted.action, wanted.errno_ret)));
  rule.arguments = TRY(at(rule.origin, plan_arguments(wanted.args)));
  if (rule.action == SECCOMP_RET_USER_NOTIF) {
    step.notifies = true;
    if (std::ranges::count(rule.syscalls, "write") > 0) {
      // Init tells the runtime about the listener by a write: nobody could answer it.
      return Error("SCMP_ACT_NOTIFY on write would block the runtime itself").at(rule.origin);
    }
  }
  add_rule(draft, step, std::move(rule));
  return ok();
}

/// A rule without arguments is for every call of that name, and libseccomp drops those with
/// arguments for it: not in silence. A rule that does what is done anyhow is none.
void note_contradictions(Draft& draft, const SeccompStep& step) {
  std::map<std::string_view, const SeccompRule*> general;
  for (const SeccompRule& rule : step.rules) {
    if (!rule.arguments.empty() || rule.action == step.default_action) continue;
    for (const std::string& name : rule.syscalls) {
      const SeccompRule*& known = general[name];
      if (known != nullptr && known->action != rule.action) {
        draft.note(known->origin, cat(quoted(name), " has another action in ", rule.origin,
                                      ", which is the later one and holds"));
      }
      known = &rule;
    }
  }
  for (const SeccompRule& rule : step.rules) {
    if (rule.arguments.empty() || rule.action == step.default_action) continue;
    for (const std::string& name : rule.syscalls) {
      const auto found = general.find(name);
      if (found == general.end() || found->second->action == rule.action) continue;
      draft.note(rule.origin, cat("has no effect on ", quoted(name), ": ", found->second->origin,
                                  " is for all its arguments"));
    }
  }
}

Status plan_flags(Draft& draft, SeccompStep& step) {
  const std::vector<std::string>& words = draft.config.linux_.seccomp->flags;
  for (size_t i = 0; i < words.size(); ++i) {
    const Origin origin = cat(kSection, "/flags/", i);
    const std::optional<uint64_t> flag = seccomp_flag(words[i]);
    if (!flag) return Error(cat("unknown seccomp flag ", quoted(words[i]))).at(origin);
    if (*flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !step.notifies) {
      // The kernel refuses it where there is no listener.
      draft.warn(origin, "has no effect: no rule has the action SCMP_ACT_NOTIFY");
      continue;
    }
    step.flags |= *flag;
  }
  return ok();
}

Status plan_listener(const spec::Seccomp& wanted, SeccompStep& step) {
  if (!step.notifies) return ok();  // "If no SCMP_ACT_NOTIFY action is used this value is ignored"
  if (wanted.listener_path.empty()) {
    return Error("SCMP_ACT_NOTIFY needs listenerPath").at(kSection);
  }
  step.listener_path = wanted.listener_path;
  step.listener_metadata = wanted.listener_metadata;
  return ok();
}

Status plan_architectures(const spec::Seccomp& wanted, SeccompStep& step) {
  for (size_t i = 0; i < wanted.architectures.size(); ++i) {
    const std::string& name = wanted.architectures[i];
    if (std::ranges::count(spec::kSeccompArchitectures, name) == 0) {
      return Error(cat("unknown seccomp architecture ", quoted(name)))
          .at(cat(kSection, "/architectures/", i));
    }
    if (std::ranges::count(step.architectures, name) == 0) step.architectures.push_back(name);
  }
  return ok();
}

Status plan_section(Draft& draft, SeccompStep& step) {
  const spec::Seccomp& wanted = *draft.config.linux_.seccomp;
  const std::string place = cat(kSection, "/defaultAction");
  step.origin = kSection;
  step.default_action =
      TRY(at(place, plan_action(wanted.default_action, wanted.default_errno_ret)));
  if (step.default_action == SECCOMP_RET_USER_NOTIF) {
    return Error("SCMP_ACT_NOTIFY cannot be the default action").at(place);
  }
  TRY(plan_architectures(wanted, step));
  for (size_t i = 0; i < wanted.syscalls.size(); ++i) TRY(plan_rule(draft, step, i));
  TRY(plan_flags(draft, step));
  note_contradictions(draft, step);
  return plan_listener(wanted, step);
}

}  // namespace

Result<std::optional<SeccompStep>> plan_seccomp(Draft& draft) {
  if (!draft.config.linux_.seccomp) return std::optional<SeccompStep>();
  SeccompStep step;
  TRY(plan_section(draft, step), "linux.seccomp");
  return std::optional<SeccompStep>(std::move(step));
}

}  // namespace rt::plan
