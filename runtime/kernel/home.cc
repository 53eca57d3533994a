#include "runtime/kernel/home.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "runtime/base/text.h"
#include "runtime/base/unique_fd.h"
#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

constexpr off_t kEnough = off_t{1} << 20;

/// passwd(5): name, password, user, group, comment, home, shell.
constexpr size_t kUser = 2;
constexpr size_t kHome = 5;

std::string password_file() {
  // Not blocking: the image may have a fifo there.
  const Result<UniqueFd> file = sys::open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return "";
  const Result<struct stat> info = sys::fstat(file.value().get());
  if (!info || !S_ISREG(info.value().st_mode)) return "";
  const auto size = static_cast<size_t>(std::min(info.value().st_size, kEnough));
  const Result<std::string> text = sys::read_start(file.value().get(), size);
  return text ? text.value() : "";
}

}  // namespace

std::string home_of(uint32_t user) {
  const std::string text = password_file();
  for (const std::string_view line : split(text, '\n')) {
    const std::vector<std::string_view> fields = split(line, ':');
    if (fields.size() <= kHome || parse_uint(fields[kUser]) != user) continue;
    // Programs take HOME as a place that stays where it is. One that is relative, as runc and crun
    // hand it on, would be another one in each directory, and any that the image's user can write.
    return fields[kHome].starts_with('/') ? std::string(fields[kHome]) : "/";
  }
  return "/";
}

}  // namespace rt::kernel
