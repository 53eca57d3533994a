// The kernel's numbers for the words of "linux.seccomp", and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rt::plan {

/// The SECCOMP_RET_* of "SCMP_ACT_ERRNO" and its like, without an errno; nothing for other words.
std::optional<uint32_t> seccomp_action(std::string_view word);
/// "errno 38", "allow", "kill process": an action of the plan, in words.
std::string seccomp_action_words(uint32_t action);

/// The bit of "SECCOMP_FILTER_FLAG_LOG" and its like; nothing for other words.
std::optional<uint64_t> seccomp_flag(std::string_view word);
/// All words of which it knows the bit.
std::vector<std::string_view> seccomp_flag_words();

}  // namespace rt::plan
