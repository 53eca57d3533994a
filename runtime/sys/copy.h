// System calls that copying files takes, one function each: holes, times, extended attributes.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace rt::sys {

/// lseek(2) with SEEK_DATA: where data begins, at `offset` or behind it; nothing when there is none
/// up to the end of the file (ENXIO). The descriptor's position is there then.
Result<std::optional<off_t>> seek_data(int fd, off_t offset);
/// lseek(2) with SEEK_HOLE: where the next hole begins; the end of the file counts as one.
Result<off_t> seek_hole(int fd, off_t offset);
/// lseek(2) with SEEK_SET.
Status seek(int fd, off_t offset);

/// ftruncate(2).
Status ftruncate(int fd, off_t size);

/// utimensat(2) with the times of `like`; a link is not followed. Nanoseconds.
Status set_times(int directory, const std::string& name, const struct stat& like);

/// flistxattr(2), fgetxattr(2), fsetxattr(2). xattr(7).
Result<std::vector<std::string>> list_xattrs(int fd);
Result<std::string> get_xattr(int fd, const std::string& name);
Status set_xattr(int fd, const std::string& name, std::string_view value);

}  // namespace rt::sys
