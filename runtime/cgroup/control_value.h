// The text of control files, compared and taken apart. Pure: no file is looked at.
#pragma once

#include <string>
#include <string_view>

namespace rt::cgroup {

/// Whether the kernel took `asked` as it is, when `shown` is what `file` has: white space, size
/// suffixes, lists of CPUs in another form, and the ways to say "no limit" make no difference.
bool is_same_value(std::string_view file, std::string_view asked, std::string_view shown);

/// What to write so that `file` says again what it said before: `before` is what it showed,
/// `written` what has been written to it since. Of a file with a line for each device (io.max,
/// blkio.throttle.*, rdma.max) these are the lines of the devices in `written`; one that had none
/// gets the words that mean "no limit".
std::string text_to_restore(std::string_view file, std::string_view written,
                            std::string_view before);

}  // namespace rt::cgroup
