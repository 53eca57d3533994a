#include "runtime/kernel/executable.h"

#include <sys/stat.h>

#include <string_view>

#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

std::string_view path_variable(const plan::ProcessStep& process) {
  std::string_view value;
  // The last one wins, as in the payload's own libc.
  for (const std::string_view entry : process.env) {
    if (entry.starts_with("PATH=")) value = entry.substr(5);
  }
  return value;
}

/// May be executed: a file with an x bit for us, not a directory.
Status check_executable(const std::string& path) {
  const Result<struct stat> info = sys::stat(path);
  if (!info) {
    const int code = info.error().code();
    return Error::from_wire(code, "stat", cat("stat ", path, ": ", errno_text(code)));
  }
  if (S_ISDIR(info.value().st_mode)) return Error::from_errno("stat", EACCES);
  return sys::access_execute(path);
}

Result<std::string> search_path(std::string_view name, std::string_view path) {
  for (const std::string_view directory : split(path, ':')) {
    // An empty entry is the working directory: environ(7).
    std::string candidate = cat(directory.empty() ? "." : directory, '/', name);
    if (!path.empty() && check_executable(candidate)) return candidate;
  }
  return Error(cat("exec: ", quoted(name), ": executable file not found in $PATH"));
}

Error not_executable(const std::string& name, const Error& why) {
  const std::string where = cat("exec: ", quoted(name), ": ");
  const std::string text = why.code() == EACCES ? errno_text(EACCES) : why.message();
  return Error::from_wire(why.code(), why.call(), cat(where, text));
}

}  // namespace

Result<std::string> find_executable(const plan::ProcessStep& process) {
  const std::string& name = process.args.front();
  if (name.find('/') == std::string::npos) return search_path(name, path_variable(process));
  const Status usable = check_executable(name);
  if (!usable) return not_executable(name, usable.error());
  return name;
}

}  // namespace rt::kernel
