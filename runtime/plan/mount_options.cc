#include "runtime/plan/mount_options.h"

#include <linux/mount.h>

#include <algorithm>
#include <array>
#include <utility>

#include "spec/suggest.h"

namespace rt::plan {
namespace {

enum class Does {
  kNothing,  // what is so anyway
  kSet,      // a bit of the mount
  kClear,
  kAccessTime,        // one of three modes, of which a mount has one
  kCancelAccessTime,  // back to the kernel's own mode, if it is the one named
  kSetSuperblock,     // a bit of the file system
  kClearSuperblock,
  kPropagation,
  kBind,
  kRecursiveBind,
  kRemount,
  kIdMap,
  kCopyUp,
  kIneffective,
};

struct Row {
  std::string_view word;
  Does does;
  uint64_t bits = 0;
  bool recursive = false;  // for all mounts below, too
  const char* why = "";    // kIneffective
};

// What mount(8) makes of the words by which others than root may mount.
constexpr uint64_t kForOwners = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr uint64_t kForUsers = kForOwners | MOUNT_ATTR_NOEXEC;

constexpr const char* kLogging = "how much the kernel logs of a mount cannot be chosen";
constexpr const char* kCounting = "the file system itself decides whether it counts changes";

constexpr std::array kRows = {
    Row{"defaults", Does::kNothing},
    Row{"ro", Does::kSet, MOUNT_ATTR_RDONLY},
    Row{"rw", Does::kClear, MOUNT_ATTR_RDONLY},
    Row{"nosuid", Does::kSet, MOUNT_ATTR_NOSUID},
    Row{"suid", Does::kClear, MOUNT_ATTR_NOSUID},
    Row{"nodev", Does::kSet, MOUNT_ATTR_NODEV},
    Row{"dev", Does::kClear, MOUNT_ATTR_NODEV},
    Row{"noexec", Does::kSet, MOUNT_ATTR_NOEXEC},
    Row{"exec", Does::kClear, MOUNT_ATTR_NOEXEC},
    Row{"nodiratime", Does::kSet, MOUNT_ATTR_NODIRATIME},
    Row{"diratime", Does::kClear, MOUNT_ATTR_NODIRATIME},
    Row{"nosymfollow", Does::kSet, MOUNT_ATTR_NOSYMFOLLOW},  // Linux 5.14
    Row{"symfollow", Does::kClear, MOUNT_ATTR_NOSYMFOLLOW},
    Row{"noatime", Does::kAccessTime, MOUNT_ATTR_NOATIME},
    Row{"atime", Does::kCancelAccessTime, MOUNT_ATTR_NOATIME},
    Row{"relatime", Does::kAccessTime, MOUNT_ATTR_RELATIME},
    Row{"norelatime", Does::kCancelAccessTime, MOUNT_ATTR_RELATIME},
    Row{"strictatime", Does::kAccessTime, MOUNT_ATTR_STRICTATIME},
    Row{"nostrictatime", Does::kCancelAccessTime, MOUNT_ATTR_STRICTATIME},

    Row{"rro", Does::kSet, MOUNT_ATTR_RDONLY, true},
    Row{"rrw", Does::kClear, MOUNT_ATTR_RDONLY, true},
    Row{"rnosuid", Does::kSet, MOUNT_ATTR_NOSUID, true},
    Row{"rsuid", Does::kClear, MOUNT_ATTR_NOSUID, true},
    Row{"rnodev", Does::kSet, MOUNT_ATTR_NODEV, true},
    Row{"rdev", Does::kClear, MOUNT_ATTR_NODEV, true},
    Row{"rnoexec", Does::kSet, MOUNT_ATTR_NOEXEC, true},
    Row{"rexec", Does::kClear, MOUNT_ATTR_NOEXEC, true},
    Row{"rnodiratime", Does::kSet, MOUNT_ATTR_NODIRATIME, true},
    Row{"rdiratime", Does::kClear, MOUNT_ATTR_NODIRATIME, true},
    Row{"rnosymfollow", Does::kSet, MOUNT_ATTR_NOSYMFOLLOW, true},
    Row{"rsymfollow", Does::kClear, MOUNT_ATTR_NOSYMFOLLOW, true},
    Row{"rnoatime", Does::kAccessTime, MOUNT_ATTR_NOATIME, true},
    Row{"ratime", Does::kCancelAccessTime, MOUNT_ATTR_NOATIME, true},
    Row{"rrelatime", Does::kAccessTime, MOUNT_ATTR_RELATIME, true},
    Row{"rnorelatime", Does::kCancelAccessTime, MOUNT_ATTR_RELATIME, true},
    Row{"rstrictatime", Does::kAccessTime, MOUNT_ATTR_STRICTATIME, true},
    Row{"rnostrictatime", Does::kCancelAccessTime, MOUNT_ATTR_STRICTATIME, true},

    Row{"sync", Does::kSetSuperblock, MS_SYNCHRONOUS},
    Row{"async", Does::kClearSuperblock, MS_SYNCHRONOUS},
    Row{"dirsync", Does::kSetSuperblock, MS_DIRSYNC},
    Row{"lazytime", Does::kSetSuperblock, MS_LAZYTIME},
    Row{"nolazytime", Does::kClearSuperblock, MS_LAZYTIME},
    Row{"mand", Does::kSetSuperblock, MS_MANDLOCK},
    Row{"nomand", Does::kClearSuperblock, MS_MANDLOCK},

    Row{"private", Does::kPropagation, MS_PRIVATE},
    Row{"rprivate", Does::kPropagation, MS_PRIVATE | MS_REC},
    Row{"shared", Does::kPropagation, MS_SHARED},
    Row{"rshared", Does::kPropagation, MS_SHARED | MS_REC},
    Row{"slave", Does::kPropagation, MS_SLAVE},
    Row{"rslave", Does::kPropagation, MS_SLAVE | MS_REC},
    Row{"unbindable", Does::kPropagation, MS_UNBINDABLE},
    Row{"runbindable", Does::kPropagation, MS_UNBINDABLE | MS_REC},

    Row{"bind", Does::kBind},
    Row{"rbind", Does::kRecursiveBind},
    Row{"remount", Does::kRemount},

    Row{"idmap", Does::kIdMap},
    Row{"ridmap", Does::kIdMap, 0, true},
    Row{"tmpcopyup", Does::kCopyUp},

    // fsconfig(2) has no counterpart of MS_SILENT and MS_I_VERSION.
    Row{"silent", Does::kIneffective, 0, false, kLogging},
    Row{"loud", Does::kIneffective, 0, false, kLogging},
    Row{"iversion", Does::kIneffective, 0, false, kCounting},
    Row{"noiversion", Does::kIneffective, 0, false, kCounting},

    // Not of the specification's table, but of mount(8), which it wants followed: when fstab(5) has
    // a file system mounted, and by whom.
    Row{"auto", Does::kNothing},
    Row{"noauto", Does::kNothing},
    Row{"_netdev", Does::kNothing},
    Row{"nouser", Does::kNothing},
    Row{"nousers", Does::kNothing},
    Row{"noowner", Does::kNothing},
    Row{"nogroup", Does::kNothing},
    Row{"user", Does::kSet, kForUsers},
    Row{"users", Does::kSet, kForUsers},
    Row{"owner", Does::kSet, kForOwners},
    Row{"group", Does::kSet, kForOwners},
};

/// Options of file systems that look like slips of ours: of ceph, of ceph and afs, of xfs.
constexpr std::array<std::string_view, 3> kLookAlikes = {"share", "wsync", "nouuid"};

const Row* find_row(std::string_view word) {
  for (const Row& row : kRows) {
    if (row.word == word) return &row;
  }
  return nullptr;
}

template <class Flags>
void set_bits(Flags& flags, uint64_t bits) {
  flags.set |= bits;
  flags.clear &= ~bits;
}

template <class Flags>
void clear_bits(Flags& flags, uint64_t bits) {
  flags.clear |= bits;
  flags.set &= ~bits;
}

template <class Flags>
void forget_bits(Flags& flags, uint64_t bits) {
  flags.set &= ~bits;
  flags.clear &= ~bits;
}

/// mount_setattr(2): a mode is set by clearing all of them in the same call.
void set_access_time(MountAttributes& attributes, uint64_t mode) {
  attributes.set = (attributes.set & ~uint64_t{MOUNT_ATTR__ATIME}) | mode;
  attributes.clear |= MOUNT_ATTR__ATIME;
}

void cancel_access_time(MountAttributes& attributes, uint64_t mode) {
  const bool has_mode = (attributes.clear & MOUNT_ATTR__ATIME) != 0;
  if (has_mode && (attributes.set & MOUNT_ATTR__ATIME) != mode) return;
  set_access_time(attributes, MOUNT_ATTR_RELATIME);  // the kernel's own choice since 2.6.30
}

bool is_access_time(const Row& row) {
  return row.does == Does::kAccessTime || row.does == Does::kCancelAccessTime;
}

void apply_attribute(const Row& row, MountOptions& options) {
  MountAttributes& attributes = row.recursive ? options.recursive_attributes : options.attributes;
  if (row.recursive) {  // covers the mount itself: what was said of it alone is overruled
    forget_bits(options.attributes, is_access_time(row) ? MOUNT_ATTR__ATIME : row.bits);
  }
  if (row.does == Does::kSet) set_bits(attributes, row.bits);
  if (row.does == Does::kClear) clear_bits(attributes, row.bits);
  if (row.does == Does::kAccessTime) set_access_time(attributes, row.bits);
  if (row.does == Does::kCancelAccessTime) cancel_access_time(attributes, row.bits);
}

void apply(const Row& row, const OptionWord& word, MountOptions& options) {
  switch (row.does) {
    case Does::kNothing:
      break;
    case Does::kSet:
    case Does::kClear:
    case Does::kAccessTime:
    case Does::kCancelAccessTime:
      apply_attribute(row, options);
      break;
    case Does::kSetSuperblock:
      set_bits(options.superblock, row.bits);
      options.of_the_superblock.push_back(word);
      break;
    case Does::kClearSuperblock:
      clear_bits(options.superblock, row.bits);
      options.of_the_superblock.push_back(word);
      break;
    case Does::kPropagation:
      options.propagation = row.bits;
      break;
    case Does::kRecursiveBind:
      options.recursive_bind = true;
      options.bind = true;
      break;
    case Does::kBind:
      options.bind = true;
      break;
    case Does::kRemount:
      options.remount = true;
      break;
    case Does::kIdMap:
      options.id_map = word;
      options.recursive_id_map = row.recursive;
      break;
    case Does::kCopyUp:
      options.copy_up = word;
      break;
    case Does::kIneffective:
      options.ineffective.push_back({word, row.why});
      break;
  }
}

/// "idmap=uids=0-1000-1" is crun's own: in the document a mapping has a place of its own, and a
/// file system that was handed the word would not know it.
Status refuse_long_id_map(std::string_view word) {
  if (!word.starts_with("idmap=") && !word.starts_with("ridmap=")) return ok();
  return Error(cat("option ", quoted(word), ": a mapping is given by uidMappings and gidMappings"));
}

struct SuperblockName {
  uint64_t bit;
  const char* set;
  const char* cleared;
};

constexpr std::array kSuperblockNames = {
    SuperblockName{MS_RDONLY, "ro", "rw"},
    SuperblockName{MS_SYNCHRONOUS, "sync", "async"},
    SuperblockName{MS_DIRSYNC, "dirsync", nullptr},
    SuperblockName{MS_LAZYTIME, "lazytime", "nolazytime"},
    SuperblockName{MS_MANDLOCK, "mand", "nomand"},
};

}  // namespace

Result<MountOptions> read_mount_options(const std::vector<std::string>& words) {
  MountOptions options;
  for (size_t i = 0; i < words.size(); ++i) {
    const OptionWord word{i, words[i]};
    TRY(refuse_long_id_map(word.word));
    const Row* row = find_row(word.word);
    if (row != nullptr) {
      apply(*row, word, options);
    } else if (word.word.empty()) {
      return Error(cat("options[", i, "]: empty"));
    } else {
      options.own.push_back(word);
    }
  }
  return options;
}

Result<std::vector<FilesystemParameter>> own_parameters(const std::vector<OptionWord>& words) {
  std::vector<FilesystemParameter> parameters;
  for (const OptionWord& option : words) {
    const size_t equals = option.word.find('=');
    if (equals == 0) return Error(cat("option ", quoted(option.word), ": no name"));
    FilesystemParameter parameter{option.word.substr(0, equals), std::nullopt};
    if (equals != std::string::npos) parameter.value = option.word.substr(equals + 1);
    // The source of a file system is the mount's: it must not be said twice.
    if (parameter.key == "source") return Error("option \"source\": is a property of its own");
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::vector<FilesystemParameter> superblock_parameters(const SuperblockFlags& flags, bool cleared) {
  std::vector<FilesystemParameter> parameters;
  for (const SuperblockName& name : kSuperblockNames) {
    if ((flags.set & name.bit) != 0) parameters.push_back({name.set, std::nullopt});
    if (cleared && name.cleared != nullptr && (flags.clear & name.bit) != 0) {
      parameters.push_back({name.cleared, std::nullopt});
    }
  }
  return parameters;
}

std::optional<std::string_view> meant_option(std::string_view word) {
  if (std::find(kLookAlikes.begin(), kLookAlikes.end(), word) != kLookAlikes.end()) {
    return std::nullopt;
  }
  std::vector<std::string_view> known;
  known.reserve(kRows.size());
  for (const Row& row : kRows) known.push_back(row.word);
  return spec::suggest_for_slip(word, known);
}

unsigned long propagation_of(std::string_view word) {
  const Row* row = find_row(word);
  return row != nullptr && row->does == Does::kPropagation ? row->bits : 0;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> words;
  words.reserve(kRows.size());
  for (const Row& row : kRows) words.emplace_back(row.word);
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace rt::plan
