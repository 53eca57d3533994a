#include "tests/support/bundle.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/base/text.h"
#include "runtime/sys/file.h"

namespace rt::testing {
namespace {

constexpr const char* kDefault = R"({
  "ociVersion": "1.2.0",
  "process": {
    "user": {"uid": 0, "gid": 0},
    "args": ["/bin/true"],
    "env": ["PATH=/bin"],
    "cwd": "/",
    "capabilities": {
      "bounding": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "effective": ["CAP_KILL", "CAP_NET_BIND_SERVICE"],
      "permitted": ["CAP_KILL", "CAP_NET_BIND_SERVICE"]
    },
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs"},
  "hostname": "e2e",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
     "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
     "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
    {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
     "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs",
     "options": ["nosuid", "noexec", "nodev", "ro"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                   {"type": "mount"}, {"type": "cgroup"}],
    "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
    "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]
  }
})";

constexpr const char* kApplets[] = {
    "cat",   "chmod",    "cut",   "dd",  "echo",     "env", "false",  "find",   "grep",
    "head",  "hostname", "id",    "ip",  "kill",     "ls",  "mkdir",  "mkfifo", "mknod",
    "mount", "nproc",    "ps",    "pwd", "readlink", "rm",  "sh",     "sleep",  "sort",
    "stat",  "test",     "touch", "tr",  "true",     "tty", "umount", "uname",  "wc",
};

int remove_one(const char* path, const struct stat* /*info*/, int /*type*/, struct FTW* /*where*/) {
  return ::remove(path);
}

}  // namespace

PublicDirectory::PublicDirectory() {
  std::string pattern = "/tmp/runtime-test.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  ::chmod(pattern.c_str(), 0755);
  path_ = pattern;
}

PublicDirectory::~PublicDirectory() { remove_tree(path_); }

void remove_tree(const std::string& path) {
  ::nftw(path.c_str(), remove_one, 16, FTW_DEPTH | FTW_MOUNT | FTW_PHYS);
}

void copy_file(const std::string& from, const std::string& to, mode_t mode) {
  const UniqueFd source = sys::open(from, O_RDONLY).value();
  const UniqueFd copy = sys::open(to, O_WRONLY | O_CREAT | O_EXCL, mode).value();
  const auto size = static_cast<size_t>(sys::fstat(source.get()).value().st_size);
  sys::copy_bytes(source.get(), copy.get(), size).value();
}

void make_busybox_root(const std::string& directory) {
  sys::mkdir(directory, 0755).value();
  for (const char* name : {"bin", "dev", "etc", "proc", "root", "sys", "tmp"}) {
    sys::mkdir(cat(directory, '/', name), 0755).value();
  }
  ::chmod(cat(directory, "/tmp").c_str(), 01777);
  copy_file("/usr/bin/busybox", cat(directory, "/bin/busybox"), 0755);
  for (const char* applet : kApplets) {
    sys::symlinkat("busybox", AT_FDCWD, cat(directory, "/bin/", applet)).value();
  }
}

Config::Config() : json_(kDefault) {}

Config& Config::mount(std::string_view destination, std::string_view type, std::string_view source,
                      const std::vector<std::string>& options) {
  return add("/mounts",
             cat("{\"destination\":", json_string(destination), ",\"type\":", json_string(type),
                 ",\"source\":", json_string(source), ",\"options\":", json_strings(options), '}'));
}

Config& Config::without_namespace(std::string_view type) {
  for (size_t i = 0; i < json_.size("/linux/namespaces"); ++i) {
    const std::string pointer = cat("/linux/namespaces/", i);
    if (json_.at(pointer + "/type") != type) continue;
    json_.erase(pointer);
    break;
  }
  return *this;
}

Config& Config::join_namespace(std::string_view type, std::string_view path) {
  without_namespace(type);
  return add("/linux/namespaces",
             cat("{\"type\":", json_string(type), ",\"path\":", json_string(path), '}'));
}

Config& Config::user_namespace() {
  constexpr const char* kMap = R"([{"containerID": 0, "hostID": 100000, "size": 65536}])";
  return user_namespace(kMap, kMap);
}

Config& Config::user_namespace(std::string_view user_map, std::string_view group_map) {
  add("/linux/namespaces", R"({"type": "user"})");
  return set("/linux/uidMappings", user_map).set("/linux/gidMappings", group_map);
}

}  // namespace rt::testing
