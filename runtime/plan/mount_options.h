// The option words of a mount, sorted by what they ask of the kernel. For this package alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/plan/plan.h"

namespace rt::plan {

/// Flags of a file system, as opposed to those of one mount of it: MS_SYNCHRONOUS and its like.
struct SuperblockFlags {
  uint64_t set = 0;
  uint64_t clear = 0;
};

/// A word and its place in the list.
struct OptionWord {
  size_t index = 0;
  std::string word;
};

/// A word that changes nothing, and why not.
struct IneffectiveOption {
  OptionWord option;
  const char* why = "";
};

/// runtime-spec config.md, "Linux mount options". Later words win over earlier ones.
struct MountOptions {
  MountAttributes attributes;
  MountAttributes recursive_attributes;
  SuperblockFlags superblock;
  unsigned long propagation = 0;  // 0: none named
  bool bind = false;
  bool recursive_bind = false;
  bool remount = false;
  std::optional<OptionWord> id_map;  // "idmap" or "ridmap"
  bool recursive_id_map = false;
  std::optional<OptionWord> copy_up;          // "tmpcopyup"
  std::vector<OptionWord> of_the_superblock;  // those that `superblock` is made of
  std::vector<OptionWord> own;                // not in our table: the file system's own, "size=64k"
  std::vector<IneffectiveOption> ineffective;
};

/// An empty word is an error.
Result<MountOptions> read_mount_options(const std::vector<std::string>& words);

/// The words as fsconfig(2) takes them: "k=v" and "k".
Result<std::vector<FilesystemParameter>> own_parameters(const std::vector<OptionWord>& words);

/// The flags that are set, and with `cleared` those that are cleared, as fsconfig(2) calls them.
std::vector<FilesystemParameter> superblock_parameters(const SuperblockFlags& flags, bool cleared);

/// The option of our table that `word`, which is none of them, was probably meant to be; nothing
/// where it is as likely one of a file system's own.
std::optional<std::string_view> meant_option(std::string_view word);

/// "private", "rshared": the propagation of that name, 0 for another word.
unsigned long propagation_of(std::string_view word);

/// Every word that read_mount_options knows and this version carries out, in alphabetical order.
std::vector<std::string> known_mount_options();

}  // namespace rt::plan
