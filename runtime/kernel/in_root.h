// Naming things below the container's root, in a tree that an attacker may be changing meanwhile.
//
// A path is walked once, by openat2(2) below `root` (symbolic links of the image are followed, but
// cannot lead out), and then only its descriptor is used. What is missing is made component by
// component on the descriptor of its parent. Shared by the other files of this package.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::kernel {

enum class Kind { kDirectory, kFile };

/// The directory or file at `path` (O_PATH), made when it is missing: directories 0755, files 0644
/// and empty. The target of a dangling link is made where the link says, below `root`. ENOTDIR when
/// there is something of the other kind.
Result<UniqueFd> open_or_make(int root, const std::string& path, Kind kind);

/// Tells the container's root from what is below it. What is attached to the root lies on top of
/// that of processes which are in it already: they would never see it.
class RootMark {
 public:
  static Result<RootMark> of(int root);
  [[nodiscard]] Result<bool> is_on(int fd) const;

 private:
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Where a name is to be made.
struct Place {
  int parent = -1;  // O_PATH
  std::string name;
};

/// Finds one place after another; the directories that hold them are made when they are missing.
class Places {
 public:
  explicit Places(int root) : root_(root) {}
  /// Good until the next one is asked for: most lie in the same directory, which stays open.
  Result<Place> find(const std::string& path);

 private:
  int root_;
  std::string opened_;
  UniqueFd parent_;
};

}  // namespace rt::kernel
