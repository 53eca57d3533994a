// The payload's system call filter: a program made of the plan's rules by libseccomp, in the
// runtime, and loaded by init. config-linux.md, "Seccomp".
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/plan/plan.h"

namespace rt::kernel {

struct Filter {
  std::vector<sock_filter> program;
  uint64_t flags = 0;     // SECCOMP_FILTER_FLAG_*, with NEW_LISTENER where it notifies
  bool notifies = false;  // an agent answers for some system calls
};

/// The filter of `step`: from `cache_directory` where it was made before, else made and put there.
/// Without a directory (""), or where the cache cannot be used, it is made.
Result<Filter> make_filter(const plan::SeccompStep& step, const std::string& cache_directory);

/// What the document asks for and no filter here can do: to hold back a system call whose name
/// libseccomp does not know, where what no rule names is carried out.
std::vector<plan::Warning> filter_warnings(const plan::SeccompStep& step);

/// In init, as late as possible: from now on this process is under the filter. The listener, closed
/// on exec, where the filter notifies, else no descriptor. One system call; allocates nothing
/// unless it fails.
Result<UniqueFd> load_filter(const Filter& filter);

/// Sends the listener with `process_state` (spec/process_state.h) to the agent's stream socket at
/// `path`: one message, one descriptor, and the end of the connection. An agent that does not take
/// it for `patience_seconds` is an error.
Status send_listener(const std::string& path, int listener, std::string_view process_state,
                     int patience_seconds = 10);

/// The flags of the specification that the kernel at hand takes: for `features`.
std::vector<std::string> supported_filter_flags();

// Of the files seccomp_*.cc, for each other and for tests.

/// seccomp_compile.cc: the program for `step`. Linux takes up to 4096 instructions.
Result<std::vector<sock_filter>> compile_filter(const plan::SeccompStep& step);

/// seccomp_compile.cc: what the program depends on beside the rules: this machine's architecture
/// and who compiles.
std::string compiler_version();

/// seccomp_cache.cc: programs by what they were made of, as files.
class FilterCache {
 public:
  /// How many programs are kept.
  static constexpr size_t kEntries = 64;

  /// Makes the directory where it is missing. One that is not ours alone is no cache.
  explicit FilterCache(const std::string& directory);

  /// The program that was stored under `key`; an empty one when there is none that can be trusted.
  [[nodiscard]] std::vector<sock_filter> load(const std::string& key) const;

  /// Stores the program, and drops the oldest ones above kEntries. It may fail: then the next one
  /// compiles again.
  void store(const std::string& key, const std::vector<sock_filter>& program) const;

 private:
  [[nodiscard]] Status try_store(const std::string& key,
                                 const std::vector<sock_filter>& program) const;
  [[nodiscard]] Status drop_oldest() const;

  UniqueFd directory_;  // empty: no cache
};

}  // namespace rt::kernel
