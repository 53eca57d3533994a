// Naming things below the container's root, in a tree that an attacker may be changing meanwhile.
//
// A path is walked once, by openat2(2) below `root` (symbolic links of the image are followed, but
// cannot lead out), and then only its descriptor is used. What is missing is made component by
// component on the descriptor of its parent. Shared by the other files of this package.
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::kernel {

enum class Kind { kDirectory, kFile };

/// The directory or file at `path` (O_PATH), made when it is missing: directories 0755, files 0644
/// and empty. The target of a dangling link is made where the link says, below `root`. ENOTDIR when
/// there is something of the other kind.
Result<UniqueFd> open_or_make(int root, const std::string& path, Kind kind);

/// Whether `fd` is the directory `root` itself. What is attached there lies on top of the root of
/// processes that are in it already: they would never see it.
Result<bool> is_root(int root, int fd);

/// Where a name is to be made: the directory that will hold it, made when it is missing.
struct Place {
  UniqueFd parent;  // O_PATH
  std::string name;
};
Result<Place> open_place(int root, const std::string& path);

}  // namespace rt::kernel
