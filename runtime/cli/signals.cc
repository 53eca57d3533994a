#include "runtime/cli/signals.h"

#include <signal.h>

#include <cctype>
#include <cstring>
#include <optional>
#include <string>

namespace rt::cli {
namespace {

constexpr int kLastSignal = 64;
constexpr int kLastNamed = 31;

struct Alias {
  std::string_view name;
  int signal;
};
// Second names, which sigabbrev_np(3) does not give. signal(7).
constexpr Alias kAliases[] = {{"IOT", SIGIOT}, {"CLD", SIGCHLD}, {"IO", SIGIO}, {"POLL", SIGPOLL}};

std::string without_prefix_in_capitals(std::string_view text) {
  std::string name;
  for (const char c : text) {
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name.starts_with("SIG") ? name.substr(3) : name;
}

/// The number in `text`, which must be in the given range.
std::optional<int> number_in(std::string_view text, int first, int last) {
  const auto number = parse_int(text);
  if (!number || *number < first || *number > last) return std::nullopt;
  return static_cast<int>(*number);
}

/// "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n".
std::optional<int> real_time_signal(std::string_view name) {
  const bool from_first = name.starts_with("RTMIN");
  if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
  const std::string_view offset = name.substr(5);
  const int base = from_first ? SIGRTMIN : SIGRTMAX;
  if (offset.empty()) return base;
  const char sign = from_first ? '+' : '-';
  if (offset[0] != sign || offset.size() < 2 || offset[1] == '-') return std::nullopt;
  const auto distance = number_in(offset.substr(1), 0, SIGRTMAX - SIGRTMIN);
  if (!distance) return std::nullopt;
  return from_first ? base + *distance : base - *distance;
}

std::optional<int> named_signal(std::string_view name) {
  for (int signal = 1; signal <= kLastNamed; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  for (const Alias& alias : kAliases) {
    if (name == alias.name) return alias.signal;
  }
  return std::nullopt;
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  if (const auto number = number_in(text, 1, kLastSignal)) return *number;
  const std::string name = without_prefix_in_capitals(text);
  if (const auto signal = named_signal(name)) return *signal;
  if (const auto signal = real_time_signal(name)) return *signal;
  return Error(cat("unknown signal ", quoted(text)));
}

}  // namespace rt::cli
