#include <linux/seccomp.h>

#include <set>

#include "runtime/base/text.h"
#include "runtime/plan/listing.h"
#include "runtime/plan/parts.h"
#include "runtime/plan/seccomp_words.h"

namespace rt::plan {
namespace {

std::string lower(std::string_view word) {
  std::string text(word);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// "; architectures x86_64, x86"
std::string architecture_text(const std::vector<std::string>& names) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  std::string text;
  for (const std::string& name : names) {
    text += cat(text.empty() ? "; architectures " : ", ", lower(name.substr(kPrefix.size())));
  }
  return text;
}

/// "; flags tsync, log"
std::string flag_text(uint64_t flags) {
  constexpr std::string_view kPrefix = "SECCOMP_FILTER_FLAG_";
  std::string text;
  for (const std::string_view word : seccomp_flag_words()) {
    if ((flags & seccomp_flag(word).value_or(0)) == 0) continue;
    text += cat(text.empty() ? "; flags " : ", ", lower(word.substr(kPrefix.size())));
  }
  return text;
}

std::string counted(size_t count, std::string_view what) {
  return cat(count, ' ', what, count == 1 ? "" : "s");
}

}  // namespace

void list_seccomp(const Plan& plan, Listing& list) {
  if (!plan.process || !plan.process->seccomp) return;
  const SeccompStep& step = *plan.process->seccomp;
  std::set<std::string_view> names;
  for (const SeccompRule& rule : step.rules) {
    for (const std::string& name : rule.syscalls) names.insert(name);
  }
  list.add(cat("filter system calls: default ", seccomp_action_words(step.default_action), "; ",
               counted(step.rules.size(), "rule"), " for ", counted(names.size(), "system call"),
               architecture_text(step.architectures), flag_text(step.flags)),
           step.origin);
  if (!step.notifies) return;
  list.add(cat("send the listener of the filter to ", printable(step.listener_path)),
           cat(step.origin, "/listenerPath"));
}

}  // namespace rt::plan
