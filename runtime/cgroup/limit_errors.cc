#include "runtime/cgroup/limit_errors.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "runtime/cgroup/controllers.h"
#include "runtime/cgroup/directory.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

/// What a kernel has a control file by.
struct Lack {
  std::string_view prefix;
  std::string_view hint;
};

// The first that fits.
constexpr Lack kLacks[] = {
    {"memory.memsw.", "the kernel does not account swap: boot it with swapaccount=1"},
    {"memory.swap.",
     "the kernel does not account swap: it needs CONFIG_SWAP, and before Linux 6.1 "
     "swapaccount=1"},
    {"memory.kmem.", "the kernel does not limit its own memory apart from the rest"},
    {"cpu.rt_", "the kernel has no real-time group scheduling: CONFIG_RT_GROUP_SCHED"},
    {"cpu.max.burst", "it needs Linux 5.14"},
    {"cpu.cfs_burst", "it needs Linux 5.14"},
    {"cpu.idle", "it needs Linux 5.15"},
    {"cpu.cfs_", "the kernel has no CPU quotas: CONFIG_CFS_BANDWIDTH"},
    {"cpu.max", "the kernel has no CPU quotas: CONFIG_CFS_BANDWIDTH"},
    {"io.bfq.", "no device uses the I/O scheduler bfq"},
    {"blkio.bfq.", "no device uses the I/O scheduler bfq"},
    {"blkio.weight", "no device uses the I/O scheduler bfq"},
    {"blkio.leaf_weight", "it went with the I/O scheduler CFQ, in Linux 5.0"},
    {"io.weight", "the kernel has no I/O cost model: CONFIG_BLK_CGROUP_IOCOST"},
    {"io.latency", "CONFIG_BLK_CGROUP_IOLATENCY"},
    {"blkio.throttle.", "CONFIG_BLK_DEV_THROTTLING"},
    {"io.max", "CONFIG_BLK_DEV_THROTTLING"},
};

std::vector<std::string> files_of(int directory) {
  Result<std::vector<std::string>> names = sys::list_directory(directory);
  return names ? std::move(names).value() : std::vector<std::string>();
}

/// Whether the controller of `file` is at work in the directory.
bool has_controller(int directory, const std::string& file) {
  const std::string controller = file.substr(0, file.find('.'));
  const Result<std::optional<std::string>> v2 = read_control(directory, "cgroup.controllers");
  if (v2 && v2.value()) {
    const Result<std::vector<std::string>> all = read_controllers(directory);
    return all && std::ranges::find(all.value(), controller) != all.value().end();
  }
  return std::ranges::any_of(files_of(directory), [&](const std::string& name) {
    return name.starts_with(controller + ".");
  });
}

/// "the kernel has 2MB, 1GB".
std::string page_sizes(int directory) {
  std::set<std::string> sizes;
  for (const std::string& name : files_of(directory)) {
    const std::vector<std::string_view> parts = split(name, '.');
    if (parts.size() >= 3 && parts[0] == "hugetlb") sizes.emplace(parts[1]);
  }
  std::string text;
  for (const std::string& size : sizes) text += cat(text.empty() ? "the kernel has " : ", ", size);
  return text;
}

std::string read_or_empty(int directory, const std::string& file) {
  const Result<std::optional<std::string>> text = read_control(directory, file);
  return text && text.value() ? *text.value() : std::string();
}

/// "the cgroup above it has 0-3".
std::string above(int directory, const std::string& file) {
  for (const std::string& name : {file + ".effective", file}) {
    const std::string has = read_or_empty(directory, "../" + name);
    if (!has.empty()) return cat("the cgroup above it has ", has);
  }
  return {};
}

bool is_device_file(std::string_view file) {
  return file.starts_with("io.") || file.starts_with("blkio.") || file.starts_with("rdma.");
}

std::string hint_at_invalid(int directory, const std::string& file) {
  if (file.starts_with("cpuset.")) return above(directory, file);
  if (file.starts_with("cpu.cfs_") || file.starts_with("cpu.rt_")) {
    return "the cgroup above it allows less, or quota, burst and period do not fit together";
  }
  if (file.starts_with("memory.limit_in") || file.starts_with("memory.memsw.")) {
    return "the limit of memory and swap together must not be below that of memory";
  }
  return "the kernel does not take this value";
}

std::string hint_at(int directory, const std::string& file, int code) {
  switch (code) {
    case EACCES:
      if (file.starts_with("cpuset.")) return above(directory, file);
      return "the cgroup is not delegated to this user";
    case EPERM:
      return "the cgroup is not delegated to this user";
    case EROFS:
      return "the cgroup file system is mounted read-only";
    case EINVAL:
      return hint_at_invalid(directory, file);
    case ERANGE:
      return "the number is outside of what the kernel takes";
    case EBUSY:
      return file.starts_with("cpuset.") ? "processes or cgroups below use what it would take away"
                                         : "it is in use";
    case EOPNOTSUPP:
      return "the kernel or the device does not support it";
    case ENODEV:
    case ENXIO:
      return is_device_file(file) ? "there is no such device" : "the cgroup is gone";
    default:
      return {};
  }
}

/// How much of what a v1 memory limit is for is in use; "" for any other file.
std::string memory_in_use(int directory, const std::string& file) {
  constexpr std::string_view kLimit = ".limit_in_bytes";
  if (!file.starts_with("memory.") || !file.ends_with(kLimit)) return {};
  const std::string kind = file.substr(0, file.size() - kLimit.size());
  return read_or_empty(directory, kind + ".usage_in_bytes");
}

}  // namespace

std::string plain(std::string_view text) {
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
  });
  return is_plain ? std::string(text) : quoted(text);
}

std::string why_missing(int directory, const std::string& file) {
  if (directory < 0) return "there is no such cgroup: without one there are no limits";
  if (!has_controller(directory, file)) {
    return cat("the controller ", quoted(file.substr(0, file.find('.'))),
               " is not at work in this cgroup");
  }
  if (file.starts_with("hugetlb.")) return page_sizes(directory);
  for (const Lack& lack : kLacks) {
    if (file.starts_with(lack.prefix)) return std::string(lack.hint);
  }
  return {};
}

Error explain_refusal(int directory, const std::string& file, std::string_view value, Error error) {
  const int code = error.code();
  const std::string used = code == EBUSY ? memory_in_use(directory, file) : std::string();
  if (!used.empty()) {
    return Error::from_wire(
        code, error.call(),
        cat(file, ": memory limit ", plain(value), " is too low: ", used, " bytes are in use"));
  }
  const std::string hint = hint_at(directory, file, code);
  if (!hint.empty()) error = std::move(error).with_hint(hint);
  return std::move(error).within(file);
}

}  // namespace rt::cgroup
