#include "runtime/plan/parts.h"

#include <algorithm>
#include <utility>

namespace rt::plan {

void Draft::warn(Origin origin, std::string message) {
  plan.warnings.push_back({std::move(origin), std::move(message)});
}

void Draft::note(Origin origin, std::string message) {
  plan.notes.push_back({std::move(origin), std::move(message)});
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> names;
  for (const std::string_view name : split(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  std::string out;
  for (const std::string_view name : names) out += cat('/', name);
  return out.empty() ? "/" : out;
}

std::string absolute_path(std::string_view directory, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  return cat(directory, directory.ends_with('/') ? "" : "/", path);
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  if (!path.starts_with(directory)) return false;
  return path.size() == directory.size() || path[directory.size()] == '/';
}

std::string printable(std::string_view text) {
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f && c != '"' && c != '\\';
  };
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), is_plain);
  return plain ? std::string(text) : quoted(text);
}

std::string escaped(std::string_view text) {
  const std::string in_quotes = quoted(text);
  return in_quotes.substr(1, in_quotes.size() - 2);
}

}  // namespace rt::plan
