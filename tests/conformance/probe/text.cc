#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "tests/conformance/probe/sections.h"

namespace probe {

std::string read_text(const std::string& path) {
  constexpr size_t kLimit = size_t{1} << 20;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return "";
  std::string text;
  char block[4096];
  ssize_t count = 0;
  while (text.size() < kLimit && (count = ::read(fd, block, sizeof block)) > 0) {
    text.append(block, static_cast<size_t>(count));
  }
  ::close(fd);
  return text;
}

std::string without_newline(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string link_target(const std::string& path) {
  char target[4096];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return size < 0 ? "" : std::string(target, static_cast<size_t>(size));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string errno_name(int code) {
  const char* name = code == 0 ? "" : ::strerrorname_np(code);
  return name == nullptr ? std::to_string(code) : name;
}

std::string status_field(std::string_view name) {
  for (const std::string& line : split(read_text("/proc/self/status"), '\n')) {
    if (!line.starts_with(name) || line[name.size()] != ':') continue;
    const size_t start = line.find_first_not_of("\t ", name.size() + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

}  // namespace probe
