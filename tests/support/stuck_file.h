// A file that processes get stuck in: neither a signal nor the freezer reaches them.
#pragma once

#include <sys/types.h>

#include <string>

#include "runtime/base/unique_fd.h"

namespace rt::testing {

/// A file system in user space (fuse(4)) with one file, "file". Whoever closes it waits,
/// uninterruptibly, for an answer that never comes; until let_go.
class StuckFile {
 public:
  /// Mounted at `directory`, which is there. Where that cannot be, nothing is: works().
  explicit StuckFile(std::string directory);
  StuckFile(const StuckFile&) = delete;
  StuckFile& operator=(const StuckFile&) = delete;
  ~StuckFile();

  [[nodiscard]] bool works() const { return server_ > 0; }
  /// Waits until a process is stuck: whether one is.
  [[nodiscard]] bool has_caught() const;
  /// Ends the file system: the processes go on.
  void let_go();

 private:
  std::string directory_;
  pid_t server_ = 0;
  UniqueFd caught_;  // a pipe: readable when a process is stuck
};

}  // namespace rt::testing
