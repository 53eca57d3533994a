// The state root: where it is by default, and whether it can be trusted.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>

#include "runtime/container/store.h"
#include "runtime/kernel/host.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

Status check_trusted(int root) {
  const struct stat info = TRY(sys::fstat(root));
  if (info.st_uid != sys::geteuid()) {
    return Error(cat("belongs to user ", info.st_uid, ", not to ", sys::geteuid()));
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error(cat("others can write to it (mode ", to_digits(info.st_mode & 07777, 8), ')'));
  }
  return ok();
}

/// mkdir(2) of `path` and what is missing above it.
Status make_directories(const std::string& path) {
  for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const Status made = sys::mkdir(path.substr(0, end), 0700);
    // Other errors matter only if the path cannot be used in the end.
    if (!made && made.error().code() == ENOENT) return made;
  }
  Status made = sys::mkdir(path, 0700);
  if (!made && made.error().code() == EEXIST) return ok();
  return made;
}

}  // namespace

Result<std::string> default_root() {
  if (sys::geteuid() == 0) {
    const bool initial = TRY(kernel::in_initial_user_namespace());
    if (initial) return std::string("/run/runtime");
  }
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || *directory == '\0') {
    return Error("no place for the state: XDG_RUNTIME_DIR is not set; give --root DIR");
  }
  return cat(directory, "/runtime");
}

Result<Store> Store::open(const std::string& root) {
  if (root.empty()) return Error("state root: the path is empty");
  std::string path = root;
  while (path.size() > 1 && path.back() == '/') path.pop_back();  // or O_NOFOLLOW follows
  Result<UniqueFd> directory = sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory && directory.error().code() == ENOENT) return Store(std::move(path), UniqueFd());
  UniqueFd held = TRY(std::move(directory), "state root ", quoted(path));
  TRY(check_trusted(held.get()), "state root ", quoted(path));
  return Store(std::move(path), std::move(held));
}

Result<Store> Store::make(const std::string& root) {
  if (root.empty()) return Error("state root: the path is empty");
  TRY(make_directories(root), "state root ", quoted(root));
  return open(root);
}

}  // namespace rt::container
