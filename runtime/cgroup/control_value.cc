#include "runtime/cgroup/control_value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/text.h"

namespace rt::cgroup {
namespace {

using Words = std::vector<std::string_view>;
using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

// The kernel counts memory in pages of 4 KiB at least; its largest number of them stands for no
// limit: PAGE_COUNTER_MAX.
constexpr uint64_t kUnlimited = uint64_t{INT64_MAX} / 65536 * 65536;

Words words_of(std::string_view text) {
  Words words;
  size_t start = 0;
  constexpr std::string_view kSpace = " \t\n";
  while ((start = text.find_first_not_of(kSpace, start)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(kSpace, start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end;
  }
  return words;
}

/// "0,2-3,1" as what it stands for: disjoint ranges in order, as long as possible.
std::optional<Ranges> ranges_of(std::string_view list) {
  Ranges ranges;
  for (const std::string_view part : split(list, ',')) {
    const size_t dash = part.find('-');
    const std::optional<uint64_t> first = parse_uint(part.substr(0, dash));
    const std::optional<uint64_t> last =
        dash == std::string_view::npos ? first : parse_uint(part.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    ranges.emplace_back(*first, *last);
  }
  std::ranges::sort(ranges);
  Ranges joined;
  for (const auto& [first, last] : ranges) {
    if (!joined.empty() && first <= joined.back().second + 1) {
      joined.back().second = std::max(joined.back().second, last);
    } else {
      joined.emplace_back(first, last);
    }
  }
  return joined;
}

bool is_same_list(std::string_view asked, std::string_view shown) {
  const std::optional<Ranges> a = ranges_of(asked);
  const std::optional<Ranges> b = ranges_of(shown);
  return a && b && *a == *b;
}

/// A number as the kernel's memparse() reads it: "16K" is 16384. Nothing when it is none.
std::optional<uint64_t> number_of(std::string_view word) {
  constexpr std::string_view kSuffixes = "kmgtpe";
  unsigned shift = 0;
  if (!word.empty()) {
    const char last = static_cast<char>(word.back() | 0x20);
    const size_t power = kSuffixes.find(last);
    if (power != std::string_view::npos) {
      shift = 10 * static_cast<unsigned>(power + 1);
      word.remove_suffix(1);
    }
  }
  const std::optional<uint64_t> number = parse_uint(word);
  if (!number || (shift != 0 && *number > (UINT64_MAX >> shift))) return std::nullopt;
  return *number << shift;
}

bool is_unlimited(std::string_view word) {
  if (word == "max" || word == "-1") return true;
  const std::optional<uint64_t> number = number_of(word);
  return number && *number >= kUnlimited;
}

bool is_same_word(std::string_view asked, std::string_view shown) {
  if (asked == shown) return true;
  if (is_unlimited(asked) && is_unlimited(shown)) return true;
  const std::optional<uint64_t> number = number_of(asked);
  return number && number == number_of(shown);
}

/// A file with a line for each device, and what takes such a line away.
struct DeviceFile {
  std::string_view file;  // or the beginning of its name, with a "." at the end
  std::string_view none;
};

constexpr DeviceFile kDeviceFiles[] = {
    {"io.max", "rbps=max wbps=max riops=max wiops=max"},
    {"io.latency", "target=0"},
    {"io.weight", "default"},
    {"io.bfq.weight", "default"},
    {"blkio.bfq.weight_device", "default"},
    {"blkio.weight_device", "0"},
    {"blkio.leaf_weight_device", "0"},
    {"blkio.throttle.", "0"},
    {"rdma.max", "hca_handle=max hca_object=max"},
    {"net_prio.ifpriomap", "0"},
};

const DeviceFile* find(std::string_view file) {
  for (const DeviceFile& one : kDeviceFiles) {
    const bool fits = one.file.ends_with('.') ? file.starts_with(one.file) : file == one.file;
    if (fits) return &one;
  }
  return nullptr;
}

std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

/// The device's line of `text`, or the one that takes it away.
std::string line_of(std::string_view device, std::string_view text, std::string_view none) {
  for (const std::string_view line : split(text, '\n')) {
    if (first_word(line) == device) return std::string(line);
  }
  return cat(device, ' ', none);
}

}  // namespace

bool is_same_value(std::string_view file, std::string_view asked, std::string_view shown) {
  const bool is_list = file == "cpuset.cpus" || file == "cpuset.mems";
  const Words wanted = words_of(asked);
  Words found = words_of(shown);
  if (is_list && wanted.size() == 1 && found.size() == 1) {
    return is_same_list(wanted[0], found[0]);
  }
  // "default 100", "oom_kill_disable 1": the first line of several is the one that was written.
  const bool is_named = wanted.size() == 1 && found.size() > 1 &&
                        (found[0] == "default" || found[0] == "oom_kill_disable");
  if (is_named) found.erase(found.begin());
  // What was left out the kernel keeps as it was: "max 100000".
  if (wanted.size() > found.size() || (wanted.empty() && !found.empty())) return false;
  found.resize(wanted.size());
  return std::ranges::equal(wanted, found, is_same_word);
}

std::string text_to_restore(std::string_view file, std::string_view written,
                            std::string_view before) {
  // v1 shows three numbers by name, and takes the first.
  constexpr std::string_view kOomKill = "oom_kill_disable ";
  if (before.starts_with(kOomKill)) {
    return std::string(before.substr(kOomKill.size(), before.find('\n') - kOomKill.size()));
  }
  const DeviceFile* devices = find(file);
  if (devices == nullptr) return std::string(before);
  std::string text;
  for (const std::string_view line : split(written, '\n')) {
    std::string_view device = first_word(line);
    // "100" sets what io.weight shows as "default 100".
    if (device.find(':') == std::string_view::npos && parse_uint(device)) device = "default";
    text += cat(text.empty() ? "" : "\n", line_of(device, before, devices->none));
  }
  return text;
}

}  // namespace rt::cgroup
