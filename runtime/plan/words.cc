#include "runtime/plan/words.h"

#include <linux/mount.h>
#include <sys/resource.h>

#include <array>
#include <bit>
#include <iterator>

#include "runtime/base/text.h"
#include "runtime/plan/parts.h"
#include "spec/words.h"

namespace rt::plan {
namespace {

struct AttributeWord {
  uint64_t bit;
  std::string_view set;
  std::string_view cleared;
};

constexpr std::array kAttributes = {
    AttributeWord{MOUNT_ATTR_RDONLY, "ro", "rw"},
    AttributeWord{MOUNT_ATTR_NOSUID, "nosuid", "suid"},
    AttributeWord{MOUNT_ATTR_NODEV, "nodev", "dev"},
    AttributeWord{MOUNT_ATTR_NOEXEC, "noexec", "exec"},
    AttributeWord{MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
    AttributeWord{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

void add_word(std::string& list, std::string_view word, std::string_view separator = ",") {
  if (!list.empty()) list += separator;
  list += word;
}

std::string_view access_time_word(const MountAttributes& attributes) {
  if ((attributes.clear & MOUNT_ATTR__ATIME) == 0) return "";
  const uint64_t mode = attributes.set & MOUNT_ATTR__ATIME;
  if (mode == MOUNT_ATTR_NOATIME) return "noatime";
  return mode == MOUNT_ATTR_STRICTATIME ? "strictatime" : "relatime";
}

constexpr unsigned kCapabilities = std::size(spec::kCapabilityNames);
constexpr uint64_t kAllCapabilities = (uint64_t{1} << kCapabilities) - 1;

/// "chown": the name without what all names begin with, in lower case.
std::string short_name(unsigned number) {
  std::string name = capability_name(number).substr(4);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

std::string list_capabilities(uint64_t set) {
  std::string list;
  for (unsigned number = 0; number < kCapabilities; ++number) {
    if ((set >> number & 1) != 0) add_word(list, short_name(number), " ");
  }
  return list;
}

}  // namespace

std::string_view name_of(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kMount:
      return "mount";
    case NamespaceKind::kUts:
      return "uts";
    case NamespaceKind::kIpc:
      return "ipc";
    case NamespaceKind::kPid:
      return "pid";
    case NamespaceKind::kNetwork:
      return "network";
    case NamespaceKind::kUser:
      return "user";
    case NamespaceKind::kCgroup:
      return "cgroup";
    case NamespaceKind::kTime:
      return "time";
  }
  return "";
}

std::string attribute_words(const MountAttributes& attributes, bool recursive) {
  const std::string_view prefix = recursive ? "r" : "";
  std::string list;
  for (const AttributeWord& word : kAttributes) {
    if ((attributes.set & word.bit) != 0) add_word(list, cat(prefix, word.set));
    if ((attributes.clear & word.bit) != 0) add_word(list, cat(prefix, word.cleared));
  }
  const std::string_view access_time = access_time_word(attributes);
  if (!access_time.empty()) add_word(list, cat(prefix, access_time));
  return list;
}

std::string propagation_word(unsigned long propagation) {
  const std::string_view prefix = (propagation & MS_REC) != 0 ? "r" : "";
  if ((propagation & MS_PRIVATE) != 0) return cat(prefix, "private");
  if ((propagation & MS_SHARED) != 0) return cat(prefix, "shared");
  if ((propagation & MS_SLAVE) != 0) return cat(prefix, "slave");
  if ((propagation & MS_UNBINDABLE) != 0) return cat(prefix, "unbindable");
  return "";
}

std::string parameter_words(const std::vector<FilesystemParameter>& parameters) {
  std::string list;
  for (const FilesystemParameter& parameter : parameters) {
    std::string word = parameter.key;
    if (parameter.value) word += cat('=', *parameter.value);
    add_word(list, printable(word));
  }
  return list;
}

std::string capability_words(uint64_t set) {
  if (set == 0) return "none";
  if ((set & kAllCapabilities) == kAllCapabilities) return "all";
  const uint64_t missing = kAllCapabilities & ~set;
  if (std::popcount(missing) <= 4) return cat("all but ", list_capabilities(missing));
  return list_capabilities(set);
}

std::string octal(uint32_t mode) {
  std::string digits = to_digits(mode, 8);
  while (digits.size() < 4) digits.insert(0, "0");
  return digits;
}

std::string limit_word(uint64_t limit) {
  return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

}  // namespace rt::plan
