// How the kernel shall treat the payload's process. runtime-spec config.md, "Linux Process";
// config-linux.md, "Memory policy" and "Personality".
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sys/personality.h>

#include "runtime/plan/parts.h"
#include "runtime/plan/words.h"
#include "spec/number_list.h"

namespace rt::plan {
namespace {

/// A word of the document and the kernel's number for it.
struct Word {
  std::string_view word;
  uint64_t number;
};

constexpr Word kPolicies[] = {
    {"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},  {"SCHED_IDLE", SCHED_IDLE}, {"SCHED_DEADLINE", SCHED_DEADLINE},
};

constexpr Word kSchedulerFlags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};

constexpr Word kIoClasses[] = {
    {"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
    {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
    {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};

constexpr int kWeightedInterleave = 6;  // MPOL_WEIGHTED_INTERLEAVE: Linux 6.9, Debian 12 lacks it

constexpr Word kPolicyModes[] = {
    {"MPOL_DEFAULT", MPOL_DEFAULT},
    {"MPOL_PREFERRED", MPOL_PREFERRED},
    {"MPOL_BIND", MPOL_BIND},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
    {"MPOL_LOCAL", MPOL_LOCAL},
    {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
    {"MPOL_WEIGHTED_INTERLEAVE", kWeightedInterleave},
};

constexpr Word kPolicyFlags[] = {
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
};

constexpr Word kDomains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};

/// "/process/scheduler/flags/1" in the notation of the document: "process.scheduler.flags[1]".
std::string place_of(const Origin& origin) {
  std::string place;
  for (const std::string_view step : split(origin, '/')) {
    if (step.empty()) continue;
    const bool element = parse_uint(step).has_value();
    place += element ? cat('[', step, ']') : cat(place.empty() ? "" : ".", step);
  }
  return place;
}

Error wrong(const Origin& origin, const std::string& message) {
  return Error(cat(place_of(origin), ": ", message)).at(origin);
}

template <size_t N>
Result<uint64_t> number_of(const Word (&words)[N], std::string_view word, const Origin& origin) {
  for (const Word& row : words) {
    if (row.word == word) return row.number;
  }
  return wrong(origin, cat("unknown word ", quoted(word)));
}

template <size_t N>
Result<uint64_t> flags_of(const Word (&words)[N], const std::vector<std::string>& flags,
                          const Origin& origin) {
  uint64_t bits = 0;
  for (size_t i = 0; i < flags.size(); ++i) {
    bits |= TRY(number_of(words, flags[i], cat(origin, '/', i)));
  }
  return bits;
}

template <size_t N>
std::string_view word_of(const Word (&words)[N], uint64_t number) {
  for (const Word& row : words) {
    if (row.number == number) return row.word;
  }
  return "?";
}

template <size_t N>
std::string words_of(const Word (&words)[N], uint64_t bits) {
  std::string list;
  for (const Word& row : words) {
    if ((bits & row.number) != 0) list += cat(' ', row.word);
  }
  return list;
}

/// "0-3,7" as a set.
Result<BitSet> number_set(std::string_view list, uint64_t highest, const Origin& origin) {
  const std::optional<std::vector<spec::NumberRange>> ranges = spec::parse_number_list(list);
  if (!ranges) return wrong(origin, cat("not a list such as \"0-3,7\": ", quoted(list)));
  BitSet set;
  for (const spec::NumberRange& range : *ranges) {
    if (range.last > highest) {
      return wrong(origin, cat("no number can be above ", highest, ", found ", range.last));
    }
    if (range.last / 64 >= set.size()) set.resize(range.last / 64 + 1);
    for (uint64_t number = range.first; number <= range.last; ++number) {
      set[number / 64] |= uint64_t{1} << number % 64;
    }
  }
  return set;
}

Result<SchedulerStep> plan_scheduler(const spec::Scheduler& wanted) {
  SchedulerStep step;
  step.origin = "/process/scheduler";
  const Origin policy = cat(step.origin, "/policy");
  if (wanted.policy == "SCHED_ISO") {
    return wrong(policy, "no Linux kernel has SCHED_ISO");
  }
  step.policy = static_cast<uint32_t>(TRY(number_of(kPolicies, wanted.policy, policy)));
  step.flags = TRY(flags_of(kSchedulerFlags, wanted.flags, cat(step.origin, "/flags")));
  step.nice = wanted.nice;
  step.priority = static_cast<uint32_t>(wanted.priority);
  step.runtime_ns = wanted.runtime_ns;
  step.deadline_ns = wanted.deadline_ns;
  step.period_ns = wanted.period_ns;
  return step;
}

Result<IoPriorityStep> plan_io_priority(const spec::IoPriority& wanted) {
  IoPriorityStep step;
  step.origin = "/process/ioPriority";
  const uint64_t number = TRY(number_of(kIoClasses, wanted.class_name, cat(step.origin, "/class")));
  step.value = static_cast<int>(number << IOPRIO_CLASS_SHIFT) | wanted.priority;
  return step;
}

Result<CpuAffinityStep> plan_cpu_affinity(const spec::ExecCpuAffinity& wanted) {
  CpuAffinityStep step;
  step.origin = "/process/execCPUAffinity";
  const Origin initial = cat(step.origin, "/initial");
  step.initial = TRY(number_set(wanted.initial, spec::kHighestCpu, initial));
  step.final = TRY(number_set(wanted.final_list, spec::kHighestCpu, cat(step.origin, "/final")));
  return step;
}

Result<MemoryPolicyStep> plan_memory_policy(const spec::MemoryPolicy& wanted) {
  MemoryPolicyStep step;
  step.origin = "/linux/memoryPolicy";
  const uint64_t mode = TRY(number_of(kPolicyModes, wanted.mode, cat(step.origin, "/mode")));
  const uint64_t flags = TRY(flags_of(kPolicyFlags, wanted.flags, cat(step.origin, "/flags")));
  step.mode = static_cast<int>(mode | flags);
  step.nodes = TRY(number_set(wanted.nodes, spec::kHighestNode, cat(step.origin, "/nodes")));
  return step;
}

Result<PersonalityStep> plan_personality(const spec::Personality& wanted) {
  PersonalityStep step;
  step.origin = "/linux/personality";
  if (!wanted.flags.empty()) {
    return wrong(cat(step.origin, "/flags/0"),
                 cat("no flags are defined, found ", quoted(wanted.flags[0])));
  }
  step.value = TRY(number_of(kDomains, wanted.domain, cat(step.origin, "/domain")));
  return step;
}

/// "0-3,7"
std::string number_words(const BitSet& set) {
  const auto has = [&](size_t number) {
    return number / 64 < set.size() && (set[number / 64] >> number % 64 & 1) != 0;
  };
  std::string list;
  for (size_t first = 0; first < set.size() * 64; ++first) {
    if (!has(first)) continue;
    size_t last = first;
    while (has(last + 1)) ++last;
    list += cat(list.empty() ? "" : ",", first);
    if (last != first) list += cat('-', last);
    first = last;
  }
  return list;
}

}  // namespace

Status plan_process_attributes(const Draft& draft, const spec::Process& process,
                               ProcessStep& step) {
  const spec::Linux& linux_section = draft.config.linux_;
  if (process.scheduler) step.scheduler = TRY(plan_scheduler(*process.scheduler));
  if (process.io_priority) step.io_priority = TRY(plan_io_priority(*process.io_priority));
  if (process.exec_cpu_affinity) {
    step.cpu_affinity = TRY(plan_cpu_affinity(*process.exec_cpu_affinity));
  }
  if (linux_section.personality) {
    step.personality = TRY(plan_personality(*linux_section.personality));
  }
  if (linux_section.memory_policy) {
    step.memory_policy = TRY(plan_memory_policy(*linux_section.memory_policy));
  }
  return ok();
}

std::string scheduler_words(const SchedulerStep& step) {
  std::string text = std::string(word_of(kPolicies, step.policy));
  if (step.policy == SCHED_DEADLINE) {
    text += cat(" runtime ", step.runtime_ns, " ns deadline ", step.deadline_ns, " ns period ",
                step.period_ns, " ns");
  } else if (step.policy == SCHED_FIFO || step.policy == SCHED_RR) {
    text += cat(" priority ", step.priority);
  } else if (step.policy != SCHED_IDLE) {
    text += cat(" nice ", step.nice);
  }
  return text + words_of(kSchedulerFlags, step.flags);
}

std::string io_priority_words(const IoPriorityStep& step) {
  return cat(word_of(kIoClasses, static_cast<uint64_t>(step.value) >> IOPRIO_CLASS_SHIFT),
             " level ", static_cast<uint64_t>(step.value) & IOPRIO_PRIO_MASK);
}

std::string personality_word(const PersonalityStep& step) {
  return std::string(word_of(kDomains, step.value));
}

std::string memory_policy_words(const MemoryPolicyStep& step) {
  const auto mode = static_cast<uint64_t>(step.mode);
  return cat(word_of(kPolicyModes, mode & ~uint64_t{MPOL_MODE_FLAGS}),
             words_of(kPolicyFlags, mode & MPOL_MODE_FLAGS), step.nodes.empty() ? "" : " on nodes ",
             number_words(step.nodes));
}

}  // namespace rt::plan
