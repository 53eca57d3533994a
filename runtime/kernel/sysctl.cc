#include "runtime/kernel/sysctl.h"

#include <fcntl.h>
#include <linux/magic.h>

#include "runtime/sys/file.h"

namespace rt::kernel {
namespace {

/// The message of an absent parameter is "open /proc/sys/net/foo: no such file or directory": what
/// orchestrators read.
Status write(int directory, const plan::Sysctl& sysctl) {
  Result<UniqueFd> file = sys::open_in_root(directory, sysctl.file, O_WRONLY | O_NOFOLLOW);
  if (!file) {
    const int code = file.error().code();
    const std::string text = cat("open /proc/sys/", sysctl.file, ": ", errno_text(code));
    return Error::from_wire(code, file.error().call(), text);
  }
  return Status(sys::write_once(file.value().get(), sysctl.value));
}

}  // namespace

Result<UniqueFd> open_sysctls(const std::vector<plan::Sysctl>& sysctls) {
  if (sysctls.empty()) return UniqueFd();
  UniqueFd directory = TRY(sys::open("/proc/sys", O_PATH | O_DIRECTORY), "/proc/sys");
  const int64_t type = TRY(sys::filesystem_type(directory.get()), "/proc/sys");
  if (type != PROC_SUPER_MAGIC) return Error("/proc/sys is not part of a proc file system");
  return directory;
}

Status write_sysctls(const std::vector<plan::Sysctl>& sysctls, int directory) {
  for (const plan::Sysctl& sysctl : sysctls) {
    TRY(at(sysctl.origin, write(directory, sysctl)), "sysctl ", sysctl.file, " = ",
        quoted(sysctl.value));
  }
  return ok();
}

}  // namespace rt::kernel
