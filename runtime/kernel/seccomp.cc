#include "runtime/kernel/seccomp.h"

#include <linux/seccomp.h>

#include "runtime/plan/seccomp_words.h"
#include "runtime/sys/seccomp.h"

namespace rt::kernel {
namespace {

/// All that the program is made of. Texts with their length in front: two different steps never
/// have the same key.
std::string key_of(const plan::SeccompStep& step) {
  std::string key = cat(compiler_version(), '\n', step.default_action, '\n');
  const auto add = [&](const std::string& text) {
    append(key, text.size());
    append(key, ':');
    append(key, text);
  };
  key += cat(step.architectures.size(), '\n');
  for (const std::string& architecture : step.architectures) add(architecture);
  for (const plan::SeccompRule& rule : step.rules) {
    key += cat('\n', rule.action, ' ', rule.syscalls.size(), ' ', rule.arguments.size(), '\n');
    for (const std::string& name : rule.syscalls) add(name);
    for (const plan::SeccompArgument& one : rule.arguments) {
      key +=
          cat('\n', one.index, ' ', static_cast<int>(one.op), ' ', one.value, ' ', one.value_two);
    }
  }
  return key;
}

uint64_t flags_of(const plan::SeccompStep& step) {
  uint64_t flags = step.flags;
  if (!step.notifies) return flags;
  flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // The result is the listener: a thread that cannot follow is told by ESRCH. Linux 5.7.
  if ((flags & SECCOMP_FILTER_FLAG_TSYNC) != 0) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  return flags;
}

}  // namespace

Result<Filter> make_filter(const plan::SeccompStep& step, const std::string& cache_directory) {
  Filter filter;
  filter.notifies = step.notifies;
  filter.flags = flags_of(step);
  const FilterCache cache(cache_directory);
  const std::string key = key_of(step);
  filter.program = cache.load(key);
  if (!filter.program.empty()) return filter;
  filter.program = TRY(at(step.origin, compile_filter(step)), "seccomp");
  cache.store(key, filter.program);
  return filter;
}

Result<UniqueFd> load_filter(const Filter& filter) {
  return sys::seccomp_set_filter(filter.program.data(), filter.program.size(), filter.flags);
}

std::vector<std::string> supported_filter_flags() {
  std::vector<std::string> words;
  for (const std::string_view word : plan::seccomp_flag_words()) {
    uint64_t flag = plan::seccomp_flag(word).value_or(~uint64_t{0});
    // Taken only together with what it is about.
    if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    if (sys::seccomp_knows_flags(flag)) words.emplace_back(word);
  }
  return words;
}

}  // namespace rt::kernel
