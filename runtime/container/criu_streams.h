// What CRIU cannot find out by itself of a container's processes. For this package alone.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"

namespace rt::container {

/// What one of the descriptors 0, 1 and 2 of the container's init is, if it is not the container's
/// own.
struct StandardStream {
  std::string
      name;         // in the words of CRIU: "pipe:[4711]", "file[18:4]"; empty: the container's own
  mode_t mode = 0;  // of a file: stat(2), st_mode
};
using StandardStreams = std::array<StandardStream, 3>;
/// A pipe that has its other end in one of `processes` is the container's own.
Result<StandardStreams> look_at_streams(pid_t init, const std::vector<pid_t>& processes);

/// How many of `processes` cannot gain privileges (prctl(2), PR_SET_NO_NEW_PRIVS), and how many
/// can; those that have ended do not count.
struct NoNewPrivileges {
  size_t set = 0;
  size_t unset = 0;
};
NoNewPrivileges count_no_new_privileges(const std::vector<pid_t>& processes);

/// What is kept beside the images: the names of the streams in descriptors.json, as other runtimes
/// do it, so that each can read the other's; the rest in runtime.json.
struct ImageFacts {
  StandardStreams streams;
  bool no_new_privileges = false;  // all processes had it: CRIU 3.17 does not save it
};
Status save_facts(int images, const ImageFacts& facts);
Result<ImageFacts> load_facts(int images);

/// What the restored container gets as descriptor `fd`: our own, or /dev/null where CRIU could not
/// put ours in the place of that. An error says what ours should be.
Result<UniqueFd> stream_for(int fd, const StandardStream& saved);

}  // namespace rt::container
