#include "runtime/plan/seccomp_words.h"

#include <linux/seccomp.h>

#include <array>

#include "runtime/base/text.h"

namespace rt::plan {
namespace {

struct Action {
  std::string_view word;
  uint32_t action;
  std::string_view said;
};

constexpr std::array kActions = {
    Action{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, "kill thread"},
    Action{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, "kill thread"},
    Action{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, "kill process"},
    Action{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, "trap"},
    Action{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, "errno"},
    Action{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, "trace"},
    Action{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, "allow"},
    Action{"SCMP_ACT_LOG", SECCOMP_RET_LOG, "log"},
    Action{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, "notify"},
};

struct Flag {
  std::string_view word;
  uint64_t flag;
};

constexpr std::array kFlags = {
    Flag{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    Flag{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    Flag{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    Flag{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

}  // namespace

std::optional<uint32_t> seccomp_action(std::string_view word) {
  for (const Action& row : kActions) {
    if (row.word == word) return row.action;
  }
  return std::nullopt;
}

std::string seccomp_action_words(uint32_t action) {
  const uint32_t data = action & SECCOMP_RET_DATA;
  for (const Action& row : kActions) {
    if (row.action != (action & SECCOMP_RET_ACTION_FULL)) continue;
    const bool has_data = row.action == SECCOMP_RET_ERRNO || row.action == SECCOMP_RET_TRACE;
    return has_data ? cat(row.said, ' ', data) : std::string(row.said);
  }
  return std::to_string(action);
}

std::optional<uint64_t> seccomp_flag(std::string_view word) {
  for (const Flag& row : kFlags) {
    if (row.word == word) return row.flag;
  }
  return std::nullopt;
}

std::vector<std::string_view> seccomp_flag_words() {
  std::vector<std::string_view> words;
  words.reserve(kFlags.size());
  for (const Flag& row : kFlags) words.push_back(row.word);
  return words;
}

}  // namespace rt::plan
