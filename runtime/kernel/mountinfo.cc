#include "runtime/kernel/mountinfo.h"

#include <sys/sysmacros.h>

#include <optional>

#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr size_t kLongest = size_t{64} << 20;

/// Spaces and their like are "\040".
std::string unescaped(std::string_view field) {
  std::string out;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      out += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
                               (field[i + 3] - '0'));
      i += 3;
    } else {
      out += field[i];
    }
  }
  return out;
}

/// "0:52"
std::optional<dev_t> parse_device(std::string_view field) {
  const std::vector<std::string_view> numbers = split(field, ':');
  if (numbers.size() != 2) return std::nullopt;
  const auto major_number = parse_uint(numbers[0]);
  const auto minor_number = parse_uint(numbers[1]);
  if (!major_number || !minor_number) return std::nullopt;
  return makedev(static_cast<unsigned>(*major_number), static_cast<unsigned>(*minor_number));
}

/// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
std::optional<MountInfo> parse_line(std::string_view line) {
  constexpr std::string_view kSeparator = " - ";
  const size_t separator = line.find(kSeparator);
  if (separator == line.npos) return std::nullopt;
  const std::vector<std::string_view> fields = split(line.substr(0, separator), ' ');
  if (fields.size() < 6) return std::nullopt;
  const auto id = parse_uint(fields[0]);
  const auto device = parse_device(fields[2]);
  if (!id || !device) return std::nullopt;
  const std::string_view behind = line.substr(separator + kSeparator.size());
  return MountInfo{
      .id = *id,
      .device = *device,
      .root = unescaped(fields[3]),
      .point = unescaped(fields[4]),
      .type = unescaped(split(behind, ' ').front()),
  };
}

}  // namespace

std::vector<MountInfo> parse_mountinfo(std::string_view text) {
  std::vector<MountInfo> mounts;
  for (const std::string_view line : split(text, '\n')) {
    std::optional<MountInfo> mount = parse_line(line);
    if (mount) mounts.push_back(*std::move(mount));
  }
  return mounts;
}

Result<std::vector<MountInfo>> read_mountinfo(const std::string& pid) {
  const std::string text = TRY(sys::read_file(cat("/proc/", pid, "/mountinfo"), kLongest));
  return parse_mountinfo(text);
}

}  // namespace rt::kernel
