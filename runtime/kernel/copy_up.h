// tmpcopyup: what the image has where a tmpfs is going to be is copied into that. runtime-spec
// config.md, "Linux mount options". Used by mounts.cc alone.
#pragma once

#include "runtime/base/result.h"

namespace rt::kernel {

/// What the tmpfs's own root directory takes over from the image's.
struct RootAttributes {
  bool owner = true;
  bool mode = true;
};

/// Copies what is below the directory `source` into the empty directory `destination`: files with
/// their holes, directories, links, devices, fifos and sockets, with owner, mode, times and those
/// extended attributes that mean something there (user.*, file capabilities, ACLs).
///
/// An attacker may be changing `source` meanwhile: nothing outside of it is ever read, links are
/// not followed. What is mounted below it, and the devices that a user namespace may not have, are
/// left out; a file with several names becomes several files. Where nothing fits any more, the
/// copy fails (ENOSPC); so it does for an id that has no mapping here.
Status copy_up(int source, int destination, RootAttributes taken);

}  // namespace rt::kernel
