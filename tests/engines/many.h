// What an engine keeps that should not grow with the number of containers that it has run.
#pragma once

#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace rt::testing {

/// The number in this variable, or another one where it is not set.
int number_from(const char* variable, int otherwise);

/// Open descriptors and threads of a process, and of all processes of that name.
struct Holdings {
  size_t descriptors = 0;
  size_t threads = 0;
};
Holdings holdings_of(const std::string& program);

/// Calls `task` for 0 to `count` - 1, each in a process of its own, all at once: the numbers of
/// those for which it was not true. A forked process may not fail the test itself.
std::vector<int> failed_at_once(int count, const std::function<bool(int)>& task);

/// Calls `task` for 0 to `count` - 1, one after the other, until one is not true, and expects that
/// the processes of these names hold no more afterwards than they did after the first tenth.
void expect_no_growth(int count, const std::vector<std::string>& programs,
                      const std::function<bool(int)>& task);

}  // namespace rt::testing
