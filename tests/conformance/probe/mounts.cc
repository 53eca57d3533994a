// The mount table: by listmount(2) and statmount(2) (Linux 6.8), else from /proc/self/mountinfo.
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tests/conformance/probe/sections.h"

namespace probe {
namespace {

struct Mount {
  uint64_t id = 0;
  uint64_t parent = 0;
  std::string destination;
  std::string root;  // of the mount, in its file system
  std::string type;
  std::string source;
  std::string file_system;           // options of the file system
  std::vector<std::string> options;  // of the mount
  std::string propagation;           // "shared slave", "private", "unbindable"
};

/// <linux/mount.h> of Linux 6.15, which Debian 12 does not have.
struct MountId {
  uint32_t size = sizeof(MountId);
  uint32_t spare = 0;
  uint64_t id = 0;
  uint64_t parameter = 0;
  uint64_t mount_namespace = 0;
};
struct MountStatus {
  uint32_t size, file_system_options;
  uint64_t mask;
  uint32_t device_major, device_minor;
  uint64_t magic;
  uint32_t file_system_flags, type;
  uint64_t id, parent;
  uint32_t old_id, old_parent;
  uint64_t attributes, propagation, peer_group, master, propagate_from;
  uint32_t root, destination;
  uint64_t mount_namespace;
  uint32_t subtype, source;
  uint64_t spare[48];
  char text[16384];
};
static_assert(offsetof(MountStatus, text) == 512);

constexpr long kStatmount = 457;
constexpr long kListmount = 458;
constexpr uint64_t kWholeNamespace = ~uint64_t{0};
constexpr uint64_t kWanted = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x80 | 0x200;
constexpr uint64_t kHasOptions = 0x80;
constexpr uint64_t kHasSource = 0x200;

struct Word {
  uint64_t bit;
  const char* word;
};
constexpr Word kAttributes[] = {
    {0x1, "ro"},          {0x2, "nosuid"},        {0x4, "nodev"},
    {0x8, "noexec"},      {0x10, "noatime"},      {0x20, "strictatime"},
    {0x80, "nodiratime"}, {0x100000, "idmapped"}, {0x200000, "nosymfollow"}};
constexpr Word kFileSystemFlags[] = {
    {0x1, "ro"}, {0x10, "sync"}, {0x40, "mand"}, {0x80, "dirsync"}, {0x2000000, "lazytime"}};
constexpr Word kPropagation[] = {{MS_SHARED, "shared"},
                                 {MS_SLAVE, "slave"},
                                 {MS_PRIVATE, "private"},
                                 {MS_UNBINDABLE, "unbindable"}};

std::vector<std::string> attribute_words(uint64_t attributes) {
  std::vector<std::string> words;
  for (const Word& row : kAttributes) {
    if ((attributes & row.bit) != 0) words.emplace_back(row.word);
  }
  constexpr uint64_t kAccessTime = 0x70;
  if ((attributes & kAccessTime) == 0) words.emplace_back("relatime");
  return words;
}

Mount mount_of(const MountStatus& status) {
  Mount mount;
  mount.id = status.id;
  mount.parent = status.parent;
  mount.destination = status.text + status.destination;
  mount.root = status.text + status.root;
  mount.type = status.text + status.type;
  if ((status.mask & kHasSource) != 0) mount.source = status.text + status.source;
  for (const Word& row : kFileSystemFlags) {
    if ((status.file_system_flags & row.bit) != 0) mount.file_system += std::string(row.word) + ',';
  }
  if ((status.mask & kHasOptions) != 0) {
    mount.file_system += status.text + status.file_system_options;
  }
  mount.options = attribute_words(status.attributes);
  for (const Word& row : kPropagation) {
    if ((status.propagation & row.bit) == 0) continue;
    mount.propagation += (mount.propagation.empty() ? "" : " ") + std::string(row.word);
  }
  return mount;
}

/// False where the kernel lacks the calls.
bool list_by_calls(std::vector<Mount>& mounts) {
  static uint64_t ids[4096];
  MountId request;
  request.id = kWholeNamespace;
  const long count = ::syscall(kListmount, &request, ids, std::size(ids), 0);
  if (count <= 0) return false;
  static MountStatus status;
  for (long i = 0; i < count; ++i) {
    request.id = ids[i];
    request.parameter = kWanted;
    // One that vanished meanwhile is none.
    if (::syscall(kStatmount, &request, &status, sizeof status, 0) < 0) continue;
    mounts.push_back(mount_of(status));
  }
  return true;
}

/// "shared:1 master:2" and its like; none: private.
std::string propagation_words(const std::vector<std::string>& fields, size_t& at) {
  std::string words;
  for (; at < fields.size() && fields[at] != "-"; ++at) {
    const char* word = "";
    if (fields[at].starts_with("shared:")) word = "shared";
    if (fields[at].starts_with("master:")) word = "slave";
    if (fields[at] == "unbindable") word = "unbindable";
    if (*word != 0) words += (words.empty() ? "" : " ") + std::string(word);
  }
  return words.empty() ? "private" : words;
}

/// A line of /proc/self/mountinfo: proc_pid_mountinfo(5).
void read_line(const std::string& line, std::vector<Mount>& mounts) {
  constexpr size_t kFewest = 10;
  const std::vector<std::string> fields = split(line, ' ');
  if (fields.size() < kFewest) return;
  Mount mount;
  mount.id = std::stoull(fields[0]);
  mount.parent = std::stoull(fields[1]);
  mount.root = fields[3];
  mount.destination = fields[4];
  mount.options = split(fields[5], ',');
  std::erase(mount.options, "rw");
  const bool has_access_time =
      std::ranges::find(mount.options, "relatime") != mount.options.end() ||
      std::ranges::find(mount.options, "noatime") != mount.options.end();
  if (!has_access_time) mount.options.emplace_back("strictatime");
  size_t at = 6;
  mount.propagation = propagation_words(fields, at);
  if (at + 3 >= fields.size()) return;
  mount.type = fields[at + 1];
  mount.source = fields[at + 2];
  mount.file_system = fields[at + 3];
  mounts.push_back(mount);
}

void write_mount(Writer& out, const Mount& mount) {
  out.open('{').member("destination", mount.destination).member("type", mount.type);
  out.member("source", mount.source).member("root", mount.root);
  out.member("propagation", mount.propagation).member("fileSystem", mount.file_system);
  out.key("options").open('[');
  for (const std::string& option : mount.options) out.string(option);
  out.close(']').member("id", mount.id).member("parent", mount.parent).close('}');
}

}  // namespace

void write_mounts(Writer& out) {
  std::vector<Mount> mounts;
  const bool by_calls = list_by_calls(mounts);
  if (!by_calls) {
    for (const std::string& line : split(read_text("/proc/self/mountinfo"), '\n')) {
      read_line(line, mounts);
    }
  }
  out.member("mountsFrom", by_calls ? "statmount" : "mountinfo");
  out.key("mounts").open('[');
  for (const Mount& mount : mounts) write_mount(out, mount);
  out.close(']');
}

}  // namespace probe
