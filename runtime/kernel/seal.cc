#include "runtime/kernel/seal.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cstdlib>

#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

/// Told to the copy, with the path of the binary itself: so that a copy that still is not sealed is
/// an error and not an endless loop, and knows where it was installed.
constexpr std::string_view kMark = "_RUNTIME_SEALED=";

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

/// Nobody can write to it through /proc/PID/exe: it is on a read-only mount, or sealed.
Result<bool> is_sealed(int binary) {
  const unsigned long flags = TRY(sys::mount_flags(binary));
  if ((flags & ST_RDONLY) != 0) return true;
  return (sys::seals_of(binary) & kSeals) == kSeals;
}

bool is_marked(char* const* environment) {
  for (; *environment != nullptr; ++environment) {
    if (std::string_view(*environment).starts_with(kMark)) return true;
  }
  return false;
}

/// Detached, so that it is in no mount namespace: nobody can remount it.
Result<UniqueFd> readonly_clone() {
  UniqueFd tree = TRY(sys::clone_tree(AT_FDCWD, "/proc/self/exe", false));
  TRY(sys::mount_setattr(tree.get(), {.set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE}, false));
  return tree;
}

Result<UniqueFd> sealed_copy(int binary) {
  UniqueFd copy = TRY(sys::memfd_create("runtime"));
  const struct stat info = TRY(sys::fstat(binary));
  TRY(sys::copy_bytes(binary, copy.get(), static_cast<size_t>(info.st_size)));
  TRY(sys::add_seals(copy.get(), kSeals));
  return copy;
}

Status execute_sealed(char* const* args, char* const* environment) {
  const UniqueFd binary = TRY(sys::open("/proc/self/exe", O_RDONLY), "/proc/self/exe");
  if (TRY(is_sealed(binary.get()))) return ok();
  if (is_marked(environment)) return Error("the copy can still be written");
  Result<UniqueFd> copy = readonly_clone();
  if (!copy) copy = sealed_copy(binary.get());
  const UniqueFd sealed = TRY(std::move(copy));
  std::vector<char*> marked;
  for (; *environment != nullptr; ++environment) marked.push_back(*environment);
  std::string mark = cat(kMark, TRY(sys::readlinkat(AT_FDCWD, "/proc/self/exe")));
  marked.push_back(mark.data());
  marked.push_back(nullptr);
  return sys::execveat(sealed.get(), args, marked.data());
}

}  // namespace

Status seal_binary(char* const* args, char* const* environment) {
  TRY(execute_sealed(args, environment), "protecting the runtime's own binary (CVE-2019-5736)");
  // The kernel names a program executed by descriptor after its number.
  return sys::set_process_name("runtime");
}

Result<std::string> binary_path() {
  const char* original = std::getenv(std::string(kMark.substr(0, kMark.size() - 1)).c_str());
  if (original != nullptr) return std::string(original);
  return sys::readlinkat(AT_FDCWD, "/proc/self/exe");
}

}  // namespace rt::kernel
