// The kernel's numbers in the words of the document, for describing a plan. For this package alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/plan/plan.h"

namespace rt::plan {

// capabilities.cc

/// The number of "CAP_CHOWN"; nothing for a name that no kernel known to us has.
std::optional<unsigned> capability_number(std::string_view name);
/// "CAP_CHOWN"; the number in words where it has no name.
std::string capability_name(unsigned number);

// attributes.cc

/// "SCHED_FIFO priority 10 SCHED_FLAG_RESET_ON_FORK".
std::string scheduler_words(const SchedulerStep& step);
/// "IOPRIO_CLASS_BE level 4".
std::string io_priority_words(const IoPriorityStep& step);
/// "LINUX32".
std::string personality_word(const PersonalityStep& step);
/// "MPOL_BIND MPOL_F_STATIC_NODES on nodes 0-3,7".
std::string memory_policy_words(const MemoryPolicyStep& step);

// device_rules.cc

/// "allow c 1:3 rwm", "deny a *:* rwm": as the control files of cgroup v1 say it.
std::string to_text(const DeviceRule& rule);

// words.cc

/// "mount", "network", ... as the document says.
std::string_view name_of(NamespaceKind kind);
/// "ro,nosuid,dev": one word for each bit, a recursive one with "r" in front.
std::string attribute_words(const MountAttributes& attributes, bool recursive);
/// "private", "rshared"; empty for 0.
std::string propagation_word(unsigned long propagation);
/// "mode=755,size=64k".
std::string parameter_words(const std::vector<FilesystemParameter>& parameters);
/// "chown kill setuid", "all", "all but sys_admin", "none".
std::string capability_words(uint64_t set);
/// "0755".
std::string octal(uint32_t mode);
/// "unlimited" for RLIM_INFINITY.
std::string limit_word(uint64_t limit);

}  // namespace rt::plan
